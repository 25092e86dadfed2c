"""Every way in which people let forward and backward return things, and what they may do to their arguments."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.errors import TargetError
from gradverify.spec.calls import read_call
from gradverify.targets.functions import FunctionPair
from gradverify.targets.reading import read_forward, read_gradients

OUT, CACHE = np.array([1.0, 2.0]), {"x": 3}
NAMES = ("x", "y", "w")
DIFFERENTIABLE = ("x", "w")
DX, DW = np.array([1.0]), np.array([2.0])


@pytest.mark.parametrize(
    ("result", "returns", "outputs", "cache"),
    [
        (OUT, None, [OUT], None),
        ([1.0, 2.0], None, [OUT], None),
        (2.0, None, [np.array(2.0)], None),
        ((OUT, CACHE), None, [OUT], CACHE),
        ((OUT, None), None, [OUT], None),
        ([OUT, CACHE], ("out", "cache"), [OUT], CACHE),
        (OUT, ("out",), [OUT], None),
        ((CACHE, OUT), ("cache", "out"), [OUT], CACHE),
        ((OUT, "ignored", CACHE), ("out", "_", "cache"), [OUT], CACHE),
        ((OUT, 1, 2, CACHE), ("out", "_", "_", "cache"), [OUT], CACHE),
        ((OUT, 3 * OUT, CACHE), ("out", "out2", "cache"), [OUT, 3 * OUT], CACHE),
        (((OUT, 3 * OUT), CACHE), None, [OUT, 3 * OUT], CACHE),
        (([OUT, 3 * OUT], CACHE), None, [OUT, 3 * OUT], CACHE),
        (((OUT, 3 * OUT), CACHE), ("out", "cache"), [OUT, 3 * OUT], CACHE),
        ((np.arange(3), CACHE), None, [np.arange(3.0)], CACHE),
        ((np.array([True, False]), CACHE), None, [np.array([1.0, 0.0])], CACHE),
    ],
)
def test_forward_is_read(result, returns, outputs, cache):
    found = read_forward(result, returns)
    assert len(found.outputs) == len(outputs)
    for got, wanted in zip(found.outputs, outputs, strict=True):
        np.testing.assert_array_equal(got, wanted)
        assert got.dtype == np.float64
    assert found.cache == cache
    assert found.has_cache == (isinstance(result, tuple) if returns is None else "cache" in returns)
    assert not found.has_gradient


def test_gradients_that_a_loss_returns_flat_are_read():
    found = read_forward((2.0, DX, DW), ("out", "grad", "grad2"))
    assert found.summed
    assert read_gradients(found.gradient, NAMES, DIFFERENTIABLE).values == {"x": DX, "w": DW}


def test_gradient_that_a_loss_returns_is_read():
    found = read_forward((2.0, DX), ("out", "grad"))
    assert found.has_gradient
    assert not found.has_cache
    assert found.gradient is DX


@pytest.mark.parametrize(
    ("result", "returns", "message"),
    [
        ((1, 2, 3), None, "forward returned a tuple of 3, expected an array or (out, cache)"),
        ((), None, "forward returned a tuple of 0"),
        ((OUT, 1), ("out", "out2", "cache"), "forward returned 2 values, expected 3: out, out2, cache"),
        (OUT, ("out", "cache"), "forward returned 1 values, expected 2: out, cache"),
        ("text", None, "forward returned a str, expected an array of numbers"),
        (None, None, "forward returned a NoneType, expected an array of numbers"),
        (np.array(["a"]), None, "forward returned a ndarray of dtype <U1, expected an array of numbers"),
        ([[1.0], [1.0, 2.0]], None, "forward returned a list that is no array of numbers"),
        ({"out": OUT}, None, "forward returned a dict, expected an array of numbers"),
    ],
)
def test_forward_that_cannot_be_read_says_why(result, returns, message):
    with pytest.raises(TargetError) as caught:
        read_forward(result, returns)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "result",
    [
        (DX, DW),
        [DX, DW],
        (DX, None, DW),
        [DX, None, DW],
        {"x": DX, "w": DW},
        {"dx": DX, "dw": DW},
        {"x": DX, "dw": DW},
        {"dw": DW, "dx": DX},
        {"dx": DX, "dy": None, "dw": DW},
        {"dx": DX, "dw": DW, "other": 1},
    ],
)
def test_gradients_are_read(result):
    found = read_gradients(result, NAMES, DIFFERENTIABLE)
    assert found.problem is None
    assert list(found.values) == ["x", "w"]
    assert found.values["x"] is DX
    assert found.values["w"] is DW


def test_one_array_is_the_gradient_of_one_input():
    assert read_gradients(DX, ("x",), ("x",)).values == {"x": DX}
    assert read_gradients(DX, ("x", "y"), ("x",)).values == {"x": DX}
    assert read_gradients((DX, None), ("x", "y"), ("x",)).values == {"x": DX}


def test_name_itself_goes_before_its_d_form():
    assert read_gradients({"x": DX, "dx": DW}, ("x", "dx"), ("x",)).values["x"] is DX
    assert read_gradients({"x": DX, "dx": DW}, ("x",), ("x",)).values["x"] is DX


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (DX, "backward returned 1 gradients, expected 2: x, w"),
        ((DX, DW, DX), "backward returned 3 gradients, expected 2: x, w"),
        ((DX, DW, DX, DX), "backward returned 4 gradients, expected 2: x, w"),
        ((), "backward returned 0 gradients, expected 2: x, w"),
        ({"dx": DX}, "backward returned no gradient for w"),
        ({"dx": DX, "dww": DW}, "backward returned no gradient for w; expected one of dww"),
        ({}, "backward returned no gradient for x, w"),
    ],
)
def test_gradients_in_the_wrong_number_or_by_the_wrong_name(result, problem):
    assert read_gradients(result, NAMES, DIFFERENTIABLE).problem == problem


def pair(forward, backward, params=None, **options):
    return FunctionPair(forward, backward, params or {}, ("x",), **options)


def both(target, x, weight):
    forward = target.forward({"x": x})
    return forward, target.backward((weight,), forward, {"x": x})


def test_params_are_fresh_copies_in_every_call():
    seen = []

    def forward(x, options):
        seen.append(dict(options))
        options["momentum"] = 7
        options["state"].append(1)
        return x, options

    params = {"options": {"state": [], "momentum": 0.9}}
    target = pair(forward, lambda dout, _: dout, params)
    for _ in range(2):
        target.forward({"x": OUT})
    assert seen[1]["momentum"] == 0.9
    assert params == {"options": {"state": [], "momentum": 0.9}}


def test_inputs_cotangents_and_params_are_not_changed_by_what_functions_do_to_them():
    def forward(x, scale):
        scale[0] = -1.0
        x *= 0
        return x, x

    def backward(dout, _):
        dout += 1
        return dout

    x, weight, params = OUT.copy(), np.array([3.0, 4.0]), {"scale": [2.0]}
    _, gradients = both(pair(forward, backward, params), x, weight)
    np.testing.assert_array_equal(x, OUT)
    np.testing.assert_array_equal(weight, [3.0, 4.0])
    assert params == {"scale": [2.0]}
    np.testing.assert_array_equal(gradients.values["x"], [4.0, 5.0])


def test_output_that_is_the_input_or_one_buffer_is_kept_apart():
    buffer = np.zeros(2)

    def forward(x):
        np.multiply(x, 2, out=buffer)
        return buffer

    target = pair(forward, None)
    first = target.forward({"x": OUT}).outputs[0]
    target.forward({"x": 5 * OUT})
    np.testing.assert_array_equal(first, 2 * OUT)
    own = pair(lambda x: x, None).forward({"x": OUT}).outputs[0]
    own[0] = 99
    np.testing.assert_array_equal(OUT, [1.0, 2.0])


def test_backward_without_cache_gets_inputs_and_params():
    target = pair(lambda x, factor: factor * x, lambda dout, x, factor: dout * factor + 0 * x, {"factor": 3})
    _, gradients = both(target, OUT, np.ones(2))
    np.testing.assert_array_equal(gradients.values["x"], [3.0, 3.0])


def test_cache_of_none_is_still_a_cache():
    got = []
    target = pair(lambda x: (x, None), lambda *arguments: got.append(arguments) or arguments[0])
    both(target, OUT, np.ones(2))
    assert len(got[0]) == 2
    assert got[0][1] is None


def test_several_cotangents_come_before_the_cache():
    got = []
    target = pair(lambda x: ((x, 2 * x), "cache"), lambda *arguments: got.append(arguments) or arguments[0])
    forward = target.forward({"x": OUT})
    target.backward((OUT, 5 * OUT), forward, {"x": OUT})
    np.testing.assert_array_equal(got[0][1], 5 * OUT)
    assert got[0][2] == "cache"


def test_gradient_of_a_loss_needs_no_backward_and_calls_are_counted():
    target = pair(lambda x: (np.sum(x), np.ones(2)), None, returns=("out", "grad"))
    _, gradients = both(target, OUT, np.ones(()))
    np.testing.assert_array_equal(gradients.values["x"], [1.0, 1.0])
    assert (target.calls.forward, target.calls.backward) == (1, 0)


def test_neither_backward_nor_gradient_is_an_error():
    target = pair(lambda x: x, None)
    with pytest.raises(TargetError, match="there is no backward function"):
        both(target, OUT, np.ones(2))


def test_trusted_functions_get_the_arrays_themselves():
    got = []
    target = pair(lambda x: got.append(x) or x, None, trusted=True)
    assert target.forward({"x": OUT}).outputs[0] is OUT
    assert got[0] is OUT


SLOPE = np.array(1.0)


def sloped(x):
    return x * SLOPE, x


def sloped_backward(dout, x):
    return dout * SLOPE, (dout * x).sum()


def test_global_names_are_set_before_each_call():
    pair = FunctionPair(sloped, sloped_backward, {}, ("x", "SLOPE"), global_names=("SLOPE",))
    inputs = {"x": np.arange(3.0), "SLOPE": np.array(5.0)}
    forward = pair.forward(inputs)
    np.testing.assert_array_equal(forward.outputs[0], [0.0, 5.0, 10.0])
    gradients = pair.backward((np.ones(3),), forward, inputs).values
    np.testing.assert_array_equal(gradients["x"], [5.0] * 3)
    assert gradients["SLOPE"] == 3.0
    with pytest.raises(TargetError, match="expected a function written in Python"):
        FunctionPair(np.tanh, None, {}, ("x",), global_names=("x",)).forward(inputs)


def test_outputs_whose_cotangent_the_call_leaves_out_have_none():
    call = read_call("m:b(dout, out2)")
    pair = FunctionPair(
        lambda x: (x, 2 * x),
        lambda dout, second: dout + 0 * second,
        {},
        ("x",),
        ("out", "out2"),
        arguments=(None, call.arguments),
    )
    forward = pair.forward({"x": np.ones(3)})
    assert (forward.summed, forward.unweighted) == (False, {1})
