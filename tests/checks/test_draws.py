"""A mask that is another one in double precision hides no mistake: float32 code is then measured in float32."""

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


def rounds(x):  # far from zero, so that float32 and float64 are far apart as well
    return (x + np.float32(3e7)) - np.float32(3e7), None


def rounds_backward(dout, _):
    return dout


@pytest.mark.parametrize(("backward", "verdict"), [("masked_backward", Verdict.PASS), ("masked_wrong", Verdict.FAIL)])
def test_masks_that_depend_on_the_precision(backward, verdict):
    found = verified(functions=functions("test_draws", "masked", backward), inputs={"x": [5, 3]}, dtype="float32")
    assert found.verdict is verdict, found.reason


def test_what_rounds_far_is_measured_in_double_precision():
    pair = functions("test_draws", "rounds", "rounds_backward")
    found = verified(functions=pair, inputs={"x": [5, 3]}, dtype="float32")
    assert found.verdict is Verdict.PASS, found.reason
