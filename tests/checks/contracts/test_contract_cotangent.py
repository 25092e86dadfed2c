"""Contracts about the cotangent: backward passes that are not linear in it, beside one that is."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import contract_of, functions, verified

from gradverify.results import Severity, Verdict

MODULE = "test_contract_cotangent"


def affine(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def clipped(dout, cache):
    return tuple(np.clip(grad, -1e6, 1e6) for grad in affine_backward(dout, cache))


def clipped_at_ten(dout, cache):
    return tuple(np.clip(grad, -10, 10) for grad in affine_backward(dout, cache))


def thresholded(dout, cache):
    return tuple(np.where(np.abs(grad) < 1e-12, 0, grad) for grad in affine_backward(dout, cache))


def squared(dout, cache):
    return affine_backward(dout**2, cache)


def dropped(dout, cache):
    return affine_backward(np.ones_like(dout), cache)


def of_its_sign(dout, cache):
    return affine_backward(np.sign(dout), cache)


def guided(dout, cache):
    return affine_backward(np.maximum(dout, 0), cache)


def averaged_over_what_is_not_zero(dout, cache):
    return affine_backward(dout / np.count_nonzero(dout), cache)


def normalized(dout, cache):
    return affine_backward(dout / np.linalg.norm(dout), cache)


def pushed_off_zero(dout, cache):
    return affine_backward(dout + 1e-9, cache)


def with_weight_decay(dout, cache):
    dx, dw = affine_backward(dout, cache)
    return dx, dw + 1e-9 * cache[1]


def another_shape(dout, cache):
    dx, dw = affine_backward(dout, cache)
    return dx, dw[: 4 if np.abs(dout).max() < 1e9 else 2]


def refuses_zero(dout, cache):
    if not dout.any():
        raise ZeroDivisionError("the cotangent has no norm")
    return affine_backward(dout, cache)


def in_single_precision(dout, cache):
    return tuple(grad.astype(np.float32).astype(dout.dtype) for grad in affine_backward(dout, cache))


def result(backward, **entry):
    return verified(functions=functions(MODULE, "affine", backward), inputs={"x": [3, 4], "w": [4, 2]}, **entry)


@pytest.mark.parametrize("dtype", ["float64", "float32", "longdouble"])
@pytest.mark.parametrize(
    "backward",
    [
        "clipped", "thresholded", "squared", "dropped", "of_its_sign", "guided", "averaged_over_what_is_not_zero",
        "normalized", "pushed_off_zero", "another_shape",
    ],
)  # fmt: skip
def test_backward_that_is_not_linear(backward, dtype):
    found = result(backward, dtype=dtype, checks=["contracts"])
    broken = contract_of(found, "linear-in-cotangent")
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert "not linear in the cotangent: " in broken.message
    assert found.verdict is Verdict.FAIL


def test_what_only_a_cotangent_of_another_size_shows_has_right_gradients():
    found = result("clipped")
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert found.verdict is Verdict.FAIL
    said = "dx, dw are not linear in the cotangent: times -2^60 it gives d"
    assert found.reason.startswith(said)
    assert "= -1e+06, expected " in found.reason or "= 1e+06, expected " in found.reason


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "longdouble"])
@pytest.mark.parametrize("backward", ["affine_backward", "in_single_precision"])
def test_backward_that_is_linear(backward, dtype):
    found = result(backward, dtype=dtype, checks=["contracts"])
    assert contract_of(found, "linear-in-cotangent").verdict is Verdict.PASS, found.contracts
    assert contract_of(found, "zero-cotangent").verdict is Verdict.PASS


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("backward", ["clipped_at_ten", "of_its_sign", "guided", "averaged_over_what_is_not_zero"])
def test_half_precision_shows_what_is_large_enough_for_it(backward, seed):
    found = result(backward, dtype="float16", checks=["contracts"], seed=seed)
    assert contract_of(found, "linear-in-cotangent").verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        ("normalized", "8 of 8 entries of dw that are not 0: nan"),
        ("pushed_off_zero", "12 of 12 entries of dx that are not 0"),
        ("with_weight_decay", "8 of 8 entries of dw that are not 0"),
        ("refuses_zero", "backward raises for a cotangent of zeros: ZeroDivisionError: the cotangent has no norm"),
    ],
)
def test_backward_that_makes_something_of_nothing(backward, said):
    broken = contract_of(result(backward, checks=["contracts"]), "zero-cotangent")
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert said in broken.message


@pytest.mark.parametrize("kind", ["ones", "mean", "single"])
def test_code_that_was_promised_one_cotangent_alone_is_given_no_other(kind):
    found = result("affine_backward", cotangent=kind)
    assert {"linear-in-cotangent", "zero-cotangent"}.isdisjoint(item.code for item in found.contracts)


def vanishing(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p, p


def vanishing_backward(dout, p):
    return p * (dout - (dout * p).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_gradients_that_are_all_rounding_are_linear_as_far_as_anyone_can_tell(dtype, seed):
    found = verified(
        functions=functions(MODULE, "vanishing", "vanishing_backward"),
        inputs={"x": {"shape": [5, 7], "std": 100.0}},
        checks=["contracts"],
        dtype=dtype,
        seed=seed,
    )
    assert contract_of(found, "linear-in-cotangent").verdict is Verdict.PASS, found.contracts


class Updating:
    def __init__(self):
        self.w = np.linspace(-1, 1, 20).reshape(4, 5)

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout, learning_rate):
        dx = dout @ self.w.T
        self.w -= learning_rate * (self.x.T @ dout)
        return dx


class Clipping(Updating):
    def backward(self, dout, learning_rate):
        return super().backward(np.clip(dout, -10, 10), learning_rate)


def test_gradients_that_are_taken_off_are_not_scaled_beyond_their_parameters():
    found = verified(object=f"{MODULE}:Updating()", inputs={"x": [3, 4]})
    assert contract_of(found, "linear-in-cotangent").verdict is Verdict.PASS
    assert contract_of(found, "zero-cotangent").verdict is Verdict.PASS
    assert found.verdict is Verdict.PASS
    found = verified(object=f"{MODULE}:Clipping()", inputs={"x": [3, 4]})
    assert contract_of(found, "linear-in-cotangent").message.startswith("dx is not linear in the cotangent: ")


def centred(x):
    return x - x.mean(axis=0), x


def leaving_a_sum_that_vanishes(dout, x):
    """Adds a term that is 0 in exact arithmetic, whatever the cotangent, as graphs of batch normalization have one."""
    return dout - dout.mean(axis=0) + (x - x.mean(axis=0)).sum(axis=0)


def leaving_more(dout, x):
    return dout - dout.mean(axis=0) + 1e-9 * x.sum(axis=0)


@pytest.mark.parametrize(
    ("backward", "verdict"), [("leaving_a_sum_that_vanishes", Verdict.PASS), ("leaving_more", Verdict.FAIL)]
)
def test_what_is_left_without_a_cotangent_may_be_rounding(backward, verdict):
    inputs = {"x": {"shape": [7, 4], "mean": 100.0}}
    found = verified(functions=functions(MODULE, "centred", backward), inputs=inputs, checks=["contracts"])
    assert contract_of(found, "zero-cotangent").verdict is verdict
    assert contract_of(found, "linear-in-cotangent").verdict is verdict
