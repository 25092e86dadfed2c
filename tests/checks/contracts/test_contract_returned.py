"""Contracts about what backward returned, each with a layer that keeps it and one that breaks it."""

# ruff: noqa: ARG001  layers take what they are given

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import contract_of, functions, verified

from gradverify.results import Severity, Verdict
from gradverify.spec.contract_table import CONTRACTS, OF_A_KIND


def square(x):
    return x**2, x


def right(dout, x):
    return 2 * x * dout


def as_dict(dout, x):
    return {"dx": right(dout, x)}


def one_too_many(dout, x):
    return right(dout, x), dout


def none_at_all(dout, x):
    return None


def wrongly_named(dout, x):
    return {"dxx": right(dout, x)}


def transposed(dout, x):
    return right(dout, x).T


def flattened(dout, x):
    return right(dout, x).ravel()


def complex_valued(dout, x):
    return right(dout, x).astype(complex)


def integral(dout, x):
    return np.rint(right(dout, x)).astype(int)


def boolean(dout, x):
    return right(dout, x) > 0


def widened(dout, x):
    return right(dout, x).astype(np.float64)


def narrowed(dout, x):
    return right(dout, x).astype(np.float32)


def not_a_number(dout, x):
    dx = right(dout, x)
    dx[0, 0] = np.nan
    return dx


def infinite_forward(x):
    out = x.copy()
    out[0, 0] = np.inf
    return out, x


def result(backward, forward="square", dtype="float64"):
    return verified(functions=functions("test_contract_returned", forward, backward), inputs={"x": [2, 3]}, dtype=dtype)


@pytest.mark.parametrize("backward", ["right", "as_dict"])
def test_layer_that_keeps_every_contract(backward):
    found = result(backward)
    assert found.verdict is Verdict.PASS
    elsewhere = {"coverage", "agreement", "parameters-unchanged", *OF_A_KIND}
    codes = [code for code in CONTRACTS if code not in elsewhere]
    assert [item.code for item in found.contracts] == codes
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}
    assert {item.severity for item in found.contracts} == {Severity.FAILURE}


@pytest.mark.parametrize(
    ("code", "backward", "message"),
    [
        ("arity", "one_too_many", "backward returned 2 gradients, expected 1: x"),
        ("arity", "none_at_all", "the gradient of x is None, expected an array"),
        ("arity", "wrongly_named", "backward returned no gradient for x; expected one of dxx"),
        ("shape", "transposed", "dx has shape [3, 2], expected [2, 3]"),
        ("shape", "flattened", "dx has shape [6], expected [2, 3]"),
        ("dtype", "complex_valued", "dx is complex128, expected float64"),
        ("dtype", "integral", "dx is int64, expected float64"),
        ("dtype", "boolean", "dx is bool, expected float64"),
        ("finite", "not_a_number", "1 of 6 entries of dx are not finite"),
    ],
)
def test_layer_that_breaks_a_contract(code, backward, message):
    found = result(backward)
    broken = contract_of(found, code)
    assert (broken.verdict, broken.severity, broken.message) == (Verdict.FAIL, Severity.FAILURE, message)
    assert (found.verdict, found.reason) == (Verdict.FAIL, message)


def test_gradient_of_a_wrong_shape_fails_with_nothing_compared():
    (check,) = result("transposed").gradients
    assert (check.verdict, check.compared, check.elements) == (Verdict.FAIL, 0, 6)
    assert check.reason == "the gradient has shape [3, 2], expected [2, 3]"


@pytest.mark.parametrize(
    ("backward", "dtype", "message"),
    [
        ("widened", "float32", "dx is float64, its input is float32"),
        ("narrowed", "float64", "dx is float32, its input is float64"),
    ],
)
def test_another_precision_is_a_warning_and_no_failure(backward, dtype, message):
    found = result(backward, dtype=dtype)
    warned = contract_of(found, "dtype")
    assert (warned.verdict, warned.severity, warned.message) == (Verdict.FAIL, Severity.WARNING, message)
    assert found.verdict is Verdict.PASS


def test_output_that_is_not_finite_fails_before_backward_is_called():
    found = result("right", forward="infinite_forward")
    assert found.verdict is Verdict.FAIL
    assert found.reason == "1 of 6 entries of output 1 are not finite"
    assert (found.forward_evaluations, found.backward_evaluations, found.gradients) == (1, 0, ())
