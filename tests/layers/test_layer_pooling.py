"""Pooling against plain loops: overlapping, non-dividing and padded windows, and ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradverify.errors import GeometryError
from gradverify.layers import pooling
from gradverify.numerics.geometry import Window, describe_impossible

Pair = tuple[int, int]


def _pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


def _by_loops(x: np.ndarray, dout: np.ndarray, kernel: Pair, stride: Pair, padding: Pair) -> dict[str, np.ndarray]:
    """Pool by walking over every entry of every window, in plain Python; the edges are skipped, not padded."""
    found = {name: np.zeros_like(dout) for name in ("max", "average")}
    gradients = {name: np.zeros_like(x) for name in ("max", "average")}
    for n, c, k, l in np.ndindex(dout.shape):  # noqa: E741  the formula calls it l
        best: tuple[float, Any] = (-np.inf, None)
        for h in range(kernel[0]):
            for w in range(kernel[1]):
                row, column = k * stride[0] + h - padding[0], l * stride[1] + w - padding[1]
                if not (0 <= row < x.shape[2] and 0 <= column < x.shape[3]):
                    continue
                value = x[n, c, row, column]
                found["average"][n, c, k, l] += value / (kernel[0] * kernel[1])
                gradients["average"][n, c, row, column] += dout[n, c, k, l] / (kernel[0] * kernel[1])
                if value > best[0]:
                    best = (value, (n, c, row, column))
        found["max"][n, c, k, l] = best[0]
        gradients["max"][best[1]] += dout[n, c, k, l]
    return {f"{name}_{part}": values[name] for part, values in (("out", found), ("dx", gradients)) for name in values}


@settings(max_examples=80, deadline=None, derandomize=True)
@given(image=_pairs(1, 8), kernel=_pairs(1, 4), stride=_pairs(1, 4), padding=_pairs(0, 3), seed=st.integers(0, 99))
def test_pools_are_the_loops(image: Pair, kernel: Pair, stride: Pair, padding: Pair, seed: int) -> None:
    padding = (min(padding[0], kernel[0] - 1), min(padding[1], kernel[1] - 1))
    windows = [Window(*row[:3], (row[3],) * 2, 1, False) for row in zip(image, kernel, stride, padding, strict=True)]
    assume(all(describe_impossible(window) is None for window in windows))
    # Few values, mostly below zero: ties are common, and a padding of zeros would win.
    x = np.random.default_rng(seed).integers(-4, 1, size=(2, 2, *image)).astype(float)
    params = {"kernel_size": kernel, "stride": stride, "padding": padding}
    highest, max_cache = pooling.maxpool2d_forward(x, **params)
    average, average_cache = pooling.avgpool2d_forward(x, **params)
    dout = np.random.default_rng(seed).normal(size=highest.shape)
    expected = _by_loops(x, dout, kernel, stride, padding)
    np.testing.assert_array_equal(highest, expected["max_out"])
    np.testing.assert_allclose(average, expected["average_out"], rtol=1e-12, atol=1e-14)
    (dx,) = pooling.maxpool2d_backward(dout, max_cache)
    np.testing.assert_allclose(dx, expected["max_dx"], rtol=1e-12, atol=1e-14)
    (dx,) = pooling.avgpool2d_backward(dout, average_cache)
    np.testing.assert_allclose(dx, expected["average_dx"], rtol=1e-12, atol=1e-14)


def test_the_first_maximum_wins_a_tie() -> None:
    x = np.array([[[[1.0, 5.0, 5.0], [5.0, 5.0, 0.0]]]])
    out, cache = pooling.maxpool2d_forward(x, kernel_size=2, stride=1)
    np.testing.assert_array_equal(out, [[[[5, 5]]]])
    (dx,) = pooling.maxpool2d_backward(np.array([[[[1.0, 10.0]]]]), cache)
    np.testing.assert_array_equal(dx, [[[[0, 11, 0], [0, 0, 0]]]])


def test_the_padding_of_a_max_pool_never_wins() -> None:
    x = np.full((1, 1, 2, 2), -7.0)
    out, cache = pooling.maxpool2d_forward(x, kernel_size=2, padding=1)
    np.testing.assert_array_equal(out, np.full((1, 1, 2, 2), -7))
    (dx,) = pooling.maxpool2d_backward(np.ones_like(out), cache)
    np.testing.assert_array_equal(dx, np.ones_like(x))


def test_the_padding_of_an_average_pool_counts() -> None:
    out, _ = pooling.avgpool2d_forward(np.ones((1, 1, 2, 2)), kernel_size=2, padding=1)
    np.testing.assert_array_equal(out, np.full((1, 1, 2, 2), 0.25))


def test_the_stride_is_the_kernel_size_where_none_is_given() -> None:
    x = np.random.default_rng(0).normal(size=(1, 1, 6, 6))
    for forward in (pooling.maxpool2d_forward, pooling.avgpool2d_forward):
        omitted, _ = forward(x, kernel_size=[3, 2])
        given_too, _ = forward(x, kernel_size=[3, 2], stride=(3, 2))
        np.testing.assert_array_equal(omitted, given_too)
        assert omitted.shape == (1, 1, 2, 3)


@pytest.mark.parametrize("forward", [pooling.maxpool2d_forward, pooling.avgpool2d_forward])
@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"kernel_size": 5}, "kernel 5 is larger than the padded input"),
        ({"kernel_size": 2, "padding": 2}, "leaves the first window"),
        ({"kernel_size": 2, "stride": 3, "padding": [1, 2]}, "leaves the first window"),
    ],
)
def test_windows_without_data_are_refused(forward: Any, params: dict[str, Any], reason: str) -> None:
    with pytest.raises(GeometryError, match=reason):
        forward(np.ones((1, 1, 4, 4)), **params)


@pytest.mark.parametrize("forward", [pooling.maxpool2d_forward, pooling.avgpool2d_forward])
def test_nan_reaches_exactly_the_windows_that_hold_it(forward: Any) -> None:
    x = np.random.default_rng(0).normal(size=(1, 1, 6, 6))
    x[0, 0, 2, 3] = np.nan
    out, _ = forward(x, kernel_size=3, stride=2, padding=1)
    assert np.argwhere(np.isnan(out[0, 0])).tolist() == [[1, 1], [1, 2]]


def test_nan_in_the_cotangent_reaches_the_maximum_only() -> None:
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    _, cache = pooling.maxpool2d_forward(x, kernel_size=2)
    (dx,) = pooling.maxpool2d_backward(np.array([[[[np.nan, 1.0], [1.0, 1.0]]]]), cache)
    assert np.argwhere(np.isnan(dx[0, 0])).tolist() == [[1, 1]]
