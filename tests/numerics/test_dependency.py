"""Footprints against boxes that follow from the geometry, or from moving one element at a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from built_ins import CODE, BuiltIn, behind_cotangents, found
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.complex_step import complex_derivative
from gradverify.numerics.dependency import Footprint, find_footprint, find_single_dependency
from gradverify.numerics.probing import PoisonProber, complex_prober, impulse_prober

PROBERS = {
    "coded, 24 parts": lambda *subject: complex_prober(*subject, 24),
    "coded, 8 parts": lambda *subject: complex_prober(*subject, 8),
    "impulses": lambda *subject: impulse_prober(*subject, 24),
    "poison": PoisonProber,
}
AFFINE = ("coded, 24 parts", "coded, 8 parts", "impulses", "poison")
SMOOTH = ("coded, 24 parts", "coded, 8 parts", "poison")
POISON = ("poison",)


def footprint(subject, name, prober, seed=0):
    made = PROBERS[prober](subject, name, np.random.default_rng([seed, 50]))
    return find_footprint(subject.inputs[name].shape, subject.middle.size, made)


def agrees(one, low, high, reached):
    np.testing.assert_array_equal(one.reached, reached)
    np.testing.assert_array_equal(one.low[:, reached], low[:, reached])
    np.testing.assert_array_equal(one.high[:, reached], high[:, reached])


def moved_boxes(subject, name):
    """Return the boxes that show when one element at a time is moved far, to both sides."""
    value = subject.inputs[name]
    pattern = np.zeros((subject.middle.size, value.size), dtype=bool)
    for position, far in product(range(value.size), (50.0, -50.0)):
        other = value.copy()
        other.flat[position] += far
        pattern[:, position] |= subject.at(name, other) != subject.middle
    return boxes(pattern, value.shape)


def boxes(pattern, shape):
    places = np.array(list(np.ndindex(shape)), dtype=int)
    reached = np.any(pattern, axis=1)
    ends = np.zeros((2, len(shape), len(pattern)), dtype=int)
    for output in np.flatnonzero(reached):
        inside = places[pattern[output]]
        ends[:, :, output] = inside.min(axis=0), inside.max(axis=0)
    return ends[0], ends[1], reached


# -- convolutions, by their geometry


@st.composite
def geometries(draw):
    """Draw an axis: length, kernel, stride, padding, dilation; at least one window fits."""
    kernel, dilation, padding = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 3))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    return draw(st.integers(least, least + 6)), kernel, draw(st.integers(1, 3)), padding, dilation


def taps(length, kernel, stride, padding, dilation):
    """Return for every window the entries of the kernel that meet the input, and where."""
    count = (length + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
    windows = []
    for window in range(count):
        places = [(tap, window * stride - padding + dilation * tap) for tap in range(kernel)]
        windows.append([(tap, place) for tap, place in places if 0 <= place < length])
    return windows


def conv_boxes(shapes, down, across):
    """Return by input the boxes of all outputs of a convolution."""
    (n, c, *_), (f, *_) = shapes["x"], shapes["w"]
    rows = {"x": [], "w": [], "b": []}
    for sample, kernel, vertical, horizontal in product(range(n), range(f), taps(*down), taps(*across)):
        rows["b"].append(([kernel], [kernel], True))
        if not vertical or not horizontal:
            rows["x"].append(([0] * 4, [0] * 4, False))
            rows["w"].append(([0] * 4, [0] * 4, False))
            continue
        for name, first, which in (("x", sample, 1), ("w", kernel, 0)):
            low, high = (
                [first, last, vertical[end][which], horizontal[end][which]] for last, end in ((0, 0), (c - 1, -1))
            )
            rows[name].append((low, high, True))
    return {
        name: (np.array([row[0] for row in of]).T, np.array([row[1] for row in of]).T, np.array([row[2] for row in of]))
        for name, of in rows.items()
    }


def conv(down, across, n=2, c=2, f=2):
    (h, hh, *_), (w, ww, *_) = down, across
    strides, paddings, dilations = zip(*((axis[2], axis[3], axis[4]) for axis in (down, across)), strict=True)
    shapes = {"x": (n, c, h, w), "w": (f, c, hh, ww), "b": (f,)}
    return BuiltIn("conv2d", shapes, {"stride": strides, "padding": paddings, "dilation": dilations})


@pytest.mark.parametrize("prober", PROBERS)
@settings(deadline=None, max_examples=25, derandomize=True)
@given(geometries(), geometries(), st.integers(1, 3), st.integers(1, 3))
def test_boxes_of_convolutions_are_exact(prober, down, across, channels, filters):
    layer = conv(down, across, c=channels, f=filters)
    subject, expected = layer.functional(), conv_boxes(layer.shapes, down, across)
    for name in ("x", "w", "b"):
        if (prober, name) != ("poison", "w"):
            agrees(footprint(subject, name, prober), *expected[name])
        else:  # NaN times a zero of the padding is NaN: the boxes reach too far
            one, (low, high, reached) = footprint(subject, name, prober), expected[name]
            assert np.all(one.reached[reached])
            assert np.all((one.low <= low) & (high <= one.high) | ~reached)
            assert np.all(one.extent <= np.array((1, *layer.shapes["w"][1:])))


@pytest.mark.parametrize("prober", PROBERS)
@pytest.mark.parametrize(
    ("kernel", "dilation", "gaps"),
    [((3, 2), (2, 3), (2, 3)), ((2, 4), (5, 2), (5, 2)), ((1, 3), (4, 1), (1, 1)), ((3, 3), (1, 4), (1, 4))],
)
def test_dilation_leaves_holes(prober, kernel, dilation, gaps):
    subject = conv((16, kernel[0], 1, 0, dilation[0]), (15, kernel[1], 2, 1, dilation[1])).functional()
    for name, expected in {"x": (1, 1, *gaps), "w": (1, 1, 1, 1)}.items():
        one = footprint(subject, name, prober)
        assert one.gaps == expected
        assert one.widths[2:] == kernel


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-3, 1e6, 1e9])
@pytest.mark.parametrize("code", CODE)
def test_the_size_of_the_outputs_does_not_matter(code, scale):
    layer = conv((9, 3, 2, 1, 1), (30, 2, 1, 0, 1))
    subject = layer.functional()
    scaled = CODE[code](replace(
        subject, evaluate=lambda inputs: (scale * subject.evaluate(inputs)[0],), base=(scale * subject.base[0],)
    ))  # fmt: skip
    gradients = {name: scale * value for name, value in layer.gradients(subject).items()}
    findings = found(scaled, gradients, "compressed")
    assert {name: (one.check.verdict, one.check.footprint) for name, one in findings.items()} == {
        "x": ("pass", (1, 2, 3, 2)), "w": ("pass", (1, 2, 3, 2)), "b": ("pass", (1,))
    }  # fmt: skip


# -- other layers, by moving one element at a time


OTHERS = [
    *((BuiltIn("avgpool2d", {"x": (2, 2, 7, 6)}, params), AFFINE) for params in (
        {"kernel_size": 2}, {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1}
    )),
    *((BuiltIn("maxpool2d", {"x": (2, 2, 7, 6)}, params), POISON) for params in (
        {"kernel_size": 2}, {"kernel_size": (3, 2), "stride": (2, 1), "padding": 1}
    )),
    (BuiltIn("batchnorm", {"x": (7, 5), "gamma": (5,), "beta": (5,)}), SMOOTH),
    (BuiltIn("spatial_batchnorm", {"x": (2, 3, 4, 3), "gamma": (3,), "beta": (3,)}), SMOOTH),
    (BuiltIn("layernorm", {"x": (4, 2, 5), "gamma": (2, 5), "beta": (2, 5)}), SMOOTH),
    (BuiltIn("groupnorm", {"x": (2, 6, 3, 2), "gamma": (6,), "beta": (6,)}, {"groups": 2}), SMOOTH),
    (BuiltIn("affine", {"x": (4, 3, 2), "w": (6, 5), "b": (5,)}), AFFINE),
    (BuiltIn("softmax_loss", {"x": (5, 4), "y": (5,)}), SMOOTH),
    (BuiltIn("tanh", {"x": (4, 30)}), SMOOTH),
    (BuiltIn("relu", {"x": (3, 4)}), POISON),
    (BuiltIn("dropout", {"x": (4, 5)}, {"p": 0.5}), AFFINE[:-1]),  # 0 * NaN is NaN
]  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "prober"),
    [pytest.param(layer, prober, id=f"{layer} {prober}") for layer, probers in OTHERS for prober in probers],
)
def test_boxes_of_layers_are_exact(layer, prober):
    subject = layer.functional(1)
    for name in layer.differentiable:
        agrees(footprint(subject, name, prober), *moved_boxes(subject, name))


CODE_OF_ALL_KINDS = {
    "depends on nothing": (lambda x: np.ones(2, dtype=x.dtype), (5, 3)),
    "some outputs unreached": (lambda x: np.concatenate([x[2:4], np.ones((2, 3))]), (5, 3)),
    "a scalar": (lambda x: 3 * x, ()),
    "a scalar of a vector": (lambda x: x[3] * x[5], (9,)),
    "two outputs": (lambda x: (x[:, 1:] * x[:, :-1], x.sum(axis=0)), (4, 6)),
    "reversed": (lambda x: x[::-1, ::-1] * 2, (6, 40)),
    "a long axis": (lambda x: x[1:] * x[:-1], (1000,)),
    "boxes of many sizes": (lambda x: np.cumsum(x, axis=1), (3, 37)),
    "five axes": (lambda x: x.sum(axis=(1, 3)) ** 2, (2, 3, 2, 2, 3)),
}


@pytest.mark.parametrize("prober", ["coded, 24 parts", "coded, 8 parts", "poison"])
@pytest.mark.parametrize("kind", CODE_OF_ALL_KINDS)
def test_boxes_of_odd_code_are_exact(kind, prober):
    function, shape = CODE_OF_ALL_KINDS[kind]
    subject = behind_cotangents(function, x=np.random.default_rng(51).normal(size=shape))
    agrees(footprint(subject, "x", prober), *moved_boxes(subject, "x"))


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,)])
def test_empty_inputs_take_no_pass(shape, code):
    subject = CODE[code](behind_cotangents(lambda x: 2 * x, x=np.zeros(shape)))
    (one,) = found(subject, {"x": np.zeros(shape)}, "compressed").values()
    assert one.check.verdict == "pass"
    assert one.numerical.shape == shape


def checked(x):
    if not np.all(np.isfinite(x)):
        raise ValueError("x is not finite")
    return x[1:] * x[:-1]


STUBBORN = {
    "raises on NaN": checked,
    "stops NaN, follows what is above zero": lambda x: np.where(x > 0, x, 0.0)[1:],
    "stops NaN, follows what is below zero": lambda x: np.where(x < 0, x, 0.0)[1:],
    "replaces NaN": lambda x: np.nan_to_num(x)[1:] * np.nan_to_num(x)[:-1],
    "casts to integers beside": lambda x: x[1:] * x[:-1] + 0 * np.nan_to_num(x[1:]).astype(np.int64),
}


@pytest.mark.parametrize("kind", STUBBORN)
def test_parts_are_drawn_anew_where_nan_tells_nothing(kind):
    subject = behind_cotangents(STUBBORN[kind], x=np.random.default_rng(52).normal(size=(12, 3)))
    agrees(footprint(subject, "x", "poison"), *moved_boxes(subject, "x"))


@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("wrong", [False, True])
def test_a_sort_is_proved_whatever_its_footprint_seems(code, wrong):
    """Its outputs follow one element each, until another one overtakes."""
    for seed in range(10):
        x = np.random.default_rng([seed, 53]).normal(size=(5, 6))
        subject = CODE[code](behind_cotangents(lambda x: np.take_along_axis(x, np.argsort(x.real), 1) ** 2, x=x))
        order = np.argsort(np.argsort(x, axis=1), axis=1)
        gradient = 2 * x * np.take_along_axis(subject.cotangents[0], order, 1)
        gradient[2, 3] *= 1 + 1e-4 * wrong
        (one,) = found(subject, {"x": gradient}, "compressed", seed=seed).values()
        assert (one.check.verdict, one.check.failed) == (("fail", 1) if wrong else ("pass", 0))


# -- single dependencies, and what a footprint says


def test_single_dependencies_are_found():
    order = np.random.default_rng(54).permutation(12)
    subject = behind_cotangents(lambda x: np.append(x.ravel()[order] ** 2, [0, 0]), x=np.arange(1.0, 13).reshape(3, 4))
    one = find_single_dependency((3, 4), lambda v: complex_derivative(subject, {"x": v}), np.random.default_rng(55))
    places = np.array(np.unravel_index(order, (3, 4)))
    agrees(one, *(np.pad(places, ((0, 0), (0, 2))),) * 2, np.arange(14) < 12)


@pytest.mark.parametrize("function", [lambda x: x[1:] * x[:-1], lambda x: x.sum(keepdims=True), np.cumsum])
def test_two_dependencies_are_not_single(function):
    for seed in range(20):
        random = np.random.default_rng([seed, 56])
        subject = behind_cotangents(function, x=random.normal(size=9))
        assert find_single_dependency((9,), lambda v, of=subject: complex_derivative(of, {"x": v}), random) is None


def test_extent_and_widths():
    low, high = np.array([[0, 2, 9], [1, 3, 9]]), np.array([[0, 4, 0], [1, 6, 9]])
    one = Footprint((9, 9), low, high, np.array([True, True, False]), (2, 1))
    assert one.extent == (3, 4)
    assert one.widths == (2, 4)
    none = Footprint((9, 9), low, high, np.zeros(3, dtype=bool), (2, 1))
    assert none.extent == (0, 0)


@pytest.mark.parametrize("levels", [24, 12, 8])
def test_blocks_of_long_axes_stay_nested(levels):
    layer = BuiltIn("conv2d", {"x": (1, 1, 130, 256), "w": (1, 1, 3, 3), "b": (1,)}, {"padding": 1})
    subject = layer.functional()
    prober = complex_prober(subject, "x", np.random.default_rng(0), levels)
    assert find_footprint((1, 1, 130, 256), subject.middle.size, prober).extent == (1, 1, 3, 3)
