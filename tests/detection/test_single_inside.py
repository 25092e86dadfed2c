"""Code in float64 with float32 inside is noisy, and not wrong for that."""

from __future__ import annotations

import re

import pytest
from spec_cases import functions, verified

from gradverify.results import Verdict

INPUTS = {
    "affine": {"x": [6, 5], "w": [5, 4], "b": [4]},
    "conv": {"x": [6, 7], "w": [3, 2]},
    "batchnorm": {"x": {"shape": [8, 4], "mean": 2.0, "std": 3.0}, "gamma": [4], "beta": [4]},
}
SEEDS = [*range(3), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 30))]


def result(layer, backward, seed):
    target = functions("single_inside", f"{layer}_forward", f"{layer}_{backward}")
    return verified(functions=target, inputs=INPUTS[layer], seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layer", INPUTS)
def test_right_code_is_at_most_called_noisy(layer, seed):
    found = result(layer, "backward", seed)
    assert found.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}, found
    for part in found.gradients:
        assert part.verdict is Verdict.PASS or re.search("nois|precision", part.reason), part


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layer", INPUTS)
def test_wrong_code_is_wrong_whatever_its_noise(layer, seed):
    found = result(layer, "backward_wrong", seed)
    assert found.verdict is Verdict.FAIL, found
