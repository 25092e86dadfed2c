"""A mask that is another one in double precision hides no mistake: such code is measured in its own, or undecided."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import functions, verified

from gradverify.results import Verdict


def masked(x):
    mask = np.random.default_rng(0).random(x.shape, dtype=x.dtype) > 0.5
    return x * mask, mask


def masked_backward(dout, mask):
    return dout * mask


def masked_wrong(dout, mask):
    return np.float32(1.2) * dout * mask


def summed(x):
    out, mask = masked(x)
    return out.sum(axis=0), mask


def rounds(x):
    return (x + np.float32(3e7)) - np.float32(3e7), None


def rounds_backward(dout, _):
    return dout


@pytest.mark.parametrize(("backward", "verdict"), [("masked_backward", Verdict.PASS), ("masked_wrong", Verdict.FAIL)])
def test_masks_that_depend_on_the_precision(backward, verdict):
    found = verified(functions=functions("test_draws", "masked", backward), inputs={"x": [5, 3]}, dtype="float32")
    assert found.verdict is verdict, found.reason


@pytest.mark.parametrize(
    ("forward", "backward"), [("summed", "masked_backward"), ("summed", "masked_wrong"), ("rounds", "rounds_backward")]
)
def test_where_draws_and_rounding_look_alike_nothing_is_decided(forward, backward):
    pair = functions("test_draws", forward, backward)
    found = verified(functions=pair, inputs={"x": [9, 3]}, dtype="float32")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "the forward pass gives other outputs in double precision" in found.reason


def test_in_double_precision_it_makes_no_difference():
    found = verified(functions=functions("test_draws", "summed", "masked_backward"), inputs={"x": [9, 3]})
    assert found.verdict is Verdict.PASS, found.reason
