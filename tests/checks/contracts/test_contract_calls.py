"""Contracts about calling more than once, each with a layer that breaks it beside one that keeps it."""

# ruff: noqa: ARG001  layers take what they are given

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import contract_of, functions, verified

from gradverify.results import Severity, Verdict

MODULE = "test_contract_calls"
OWN = np.random.default_rng()
LAST = {}
TOTAL = {"calls": 0}


def square(x):
    return x**2, x


def square_backward(dout, x):
    return 2 * x * dout


def scaled(x, w):
    return x * w, (x, w)


def scaled_backward(dout, cache):
    x, w = cache
    return dout * w, (dout * x).sum(axis=0)


# -- forward-deterministic


def noisy(x):
    mask = OWN.random(x.shape) > 0.5
    return x * mask, mask


def noisy_backward(dout, mask):
    return dout * mask


def seeded(x):
    mask = np.random.rand(*x.shape) > 0.5  # noqa: NPY002  the global generator is seeded before each pass
    return x * mask, mask


def counting(x):
    TOTAL["calls"] += 1
    return x * TOTAL["calls"], TOTAL["calls"]


def counting_backward(dout, count):
    return dout * count


def raises_again(x):
    TOTAL["calls"] += 1
    if TOTAL["calls"] > 1:
        raise RuntimeError("once is enough")
    return x**2, x


# -- backward-deterministic


def redraws(dout, x):
    return 2 * x * dout * (OWN.random(x.shape) > 0.5)


def raises_then(dout, x):
    TOTAL["calls"] += 1
    if TOTAL["calls"] > 2:
        raise RuntimeError("out of tape")
    return 2 * x * dout


# -- backward-twice


def accumulating(x):
    return np.tanh(x), (x, np.zeros_like(x))


def accumulating_backward(dout, cache):
    x, dx = cache
    dx += dout * (1 - np.tanh(x) ** 2)
    return dx


def with_table(x):
    return x**2, {"x": x.copy()}


def consuming_backward(dout, cache):
    return 2 * cache.pop("x") * dout


def overwriting_backward(dout, cache):
    x = cache["x"]
    x *= 3
    return x * dout


# -- stale-cache


def in_global(x):
    LAST["x"] = x
    return x**2, "the cache is elsewhere"


def from_global(dout, cache):
    return 2 * LAST["x"] * dout


BUFFER = np.zeros((3, 4))


def in_buffer(x):
    BUFFER[...] = x
    return x**2, BUFFER


def positive_first(x):
    if x.flat[0] < 0:
        raise ValueError("the first number must be positive")
    return x**2, x


@pytest.fixture(autouse=True)
def _first_call():
    TOTAL["calls"] = 0


def result(forward, backward, **entry):
    inputs = entry.pop("inputs", {"x": [3, 4]})
    return verified(functions=functions(MODULE, forward, backward), inputs=inputs, **entry)


@pytest.mark.parametrize(
    ("code", "forward", "backward", "said"),
    [
        ("forward-deterministic", "noisy", "noisy_backward", "so no comparison of its gradients means anything"),
        ("forward-deterministic", "counting", "counting_backward", "the output differs by "),
        ("forward-deterministic", "raises_again", "square_backward", "RuntimeError: once is enough"),
        ("backward-deterministic", "square", "redraws", "between two runs of forward and backward on the same inputs"),
        ("backward-deterministic", "square", "raises_then", "RuntimeError: out of tape"),
        ("backward-twice", "accumulating", "accumulating_backward", "dx doubles at the second call: backward adds to"),
        ("backward-twice", "with_table", "consuming_backward", "on its second call: KeyError: 'x'"),
        ("backward-twice", "with_table", "overwriting_backward", "when backward is called again with the same cache"),
        ("stale-cache", "in_global", "from_global", "two passes share what backward reads"),
        ("stale-cache", "in_buffer", "square_backward", "when forward ran on other inputs in between"),
    ],
)
def test_layer_that_breaks_a_contract(code, forward, backward, said):
    found = result(forward, backward, checks=["contracts"])
    broken = contract_of(found, code)
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert said in broken.message
    assert found.verdict is Verdict.FAIL
    first = next(item for item in found.contracts if item.verdict is Verdict.FAIL)
    assert (first.code, found.reason) == (code, first.message)


@pytest.mark.parametrize(
    ("forward", "backward", "inputs"),
    [
        ("square", "square_backward", {"x": [3, 4]}),
        ("scaled", "scaled_backward", {"x": [3, 4], "w": [4]}),
        ("seeded", "noisy_backward", {"x": [3, 4]}),
        ("square", "square_backward", {"x": []}),
        ("square", "square_backward", {"x": {"shape": [3], "init": "ones"}}),
    ],
)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_layer_that_keeps_every_contract(forward, backward, inputs, dtype):
    found = result(forward, backward, inputs=inputs, dtype=dtype)
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}, found.contracts
    assert found.verdict is Verdict.PASS


def test_nothing_is_compared_where_forward_is_another_every_time():
    found = result("noisy", "noisy_backward", checks=["contracts"])
    codes = {item.code for item in found.contracts}
    assert codes.isdisjoint({"backward-deterministic", "stale-cache", "layout"})


def test_a_backward_that_changes_by_itself_is_not_said_to_read_a_stale_cache():
    codes = {item.code for item in result("square", "redraws", checks=["contracts"]).contracts}
    assert "stale-cache" not in codes


def test_other_inputs_that_forward_refuses_are_said_and_break_nothing():
    found = result("positive_first", "square_backward", inputs={"x": {"values": [1.0, 2.0, -3.0]}})
    looked_at = contract_of(found, "stale-cache")
    assert looked_at.verdict is Verdict.SKIP
    assert "the first number must be positive" in looked_at.message
    assert found.verdict is Verdict.PASS


def test_a_function_without_a_cache_promises_nothing_about_caches():
    def codes(**target):
        found = verified(functions=target, inputs={"x": [3, 4]})
        assert found.verdict is Verdict.PASS, found.reason
        return {item.code for item in found.contracts}

    plain = {"forward": f"{MODULE}:plain", "backward": f"{MODULE}:plain_backward"}
    loss = {"forward": f"{MODULE}:loss", "returns": ["out", "grad"]}
    derivative = {"forward": f"{MODULE}:plain", "derivative": f"{MODULE}:plain_derivative"}
    of_caches, of_cotangents = {"backward-twice", "stale-cache"}, {"linear-in-cotangent", "zero-cotangent"}
    assert codes(**plain).isdisjoint(of_caches)
    assert codes(**plain) >= of_cotangents
    assert codes(**loss).isdisjoint(of_caches | of_cotangents | {"cotangent-unchanged"})
    assert codes(**derivative).isdisjoint(of_caches | of_cotangents | {"cotangent-unchanged"})


def plain(x):
    return x**2


def plain_backward(dout, x):
    return 2 * x * dout


def plain_derivative(x):
    return 2 * x


def loss(x):
    return (x**2).sum(), 2 * x


# -- objects


class Square:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dout):
        return 2 * self.x * dout


class OfClass(Square):
    """Every object of the class has the same memory."""

    def forward(self, x):
        OfClass.kept = x
        return x**2

    def backward(self, dout):
        return 2 * OfClass.kept * dout


class Accumulating:
    def __init__(self):
        self.w, self.dw = np.linspace(1, 2, 4), np.zeros(4)

    def forward(self, x):
        self.x = x
        return x * self.w

    def backward(self, dout):
        self.dw += (dout * self.x).sum(axis=0)
        return dout * self.w


class Forgetting(Square):
    def backward(self, dout):
        x, self.x = self.x, None
        return 2 * x * dout


class Kept(Accumulating):
    def zero_grad(self):
        self.dw = np.zeros(4)


def of_object(name, **entry):
    target = entry.pop("target", f"{MODULE}:{name}()")
    return verified(object=target, inputs={"x": [3, 4]}, **entry)


def test_objects_that_share_a_memory_fail():
    found = of_object("OfClass")
    assert found.verdict is Verdict.FAIL
    assert "two objects share what backward reads" in contract_of(found, "stale-cache").message
    assert contract_of(of_object("Square"), "stale-cache").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Accumulating", "dw doubles at the second call: backward adds to what the last call left"),
        ("Forgetting", "backward raises on its second call: TypeError: "),
    ],
)
def test_conventions_of_objects_are_warnings(name, said):
    found = of_object(name)
    warned = contract_of(found, "backward-twice")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert warned.message.startswith(said)
    others = [item for item in found.contracts if item.code != "backward-twice"]
    assert {item.verdict for item in others} == {Verdict.PASS}, others
    assert found.verdict is Verdict.PASS


def test_one_object_for_all_passes_keeps_working():
    target = {"class": f"{MODULE}:Kept()", "reset": "zero_grad()"}
    found = of_object("Kept", target=target)
    assert found.verdict is Verdict.PASS, found.reason
    assert "stale-cache" not in {item.code for item in found.contracts}
    assert contract_of(found, "backward-twice").severity is Severity.WARNING
    assert contract_of(found, "linear-in-cotangent").verdict is Verdict.PASS


# -- tapes, and slow code


class Tensor:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)


def taped(x):
    tensor = Tensor(x)
    return x**2, {"leaves": [tensor]}


def taped_backward(dout, cache):
    (tensor,) = cache["leaves"]
    tensor.grad += 2 * tensor.data * dout
    return tensor.grad


def test_a_tape_adds_to_its_gradients_by_convention():
    found = result("taped", "taped_backward")
    warned = contract_of(found, "backward-twice")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert found.verdict is Verdict.PASS


def test_slow_code_runs_no_more_passes_than_the_spec_asks_for(monkeypatch):
    monkeypatch.setattr("gradverify.checks.contracts.look._SLOW", 0.0)
    found = result("square", "square_backward", checks=["contracts"])
    skipped = {item.code for item in found.contracts if item.verdict is Verdict.SKIP}
    assert skipped >= {"layout", "stale-cache", "linear-in-cotangent"}
    assert skipped.isdisjoint({"finite", "input-unchanged", "arity"})
    assert (found.verdict, found.forward_evaluations, found.backward_evaluations) == (Verdict.PASS, 1, 1)
    asked = result("square", "square_backward", checks=["contracts"], contracts={"layout": "failure"})
    assert contract_of(asked, "layout").verdict is Verdict.PASS


def test_scaled_gradients_are_looked_at_as_they_are_compared():
    found = result("square", "averaged_backward", scale={"x": 12})
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}, found.contracts
    assert found.verdict is Verdict.PASS


def averaged_backward(dout, x):
    return 2 * x * dout / 12
