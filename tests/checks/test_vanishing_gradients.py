"""Where terms cancel, or a function is saturated, right code is not called wrong for what it rounds."""

from __future__ import annotations

import pytest
from spec_cases import functions, verified

from gradverify.results import Verdict

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 30))]


def verdict(layer, backward, method, seed, **x):
    return verified(
        functions=functions("vanishing_layers", layer, f"{layer}_{backward}"),
        inputs={"x": {"shape": [5, 7], **x}},
        method=method,
        seed=seed,
    ).verdict


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", ["auto", "compressed", "certificate"])
@pytest.mark.parametrize(
    ("layer", "x"),
    [
        ("summed_layernorm", {}),
        ("summed_layernorm", {"mean": 1000.0}),
        ("softmax", {}),
        ("softmax", {"std": 20.0}),
    ],
    ids=str,
)
def test_right_gradients_that_vanish_pass(layer, x, method, seed):
    assert verdict(layer, "backward", method, seed, **x) is Verdict.PASS


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", ["auto", "compressed", "certificate"])
def test_a_wholly_saturated_softmax_is_at_worst_undecided(method, seed):
    assert verdict("softmax", "backward", method, seed, std=100.0) in {Verdict.PASS, Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("method", ["auto", "compressed", "certificate", "dense"])
@pytest.mark.parametrize("layer", ["summed_layernorm", "softmax"])
def test_wrong_gradients_that_do_not_fail(layer, method, seed):
    assert verdict(layer, "wrong", method, seed) is Verdict.FAIL
