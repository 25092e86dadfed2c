"""One element of one gradient is off by little: whichever it is, of every built-in, it is caught."""

from __future__ import annotations

import pytest
from drawn_cases import LARGE, drawn, large, seeded_tenth
from spec_cases import verified
from spoiled_layers import NOTHING, RIGHT, as_functions, differentiable

from gradverify.results import Verdict

COUNT = 560  # 40 of each built-in
TENTH, REST = seeded_tenth(COUNT)
# What is caught in each precision: the factor of the spoilt entry, and how large it is beside the largest at least.
DOUBLE = {"factor": 1 + 1e-5, "least": 1e-3}
SINGLE = {"factor": 1 + 1e-3, "least": 0.1}


def check(entry, names, mistake, seed):
    """Verify the case as it is, and once for every input whose gradient is spoilt."""
    right = verified(seed=seed, **as_functions(entry, RIGHT))
    assert right.verdict is Verdict.PASS, (seed, entry, right)
    for name in names:
        found = verified(seed=seed, **as_functions(entry, {"input": name, "seed": seed, **mistake}))
        if found.verdict is Verdict.ERROR and NOTHING in found.reason:
            continue  # no window reads the input, say
        assert found.verdict is Verdict.FAIL, (seed, name, entry, found)
        blamed = [part.input for part in found.gradients if part.verdict is not Verdict.PASS]
        assert blamed == [name], (seed, entry, found)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("number", [*TENTH, *(pytest.param(number, marks=pytest.mark.slow) for number in REST)])
def test_one_wrong_element_of_a_drawn_case(number, dtype):
    entry = drawn(number, dtype, tame=True)
    check(entry, differentiable(entry["layer"]), SINGLE if dtype == "float32" else DOUBLE, number)


@pytest.mark.parametrize("elements", [10**5, pytest.param(10**6, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", LARGE)
def test_one_wrong_element_of_a_large_tensor(shape, elements):
    entry, names = large(shape, elements)
    check(entry, names, DOUBLE, seed=0)
