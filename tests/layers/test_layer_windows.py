"""What the windowed layers share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.errors import GeometryError
from gradverify.layers.windows import crop, gather, pad, scatter, slide
from gradverify.numerics.geometry import Window, output_size


def test_pad_puts_a_value_around_the_last_two_axes() -> None:
    padded = pad(np.array([[1.0, 2.0]]), ((1, 0), (2, 1)), -np.inf)
    inf = np.inf
    np.testing.assert_array_equal(padded, [[-inf] * 5, [-inf, -inf, 1, 2, -inf]])


def test_crop_undoes_pad() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    padded = pad(x, ((1, 2), (0, 3)))
    cropped = crop(padded, ((1, 2), (0, 3)))
    np.testing.assert_array_equal(cropped, x)
    assert not np.shares_memory(cropped, padded)


def test_the_windows_are_where_the_formula_says() -> None:
    moves = slide((7, 9), (2, 3), stride=(3, 2), dilation=[2, 1])
    x = np.arange(63.0).reshape(1, 1, 7, 9)
    windows = gather(x, moves)
    for h, w in moves.entries:
        for k, l in np.ndindex(*moves.output):  # noqa: E741  the formula calls it l
            assert windows[0, 0, h, w, k, l] == x[0, 0, 3 * k + 2 * h, 2 * l + w]
            assert x[0, 0][moves.window(k, l)][h, w] == x[0, 0][moves.meets(h, w)][k, l]
    assert not windows.flags.writeable


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_sizes_are_those_of_the_geometry(size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    window = Window(size, kernel, stride, (padding, padding), dilation)
    try:
        expected = output_size(window)
    except GeometryError as error:
        with pytest.raises(GeometryError, match=str(error).replace("+", r"\+")):
            slide((size, size), kernel, stride=stride, padding=padding, dilation=dilation)
        return
    moves = slide((size, size), kernel, stride=stride, padding=padding, dilation=dilation)
    assert moves.output == (expected, expected)


def test_scatter_is_the_transpose_of_pad_and_gather() -> None:
    moves = slide((5, 6), (3, 2), stride=(2, 1), padding=(1, 2))
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 3, 5, 6))
    windows = gather(pad(x, moves.edges), moves)
    weights = random.normal(size=windows.shape)
    np.testing.assert_allclose(np.sum(weights * windows), np.sum(scatter(weights, moves) * x), rtol=1e-12)
