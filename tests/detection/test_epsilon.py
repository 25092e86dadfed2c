"""A batch norm whose backward takes epsilon for something else is off by 1e-5 at most, and caught."""

from __future__ import annotations

import pytest
from spec_cases import functions, verified

from gradverify.results import Verdict

SLOW = pytest.mark.slow
DATA = [
    *(([8, 5], seed) for seed in range(2)),
    *(([6, 1], seed) for seed in range(2)),
    ([64, 32], 0),
    *(pytest.param(shape, seed, marks=SLOW) for shape in ([8, 5], [6, 1], [64, 32]) for seed in range(2, 20)),
    pytest.param([1000, 1000], 0, marks=SLOW),
]


@pytest.mark.parametrize(("shape", "seed"), DATA, ids=str)
@pytest.mark.parametrize("mean", [0.0, 1000.0])
@pytest.mark.parametrize(
    ("backward", "verdict"),
    [
        ("batchnorm_backward", Verdict.PASS),
        ("batchnorm_backward__eps_outside_the_root", Verdict.FAIL),
        ("batchnorm_backward__eps_subtracted", Verdict.FAIL),
    ],
)
def test_epsilon_in_the_wrong_place(backward, verdict, shape, mean, seed):
    found = verified(
        functions=functions("wrong_layers", "batchnorm_forward", backward),
        inputs={"x": {"shape": shape, "mean": mean}, "gamma": shape[1:], "beta": shape[1:]},
        params={"eps": 1e-5},
        seed=seed,
    )
    assert found.verdict is verdict, found
    wrong = [part.input for part in found.gradients if part.verdict is Verdict.FAIL]
    assert wrong == (["x"] if verdict is Verdict.FAIL else [])
