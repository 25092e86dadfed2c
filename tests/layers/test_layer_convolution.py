"""Three ways to convolve agree with each other, with scipy, and with the size identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import signal

from gradverify.errors import GeometryError
from gradverify.layers import convolution
from gradverify.layers.convolution import correlate, dilate, rotate180
from gradverify.layers.windows import pad
from gradverify.numerics.geometry import Window, measure

if TYPE_CHECKING:
    from gradverify.results import Geometry

IMPLEMENTATIONS = {
    "naive": (convolution.naive_forward, convolution.naive_backward),
    "rot180": (convolution.rot180_forward, convolution.rot180_backward),
    "im2col": (convolution.im2col_forward, convolution.im2col_backward),
}
Pair = tuple[int, int]


def _pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


# Two samples, channels and filters, so that a swapped axis changes the shape or the values.
settings_of_a_convolution = st.fixed_dictionaries(
    {
        "counts": st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)),
        "image": _pairs(1, 8),
        "kernel": _pairs(1, 4),
        "stride": _pairs(1, 5),
        "padding": _pairs(0, 4),
        "dilation": _pairs(1, 3),
    }
)


def _setting(image: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair = (1, 1)) -> dict[str, Any]:
    return {
        "counts": (2, 3, 2), "image": image, "kernel": kernel,
        "stride": stride, "padding": padding, "dilation": dilation,
    }  # fmt: skip


RESIDUAL_IN_PADDING = _setting((7, 6), (3, 2), (3, 4), (1, 2))
RESIDUAL_IN_DATA = _setting((8, 9), (3, 2), (5, 4), (0, 0))
PADDING_BEYOND_KERNEL = _setting((3, 4), (2, 1), (2, 1), (4, 3))
GAPS = _setting((8, 7), (2, 1), (4, 3), (0, 1))
DILATED = _setting((8, 7), (2, 3), (3, 2), (3, 1), (3, 2))


def _windows(setting: dict[str, Any]) -> list[Window]:
    columns = zip(*(setting[key] for key in ("image", "kernel", "stride", "padding", "dilation")), strict=True)
    return [Window(h, hh, s, (p, p), d) for h, hh, s, p, d in columns]


def _lengths(setting: dict[str, Any]) -> list[Geometry]:
    return [measure(axis, window) for axis, window in zip("HW", _windows(setting), strict=True)]


def _arrays(setting: dict[str, Any], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    samples, channels, filters = setting["counts"]
    random = np.random.default_rng(seed)
    x = random.normal(size=(samples, channels, *setting["image"]))
    w = random.normal(size=(filters, channels, *setting["kernel"]))
    return x, w, random.normal(size=filters)


def _params(setting: dict[str, Any]) -> dict[str, Any]:
    return {key: setting[key] for key in ("stride", "padding", "dilation")}


@settings(max_examples=120, deadline=None, derandomize=True)
@given(settings_of_a_convolution)
@example(RESIDUAL_IN_PADDING)
@example(RESIDUAL_IN_DATA)
@example(PADDING_BEYOND_KERNEL)
@example(GAPS)
@example(DILATED)
def test_all_three_agree(setting: dict[str, Any]) -> None:
    assume(all(geometry.output for geometry in _lengths(setting)))
    results = {name: _both(setting, *functions) for name, functions in IMPLEMENTATIONS.items()}
    reference = results.pop("naive")
    assert reference[0].shape[2:] == tuple(geometry.output for geometry in _lengths(setting))
    for found in results.values():
        for mine, expected in zip(found, reference, strict=True):
            assert mine.shape == expected.shape
            np.testing.assert_allclose(mine, expected, rtol=1e-12, atol=1e-12)


def _both(setting: dict[str, Any], forward: Any, backward: Any) -> tuple[np.ndarray, ...]:
    """Return the output and the gradients."""
    out, cache = forward(*_arrays(setting), **_params(setting))
    dout = np.random.default_rng(1).normal(size=out.shape)
    return out, *backward(dout, cache)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(settings_of_a_convolution)
@example(RESIDUAL_IN_PADDING)
@example(RESIDUAL_IN_DATA)
@example(PADDING_BEYOND_KERNEL)
@example(GAPS)
@example(DILATED)
def test_the_gradients_are_the_adjoint(setting: dict[str, Any]) -> None:
    """A map linear in each input has ``<dV, V(x)> = <dx, x>``; the forward pass is what scipy checks below."""
    assume(all(geometry.output for geometry in _lengths(setting)))
    x, w, b = _arrays(setting)
    for forward, backward in IMPLEMENTATIONS.values():
        out, cache = forward(x, w, np.zeros_like(b), **_params(setting))
        dout = np.random.default_rng(1).normal(size=out.shape)
        dx, dw, db = backward(dout, cache)
        pairing = np.sum(dout * out)
        np.testing.assert_allclose([np.sum(dx * x), np.sum(dw * w)], pairing, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(db, dout.sum(axis=(0, 2, 3)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@pytest.mark.parametrize("setting", [RESIDUAL_IN_PADDING, RESIDUAL_IN_DATA, PADDING_BEYOND_KERNEL, GAPS, DILATED])
def test_forward_is_scipy_correlation(name: str, setting: dict[str, Any]) -> None:
    x, w, b = _arrays(setting)
    out, _ = IMPLEMENTATIONS[name][0](x, w, b, **_params(setting))
    np.testing.assert_allclose(out, _scipy_forward(x, w, b, setting), rtol=1e-12, atol=1e-12)


def _scipy_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray, setting: dict[str, Any]) -> np.ndarray:
    (rows, columns), (down, right) = setting["padding"], setting["stride"]
    wide = np.pad(x, ((0, 0), (0, 0), (rows, rows), (columns, columns)))
    spread = np.kron(w, np.pad([[1.0]], tuple((0, step - 1) for step in setting["dilation"])))
    height, width = (step * (length - 1) + 1 for step, length in zip(setting["dilation"], w.shape[2:], strict=True))
    spread = spread[:, :, :height, :width]
    return np.array(
        [
            [
                sum(signal.correlate(image, plane, mode="valid") for image, plane in zip(sample, kernel, strict=True))
                + bias
                for kernel, bias in zip(spread, b, strict=True)
            ]
            for sample in wide
        ]
    )[:, :, ::down, ::right]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_gradients_at_stride_1_are_scipy_convolutions(name: str) -> None:
    """Without stride and padding the input gradient is the full convolution, the kernel gradient a correlation."""
    random = np.random.default_rng(0)
    x, w, dout = random.normal(size=(1, 1, 6, 5)), random.normal(size=(1, 1, 3, 2)), random.normal(size=(1, 1, 4, 4))
    forward, backward = IMPLEMENTATIONS[name]
    dx, dw, _ = backward(dout, forward(x, w, np.zeros(1))[1])
    np.testing.assert_allclose(dx[0, 0], signal.convolve(dout[0, 0], w[0, 0], mode="full"), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dw[0, 0], signal.correlate(x[0, 0], dout[0, 0], mode="valid"), rtol=1e-12, atol=1e-14)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(settings_of_a_convolution)
@example(RESIDUAL_IN_PADDING)
@example(RESIDUAL_IN_DATA)
@example(PADDING_BEYOND_KERNEL)
@example(DILATED)
def test_the_identity_measures_the_arrays_that_are_built(setting: dict[str, Any]) -> None:
    geometries = _lengths(setting)
    assume(all(geometry.output for geometry in geometries))
    x, w, _ = _arrays(setting)
    dout = np.ones((len(x), len(w), *(geometry.output for geometry in geometries)))
    padded = pad(x, tuple((edge, edge) for edge in setting["padding"]))
    kernel = dilate(w, setting["dilation"])
    spread = dilate(dout, setting["stride"])
    full = pad(spread, tuple((length - 1, length - 1) for length in kernel.shape[2:]))
    read = correlate(full, rotate180(kernel).swapaxes(0, 1), setting["dilation"])
    kernel_gradient = correlate(padded.swapaxes(0, 1), spread.swapaxes(0, 1), setting["stride"])
    for axis, geometry in enumerate(geometries, start=2):
        assert padded.shape[axis] == geometry.padded
        assert full.shape[axis] == geometry.dilated_cotangent
        assert read.shape[axis] == geometry.reconstructed
        assert read.shape[axis] + geometry.residual == geometry.padded
        assert kernel_gradient.shape[axis] == kernel.shape[axis] + geometry.residual
        assert geometry.identity == (geometry.residual == 0)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_rows_that_no_window_reads_have_no_gradient(name: str) -> None:
    """Length 8, kernel 3, stride 4: windows read 0 to 2 and 4 to 6; 3 is a gap and 7 the residual."""
    x, w, b = np.ones((1, 1, 8, 8)), np.ones((1, 1, 3, 3)), np.zeros(1)
    forward, backward = IMPLEMENTATIONS[name]
    out, cache = forward(x, w, b, stride=4)
    dx, _, _ = backward(np.ones_like(out), cache)
    read = np.array([1, 1, 1, 0, 1, 1, 1, 0])
    np.testing.assert_array_equal(dx[0, 0], np.outer(read, read))


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_nan_reaches_the_windows_that_read_it_and_no_others(name: str) -> None:
    """The zeros that a dilation inserts are no entries: what only they meet has no influence."""
    x, w, b = np.ones((1, 1, 7, 7)), np.ones((1, 1, 2, 2)), np.zeros(1)
    x[0, 0, 3, 3] = np.nan
    out, _ = IMPLEMENTATIONS[name][0](x, w, b, dilation=3)
    assert np.argwhere(np.isnan(out[0, 0])).tolist() == [[0, 0], [0, 3], [3, 0], [3, 3]]


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_nan_between_windows_reaches_nothing(name: str) -> None:
    x, w, b = np.ones((1, 1, 7, 7)), np.ones((1, 1, 1, 1)), np.zeros(1)
    x[0, 0, 3, 3] = np.nan
    forward, backward = IMPLEMENTATIONS[name]
    out, cache = forward(x, w, b, stride=2)
    _, dw, _ = backward(np.ones_like(out), cache)
    assert not np.any(np.isnan(out))
    np.testing.assert_array_equal(dw, [[[[16]]]])


# AlexNet's first layer loses a row of data on 224 and none on 227; ResNet's stem a row of padding.
@pytest.mark.parametrize(
    ("image", "window", "output", "reads_the_last_row"),
    [(224, (11, 4, 0), 54, False), (227, (11, 4, 0), 55, True), (224, (7, 2, 3), 112, True)],
)
def test_known_networks(image: int, window: tuple[int, int, int], output: int, reads_the_last_row: bool) -> None:
    kernel, stride, padding = window
    random = np.random.default_rng(0)
    x, w = random.normal(size=(1, 1, image, image)), random.normal(size=(1, 1, kernel, kernel))
    out, cache = convolution.im2col_forward(x, w, np.zeros(1), stride=stride, padding=padding)
    literal, literal_cache = convolution.rot180_forward(x, w, np.zeros(1), stride=stride, padding=padding)
    assert out.shape == literal.shape == (1, 1, output, output)
    np.testing.assert_allclose(out, literal, atol=1e-10)
    dx, dw, _ = convolution.im2col_backward(np.ones_like(out), cache)
    literal_dx, literal_dw, _ = convolution.rot180_backward(np.ones_like(out), literal_cache)
    np.testing.assert_allclose(dx, literal_dx, atol=1e-10)
    np.testing.assert_allclose(dw, literal_dw, atol=1e-8)
    assert bool(np.any(dx[0, 0, -1])) == reads_the_last_row


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_impossible_windows_are_refused(name: str) -> None:
    x, b = np.ones((1, 1, 4, 9)), np.zeros(1)
    with pytest.raises(GeometryError, match=r"kernel 5 is larger than the padded input 4 \+ 0 \+ 0 = 4"):
        IMPLEMENTATIONS[name][0](x, np.ones((1, 1, 5, 5)), b)
    with pytest.raises(GeometryError, match="effective kernel 5"):
        IMPLEMENTATIONS[name][0](x, np.ones((1, 1, 3, 3)), b, dilation=2)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_channels_must_match(name: str) -> None:
    with pytest.raises(ValueError, match="x has 3 channels, but the kernel has 1"):
        IMPLEMENTATIONS[name][0](np.ones((1, 3, 4, 4)), np.ones((1, 1, 2, 2)), np.zeros(1))


def test_a_number_means_both_axes() -> None:
    x, w, b = _arrays(_setting((8, 9), (3, 2), (2, 2), (1, 1)))
    for forward, _ in IMPLEMENTATIONS.values():
        single, _ = forward(x, w, b, stride=2, padding=1, dilation=2)
        pairs, _ = forward(x, w, b, stride=[2, 2], padding=(1, 1), dilation=[2, 2])
        np.testing.assert_array_equal(single, pairs)


def test_dilate_inserts_zeros_between_neighbours() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    expected = [[1, 0, 0, 2], [0, 0, 0, 0], [3, 0, 0, 4]]
    np.testing.assert_array_equal(dilate(x, (2, 3)), expected)


def test_rotate180_reverses_both_axes() -> None:
    np.testing.assert_array_equal(rotate180(np.array([[1, 2], [3, 4]])), [[4, 3], [2, 1]])
