"""The contract about layouts: layers that read arrays otherwise than they are, or refuse some."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import contract_of, functions, verified

from gradverify.checks.contracts.layout import lying
from gradverify.results import Severity, Verdict

MODULE = "test_contract_layout"


def square(x):
    return x**2, x


def square_backward(dout, x):
    return 2 * x * dout


def lost_writes(dout, x):
    dx = np.zeros_like(x)  # in the order of x
    dx.reshape(-1)[:] = (2 * x * dout).ravel()  # a view, or a copy that is lost
    return dx


def in_memory_order(dout, x):
    return (2 * x.ravel(order="K") * dout.ravel(order="K")).reshape(x.shape)


def whole_buffer(dout, x):
    base = x if x.base is None else x.base
    return 2 * base.ravel()[: x.size].reshape(x.shape) * dout


def windows(x):
    """As a course has it: strides are those of C order, which padding makes of all but Fortran order."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    _, channels, length = padded.shape
    steps = np.array([channels * length, length, 1, 1]) * padded.itemsize
    seen = np.lib.stride_tricks.as_strided(padded, (*x.shape, 3), steps)
    return np.ascontiguousarray(seen).sum(axis=-1), x.shape


def windows_backward(dout, shape):
    dx = np.zeros((shape[0], shape[1], shape[2] + 2), dout.dtype)
    for offset in range(3):
        dx[:, :, offset : offset + shape[2]] += dout
    return dx[:, :, 1:-1]


def refuses_strides(dout, x):
    if any(step < 0 for step in x.strides):
        raise ValueError("negative strides are not supported")
    return 2 * x * dout


def makes_writable(dout, x):
    x.flags.writeable = True
    dout += 0.0
    return 2 * x * dout


def reshapes_in_place(x):
    flat = x
    flat.shape = (x.size,)
    return (flat**2).reshape(3, 4), flat.reshape(3, 4)


def result(backward, forward="square", **entry):
    return verified(functions=functions(MODULE, forward, backward), inputs={"x": [3, 4]}, **entry)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "longdouble"])
@pytest.mark.parametrize(
    ("backward", "said"),
    [
        ("lost_writes", "Fortran-ordered arrays give other results: dx differs by "),
        ("in_memory_order", "Fortran-ordered arrays give other results: dx differs by "),
        (
            "whole_buffer",
            "non-contiguous arrays (every other entry of a larger one) give other results: dx ",
        ),
        ("whole_buffer", "arrays with negative strides give other results: dx differs by "),
    ],
)
def test_layer_that_reads_arrays_as_they_are_not(backward, said, dtype):
    found = result(backward, dtype=dtype)
    broken = contract_of(found, "layout")
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert said in broken.message
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert (found.verdict, found.reason) == (Verdict.FAIL, broken.message)


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        ("refuses_strides", "it refuses arrays with negative strides: ValueError: negative strides are not supported"),
        ("makes_writable", "it refuses read-only arrays: ValueError: "),
    ],
)
def test_layer_that_refuses_a_layout_is_warned_of(backward, said):
    found = result(backward)
    warned = contract_of(found, "layout")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert warned.message.startswith(said)
    assert ";" not in warned.message
    assert found.verdict is Verdict.PASS


def test_windows_that_forget_fortran_order_alone_are_warned_of():
    found = verified(functions=functions(MODULE, "windows", "windows_backward"), inputs={"x": [2, 3, 4]})
    warned = contract_of(found, "layout")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert warned.message.startswith("Fortran-ordered arrays give other results: the output differs by ")
    assert found.verdict is Verdict.PASS


def test_lost_writes_are_failures_with_more_axes_too():
    found = verified(functions=functions(MODULE, "square", "lost_writes"), inputs={"x": [2, 3, 4]})
    assert contract_of(found, "layout").severity is Severity.FAILURE


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "longdouble"])
def test_layer_that_takes_arrays_as_they_come(dtype):
    assert contract_of(result("square_backward", dtype=dtype), "layout").verdict is Verdict.PASS


@pytest.mark.parametrize(
    "names", [(), ("fortran",), ("transposed",), ("strided",), ("reversed",), ("strided", "reversed"), ("read-only",)]
)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (2, 3, 4), (0, 2)])
@pytest.mark.parametrize("dtype", ["float32", "int64"])
def test_an_array_that_lies_otherwise_holds_the_same(names, shape, dtype):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    made = lying(array, names)
    assert np.array_equal(made, array)
    assert made.dtype == array.dtype
    assert not np.may_share_memory(made, array)
    assert made.flags.writeable == ("read-only" not in names)
    if made.size > 1 and len(shape) > 1:
        assert made.flags.c_contiguous == (names in {(), ("read-only",)})
        assert made.flags.f_contiguous == (names == ("fortran",) or (names == ("transposed",) and len(shape) == 2))
        assert (made.strides[-1] < 0) == ("reversed" in names)
