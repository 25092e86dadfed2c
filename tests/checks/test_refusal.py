"""What a battery asks and a layer will not do: a refusal is skipped, a crash is an error, nonsense fails."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases, functions

from gradverify.checks.case import verify
from gradverify.results import Verdict

HERE = "test_refusal"


def pool(x, size, stride):
    rows, columns = (x.shape[2] - size) // stride + 1, (x.shape[3] - size) // stride + 1
    out = np.empty((*x.shape[:2], rows, columns))
    for k, j in np.ndindex(rows, columns):
        out[:, :, k, j] = x[:, :, k * stride : k * stride + size, j * stride : j * stride + size].mean(axis=(2, 3))
    return out, (x, size, stride)


def pool_backward(dout, cache):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for k, j in np.ndindex(dout.shape[2:]):
        share = dout[:, :, k : k + 1, j : j + 1] / size**2
        dx[:, :, k * stride : k * stride + size, j * stride : j * stride + size] += share
    return dx


def asserting(x, size, stride):
    assert (x.shape[2] - size) % stride == 0, "the stride must divide"
    return pool(x, size, stride)


def raising(x, size, stride):
    if stride < size:
        raise ValueError(f"windows overlap: stride {stride} is below {size}")
    return pool(x, size, stride)


def not_written(x, size, stride):
    if stride != size:
        raise NotImplementedError
    return pool(x, size, stride)


def crashing(x, size, stride):
    if stride < size:
        np.zeros(3) + np.zeros(4)  # what NumPy raises is a ValueError as well
    return pool(x, size, stride)


def stacking(x, size, stride):
    if stride < size:
        np.stack([np.zeros(3), np.zeros(4)])  # raised by a line of NumPy that is written in Python
    return pool(x, size, stride)


def typed(x, size, stride):
    if stride < size:
        raise TypeError("no")
    return pool(x, size, stride)


def backward_asserting(dout, cache):
    assert cache[2] >= cache[1], "shapes"
    return pool_backward(dout, cache)


def backward_not_written(dout, cache):
    if cache[2] < cache[1]:
        raise NotImplementedError("overlap")
    return pool_backward(dout, cache)


def two_axes_only(x):
    return x @ np.ones((x.shape[1], 1)), x


def verdicts(forward, backward, rows):
    entry = {
        "functions": functions(HERE, forward, backward),
        "battery": {"layer": "avgpool2d", "rows": rows},
        "params": {"size": "$kernel_size", "stride": "$stride"},
    }
    found = [verify(case) for case in cases(entry)]
    return {item.battery.row: (item.verdict, item.reason) for item in found}


@pytest.mark.parametrize(
    ("forward", "row", "said"),
    [
        ("asserting", "unread", "refused: AssertionError: the stride must divide"),
        ("raising", "overlap", "refused: ValueError: windows overlap: stride 2 is below 3"),
        ("not_written", "gaps", "refused: NotImplementedError"),
    ],
)
def test_a_refusal_is_skipped_with_its_message(forward, row, said):
    found = verdicts(forward, "pool_backward", [row, "halves"])
    assert found[row][0] is Verdict.SKIP
    assert found[row][1].startswith(said)
    assert "test_refusal.py, line " in found[row][1]
    assert f"in {forward})" in found[row][1]
    assert found["halves"][0] is Verdict.PASS


@pytest.mark.parametrize("forward", ["crashing", "stacking", "typed"])
def test_a_crash_is_no_refusal(forward):
    found = verdicts(forward, "pool_backward", ["overlap", "halves"])
    assert found["overlap"][0] is Verdict.ERROR
    assert found["halves"][0] is Verdict.PASS


def test_a_forward_pass_that_answered_owes_its_gradient():
    assert verdicts("pool", "backward_asserting", ["overlap"])["overlap"][0] is Verdict.ERROR
    verdict, said = verdicts("pool", "backward_not_written", ["overlap"])["overlap"]
    assert verdict is Verdict.SKIP
    assert said.startswith("refused: NotImplementedError: overlap (")


def test_outside_a_battery_nothing_is_refused():
    entry = {
        "functions": functions(HERE, "asserting", "pool_backward"),
        "inputs": {"x": [1, 1, 5, 5]},
        "params": {"size": 2, "stride": 2},
    }
    (case,) = cases(entry)
    assert verify(case).verdict is Verdict.ERROR


def matrix(x, w, b):
    return x @ w + b, (x, w)


def matrix_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def test_what_was_not_promised_may_be_refused_in_any_way():
    entry = {"functions": functions(HERE, "matrix", "matrix_backward"), "battery": "affine"}
    found = {item.battery.row: item for item in map(verify, cases(entry))}
    assert found["images"].verdict is Verdict.SKIP
    assert found["images"].reason.startswith("not promised, and not taken: ValueError: matmul")
    assert found["usual"].verdict is Verdict.PASS


def flattened(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def flattened_backward(dout, cache):
    x, w = cache
    return dout @ w.T + 0 * x, x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)  # images do not fit the sum


def test_a_backward_pass_that_breaks_is_no_refusal_of_what_was_not_promised():
    entry = {"functions": functions(HERE, "flattened", "flattened_backward"), "battery": "affine"}
    found = {item.battery.row: item for item in map(verify, cases(entry))}
    assert found["images"].verdict is Verdict.ERROR
    assert found["usual"].verdict is Verdict.PASS


def reversed_images(x, w, b):
    return x[..., ::-1].reshape(len(x), -1) @ w + b, (x, w)


def reversed_backward(dout, cache):
    x, w = cache
    dx = (dout @ w.T).reshape(x.shape)[..., ::-1]
    return dx, x[..., ::-1].reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def test_another_function_where_nothing_was_promised_is_skipped():
    entry = {
        "functions": functions(HERE, "reversed_images", "reversed_backward"),
        "battery": "affine",
        "reference": "affine",
    }
    found = {item.battery.row: item for item in map(verify, cases(entry))}
    assert found["images"].verdict is Verdict.SKIP
    assert found["images"].reason.startswith("not promised, and another function: ")
    assert found["usual"].verdict is Verdict.FAIL
