"""Contracts of what torch differentiates, and of functions that compute with tensors: wrong ones beside right ones."""

from __future__ import annotations

import pytest
from spec_cases import contract_of, verified

from gradverify.results import Severity, Verdict

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")

MODULE = "test_contract_torch"
OWN = torch.Generator().manual_seed(7)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return 2 * x * dout


class ChangesCotangent(Square):
    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return dout.mul_(2 * x)


class Clips(Square):
    @staticmethod
    def backward(ctx, dout):
        return Square.backward(ctx, dout).clamp(-1e3, 1e3)


class Decays(Square):
    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return Square.backward(ctx, dout) + 1e-9 * x


class NeedsRows(Square):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.view(-1).view(x.shape) ** 2


class Redraws(Square):
    @staticmethod
    def forward(ctx, x):
        mask = torch.rand(x.shape, generator=OWN) > 0.5
        ctx.save_for_backward(x * mask)
        return x**2 * mask


def dropout(x):
    return torch.nn.functional.dropout(x, 0.5)


def kept(x):
    return x**2, x


def of_kept(dout, x):
    return 2 * x * dout


def into_cotangent(dout, x):
    return dout.mul_(2 * x)


def into_input(x):
    before = x.clone()
    x.zero_()
    return before**2, before


def of_class(name, **entry):
    return verified(torch=f"{MODULE}:{name}", inputs={"x": [3, 4]}, **entry)


def of_functions(forward, backward):
    target = {"forward": f"{MODULE}:{forward}", "backward": f"{MODULE}:{backward}", "arrays": "torch"}
    return verified(functions=target, inputs={"x": [3, 4]})


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("ChangesCotangent", "cotangent-unchanged", "backward changes 12 of 12 entries of dout"),
        ("Clips", "linear-in-cotangent", "dx is not linear in the cotangent: times -2^60 it gives "),
        ("Decays", "zero-cotangent", "a cotangent of zeros gives 12 of 12 entries of dx that are not 0"),
        ("Redraws", "forward-deterministic", "the output differs by "),
    ],
)
def test_function_of_torch_that_breaks_a_contract(name, code, said):
    found = of_class(name)
    broken = contract_of(found, code)
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert broken.message.startswith(said)
    assert found.verdict is Verdict.FAIL


def test_function_of_torch_that_refuses_a_layout_is_warned_of():
    found = of_class("NeedsRows")
    warned = contract_of(found, "layout")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert warned.message.startswith("it refuses Fortran-ordered arrays: RuntimeError: view size is not compatible")
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["Square", "dropout", "torch.nn.functional.softplus"])
def test_function_of_torch_that_keeps_every_contract(name):
    call = name if "." not in name else "torch.nn.functional:softplus"
    found = verified(torch=call if ":" in call else f"{MODULE}:{call}", inputs={"x": [3, 4]})
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}, found.contracts
    codes = {item.code for item in found.contracts}
    assert codes.isdisjoint({"input-unchanged", "backward-twice", "stale-cache"})
    assert ("layout" in codes) == (name != "dropout")  # a mask is drawn in the order of memory


@pytest.mark.parametrize(
    ("forward", "backward", "code"),
    [("into_input", "of_kept", "input-unchanged"), ("kept", "into_cotangent", "cotangent-unchanged")],
)
def test_functions_on_tensors_share_the_memory_that_is_looked_at(forward, backward, code):
    broken = contract_of(of_functions(forward, backward), code)
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)


def test_functions_on_tensors_that_keep_every_contract():
    found = of_functions("kept", "of_kept")
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}, found.contracts
    assert contract_of(found, "layout").message.startswith("the same for non-contiguous arrays")


def test_a_module_that_keeps_its_buffers_keeps_every_contract():
    found = verified(torch="torch.nn:BatchNorm1d(4)", inputs={"x": [5, 4]})
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}, found.contracts
    assert contract_of(found, "parameters-unchanged").verdict is Verdict.PASS
