"""Cases of built-in layers, drawn by number: shapes, parameters and data; and a few large ones.

One number, one case, whatever else is run.
"""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np

from gradverify.layers.registry import LAYERS

NAMES = tuple(LAYERS)
_NORMAL: dict[str, Any] = {"init": "normal"}
_MODERATE = (_NORMAL, {"init": "normal", "mean": 3.0, "std": 2.0}, {"init": "uniform", "low": -1.0})
_FAR = {"init": "normal", "mean": 1000.0}
# Wide and tiny values too; and whole numbers, for ties and zeros.
_TRYING = ({"init": "normal", "std": 5.0}, {"init": "normal", "std": 1e-3}, {"init": "integers", "low": -2, "high": 3})
_SATURATED_FAR_AWAY = {"relu", "leaky_relu", "sigmoid", "tanh"}


def seeded_tenth(count: int) -> tuple[list[int], list[int]]:
    """Split the numbers below ``count`` into a tenth in which every layer has its share, and the rest."""
    rounds = -(-count // len(NAMES))
    chosen = np.random.default_rng(rounds).permuted(np.arange(rounds * len(NAMES)).reshape(rounds, -1), axis=0)
    tenth = {int(number) for number in np.ravel(chosen[: -(-rounds // 10)]) if number < count}
    return sorted(tenth), [number for number in range(count) if number not in tenth]


def drawn(number: int, dtype: str = "float64", *, tame: bool = False) -> dict[str, Any]:
    """Return the entry of a spec for the case of this number.

    Tame ones have data and shapes at which every entry worth speaking of stands out from rounding: no statistics of
    one or two values, no ties, nothing saturated.
    """
    random = np.random.default_rng([number, 2024])
    layer = NAMES[number % len(NAMES)]
    shapes, params = _DRAWS[layer](random, 4 if tame else 1)
    if dtype == "float16" and "eps" in params:
        params["eps"] = 1e-3  # less is none in float16
    kinds = _kinds(layer, dtype, tame)
    return {
        "layer": layer,
        "implementation": str(random.choice([item.name for item in LAYERS[layer].implementations])),
        "inputs": _inputs(layer, shapes, {"x": kinds[random.integers(len(kinds))]}, dtype),
        "params": params,
        "dtype": dtype,
    }


def _kinds(layer: str, dtype: str, tame: bool) -> tuple[dict[str, Any], ...]:
    if layer in _SATURATED_FAR_AWAY and tame:
        return (_NORMAL,)
    # Sums of values near 1000 leave float16; in float32 the rounding of such values is as large as what is spoilt.
    if dtype == "float16" or (dtype == "float32" and tame):
        return _MODERATE
    return (*_MODERATE, _FAR) if tame else (*_MODERATE, _FAR, *_TRYING)


def two_values_share_a_mean(entry: dict[str, Any]) -> bool:
    """Return whether a layer normalizes pairs: to +1 and -1 whatever they are, but for what eps leaves."""
    shape = entry["inputs"]["x"]["shape"]
    groups = entry["params"].get("groups", 1)
    means = {"batchnorm": 1, "spatial_batchnorm": 1, "layernorm": 0, "groupnorm": 0}
    return entry["layer"] in means and prod(shape) == 2 * groups * shape[means[entry["layer"]]]


def _inputs(layer: str, shapes: dict[str, Any], data: dict[str, Any], dtype: str) -> dict[str, Any]:
    inputs = {
        name: {"shape": list(map(int, shape)), "dtype": dtype, **data.get(name, _NORMAL)}
        for name, shape in shapes.items()
    }
    if layer == "softmax_loss":
        inputs["y"] = {"shape": [int(shapes["x"][0])], "init": "integers", "high": int(shapes["x"][1])}
    return inputs


def large(shape: str, elements: int, dtype: str = "float64") -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the entry of a case in which one input has about this many elements, and the inputs worth spoiling."""
    layer, names, shapes, params = LARGE[shape]
    entry = {
        "layer": layer,
        "implementation": LAYERS[layer].fast,
        "inputs": _inputs(layer, shapes(elements), {}, dtype),
        "params": params,
        "dtype": dtype,
    }
    return entry, names


def _square(elements):
    return {"x": (isqrt(elements), isqrt(elements))}


def _pictures(elements):
    side = isqrt(elements // 40)
    return {"x": (4, 10, side, side)}


def _with_scale(shapes, axis, ends=None):
    """Add a gamma and a beta that have some of the axes of x."""
    scale = shapes["x"][axis:ends]
    return {**shapes, "gamma": scale, "beta": scale}


LARGE: dict[str, tuple[str, tuple[str, ...], Any, dict[str, Any]]] = {
    "affine x": ("affine", ("x", "b"), lambda n: {**_square(n), "w": (isqrt(n), 3), "b": (3,)}, {}),
    "affine w": ("affine", ("x", "w"), lambda n: {"x": (3, isqrt(n)), "w": _square(n)["x"], "b": (isqrt(n),)}, {}),
    **{
        name: (name, ("x",), _square, {})
        for name in ("relu", "leaky_relu", "sigmoid", "tanh", "softmax_loss", "dropout")
    },
    "conv2d x": (
        "conv2d",
        ("x", "w", "b"),
        lambda n: {**_pictures(n), "w": (2, 10, 3, 3), "b": (2,)},
        {"stride": 2, "padding": 1},
    ),
    "conv2d w": (
        "conv2d",
        ("w",),
        lambda n: {"x": (1, isqrt(n // 9), 4, 5), "w": (isqrt(n // 9), isqrt(n // 9), 3, 3), "b": (isqrt(n // 9),)},
        {},
    ),
    "maxpool2d": ("maxpool2d", ("x",), _pictures, {"kernel_size": 3, "stride": 2}),
    "avgpool2d": ("avgpool2d", ("x",), _pictures, {"kernel_size": 3, "stride": 2}),
    "batchnorm": ("batchnorm", ("x", "gamma"), lambda n: _with_scale(_square(n), 1), {}),
    "spatial_batchnorm": ("spatial_batchnorm", ("x", "beta"), lambda n: _with_scale(_pictures(n), 1, 2), {}),
    "layernorm": ("layernorm", ("x", "gamma"), lambda n: _with_scale(_square(n), 1), {}),
    "groupnorm": ("groupnorm", ("x", "gamma"), lambda n: _with_scale(_pictures(n), 1, 2), {"groups": 5}),
}


def _extents(random: np.random.Generator, low: int, high: int, axes: int = 2) -> list[int]:
    return [int(extent) for extent in random.integers(low, high, axes)]


def _any_shape(random, least):
    return {"x": _extents(random, least, 7, int(random.integers(1, 4)))}, {}


def _affine(random, least):
    samples, *features, units = _extents(random, least, 6, int(random.integers(3, 5)))
    return {"x": (samples, *features), "w": (prod(features), units), "b": (units,)}, {}


def _conv2d(random, _):
    samples, channels, filters = _extents(random, 1, 4, 3)
    kernel, stride, padding, dilation = (_extents(random, *ends) for ends in ((1, 4), (1, 4), (0, 3), (1, 3)))
    image = _image(random, [step * (side - 1) + 1 for side, step in zip(kernel, dilation, strict=True)], padding)
    shapes = {"x": (samples, channels, *image), "w": (filters, channels, *kernel), "b": (filters,)}
    return shapes, {"stride": stride, "padding": padding, "dilation": dilation}


def _pool(random, _):
    kernel, stride = _extents(random, 1, 4), _extents(random, 1, 4)
    padding = [int(random.integers(0, side)) for side in kernel]  # no window wholly in padding
    shape = (*_extents(random, 1, 4), *_image(random, kernel, padding))
    return {"x": shape}, {"kernel_size": kernel, "stride": stride, "padding": padding}


def _image(random, window, padding):
    """Return sides that hold a window and up to five more."""
    more = _extents(random, 0, 6)
    return [max(1, side - 2 * edge) + extra for side, edge, extra in zip(window, padding, more, strict=True)]


def _batchnorm(random, least, axes=0):
    features = int(random.integers(1, 6))
    shape = (int(random.integers(least, 9)), features, *_extents(random, 1, 4, axes))
    params = {"eps": _eps(random)}
    if random.random() < 0.3:
        mean, var = random.normal(size=features), random.uniform(0.2, 3.0, features)
        params |= {"mode": "test", "running_mean": mean.tolist(), "running_var": var.tolist()}
    return {"x": shape, "gamma": (features,), "beta": (features,)}, params


def _spatial_batchnorm(random, least):
    return _batchnorm(random, least, axes=2)


def _layernorm(random, least):
    sample = _extents(random, least, 7, int(random.integers(1, 3)))
    return {"x": (int(random.integers(1, 6)), *sample), "gamma": sample, "beta": sample}, {"eps": _eps(random)}


def _groupnorm(random, least):
    groups, each, samples = _extents(random, 1, 4, 3)
    channels = groups * each
    shape = (samples, channels, least, *_extents(random, 1, 4, int(random.integers(0, 3))))
    return {"x": shape, "gamma": (channels,), "beta": (channels,)}, {"groups": groups, "eps": _eps(random)}


def _softmax_loss(random, least):
    return {"x": _extents(random, max(least, 1), 8)}, {}


def _leaky_relu(random, least):
    return _any_shape(random, least)[0], {"negative_slope": float(random.uniform(0.01, 0.5))}


def _dropout(random, least):
    params = {
        "p": float(random.uniform(0.3, 1)),
        "seed": int(random.integers(9)),
        "mode": str(random.choice(["train", "test"])),
    }
    return _any_shape(random, least)[0], params


def _eps(random):
    return float(random.choice([1e-8, 1e-5, 1e-3]))


_DRAWS = {
    "affine": _affine,
    "relu": _any_shape,
    "leaky_relu": _leaky_relu,
    "sigmoid": _any_shape,
    "tanh": _any_shape,
    "conv2d": _conv2d,
    "maxpool2d": _pool,
    "avgpool2d": _pool,
    "batchnorm": _batchnorm,
    "spatial_batchnorm": _spatial_batchnorm,
    "layernorm": _layernorm,
    "groupnorm": _groupnorm,
    "softmax_loss": _softmax_loss,
    "dropout": _dropout,
}
