"""Each contract with a layer that keeps it and one that breaks it."""

# ruff: noqa: ARG001  layers take what they are given

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import functions, verified

from gradverify.layers import registry
from gradverify.results import Severity, Verdict


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
    return verified(functions=functions("test_contracts", forward, backward), inputs={"x": [2, 3]}, dtype=dtype)


def contract(found, code):
    (contract,) = [contract for contract in found.contracts if contract.code == code]
    return contract


@pytest.mark.parametrize("backward", ["right", "as_dict"])
def test_layer_that_keeps_every_contract(backward):
    found = result(backward)
    assert found.verdict is Verdict.PASS
    assert [item.code for item in found.contracts] == ["arity", "shape", "dtype", "finite"]
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
    broken = contract(found, code)
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
    warned = contract(found, "dtype")
    assert (warned.verdict, warned.severity, warned.message) == (Verdict.FAIL, Severity.WARNING, message)
    assert found.verdict is Verdict.PASS


def test_output_that_is_not_finite_fails_before_backward_is_called():
    found = result("right", forward="infinite_forward")
    assert found.verdict is Verdict.FAIL
    assert found.reason == "1 of 6 entries of output 1 are not finite"
    assert (found.forward_evaluations, found.backward_evaluations, found.gradients) == (1, 0, ())


AFFINE = {"x": [4, 3], "w": [3, 2], "b": [2]}


def agreeing(monkeypatch, forward="affine_forward", backward="affine_backward"):
    """Verify affine in two implementations, the second one made of these functions."""
    row = registry.LAYERS["affine"]
    module = forward_module = "gradverify.layers.affine"
    if hasattr(np, forward) or forward in globals():
        forward_module = "test_contracts"
    backward_module = "test_contracts" if backward in globals() else module
    other = registry.Implementation("other", f"{forward_module}:{forward}", f"{backward_module}:{backward}", "")
    changed = type(row)(
        **{name: getattr(row, name) for name in row.__dataclass_fields__ if name != "implementations"},
        implementations=(*row.implementations, other),
    )
    monkeypatch.setitem(registry.LAYERS, "affine", changed)
    from spec_cases import cases  # noqa: PLC0415  the table is changed now

    from gradverify.checks.case import verify  # noqa: PLC0415

    first, second = cases({"layer": "affine", "implementation": "all", "inputs": AFFINE})
    assert verify(first).verdict is Verdict.PASS
    return verify(second)


def shifted_forward(x, w, b):
    from gradverify.layers.affine import affine_forward  # noqa: PLC0415

    out, cache = affine_forward(x, w, b)
    return out + 1.0, cache


def slightly_other_backward(dout, cache):
    from gradverify.layers.affine import affine_backward  # noqa: PLC0415

    dx, dw, db = affine_backward(dout, cache)
    return dx, dw * (1 + 1e-9), db


def test_implementations_that_agree(monkeypatch):
    found = agreeing(monkeypatch)
    assert contract(found, "agreement").verdict is Verdict.PASS
    assert found.verdict is Verdict.PASS


def test_other_outputs_break_agreement_though_gradients_are_right(monkeypatch):
    found = agreeing(monkeypatch, forward="shifted_forward")
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert contract(found, "agreement").message.startswith("out differs by 1, expected at most ")
    assert found.verdict is Verdict.FAIL


def test_agreement_is_to_rounding_where_gradients_are_to_tolerance(monkeypatch):
    found = agreeing(monkeypatch, backward="slightly_other_backward")
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert contract(found, "agreement").message.startswith("w differs by ")
    assert found.verdict is Verdict.FAIL
