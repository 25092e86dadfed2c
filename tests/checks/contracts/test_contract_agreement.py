"""The contract that implementations of a layer agree."""

from __future__ import annotations

import numpy as np
from spec_cases import contract_of

from gradverify.layers import registry
from gradverify.results import Verdict

AFFINE = {"x": [4, 3], "w": [3, 2], "b": [2]}


def agreeing(monkeypatch, forward="affine_forward", backward="affine_backward"):
    """Verify affine in two implementations, the second one made of these functions."""
    row = registry.LAYERS["affine"]
    module = forward_module = "gradverify.layers.affine"
    if hasattr(np, forward) or forward in globals():
        forward_module = "test_contract_agreement"
    backward_module = "test_contract_agreement" if backward in globals() else module
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
    assert contract_of(found, "agreement").verdict is Verdict.PASS
    assert found.verdict is Verdict.PASS


def test_other_outputs_break_agreement_though_gradients_are_right(monkeypatch):
    found = agreeing(monkeypatch, forward="shifted_forward")
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert contract_of(found, "agreement").message.endswith(", off by 1 (8 of 8 entries differ)")
    assert found.verdict is Verdict.FAIL


def test_agreement_is_to_rounding_where_gradients_are_to_tolerance(monkeypatch):
    found = agreeing(monkeypatch, backward="slightly_other_backward")
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert contract_of(found, "agreement").message.startswith("dw is ")
    assert found.verdict is Verdict.FAIL
