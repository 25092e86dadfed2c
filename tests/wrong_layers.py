"""Wrong layers, each beside its right twin: the mistakes that people make in hand-written backward passes.

Everything is plain NumPy and written apart from gradverify's own layers, so that neither can lean on the other. A
mistake is a branch of the backward pass that the right one does not take; ``WRONG_LAYERS`` lists them all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WrongLayer:
    """One mistake: its inputs and parameters as a spec has them, and the names of both pairs of functions.

    ``single`` says whether the mistake is large enough to be seen in float32 too.
    """

    name: str
    inputs: dict[str, Any]
    right: tuple[str, str]
    wrong: tuple[str, str]
    params: dict[str, Any] = field(default_factory=dict)
    single: bool = True


# -- convolution -------------------------------------------------------------------------------------------------------


def _dilated(array, step):
    rows, columns = array.shape[2:]
    wide = np.zeros((*array.shape[:2], (rows - 1) * step[0] + 1, (columns - 1) * step[1] + 1), array.dtype)
    wide[:, :, :: step[0], :: step[1]] = array
    return wide


def _padded(array, rows, columns):
    height, width = array.shape[2:]
    padded = np.zeros((*array.shape[:2], sum(rows) + height, sum(columns) + width), array.dtype)
    padded[:, :, rows[0] : rows[0] + height, columns[0] : columns[0] + width] = array
    return padded


def _correlated(images, kernel):
    """Slide ``kernel`` (F, C, i, j) over ``images`` (N, C, h, w) by steps of 1."""
    windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape[2:], axis=(2, 3))
    return np.tensordot(windows, kernel, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2)


def conv_forward(x, w, b, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    images = _padded(x, (padding[0],) * 2, (padding[1],) * 2)
    out = _correlated(images, _dilated(w, dilation))[:, :, :: stride[0], :: stride[1]] + b[:, None, None]
    return out, (x, w, images, stride, padding, dilation)


def conv_backward(dout, cache, mistake=""):
    x, w, images, stride, padding, dilation = cache
    db = dout.mean(axis=(0, 2, 3)) if mistake == "bias mean" else dout.sum(axis=(0, 2, 3))
    return _conv_dx(dout, cache, mistake), _conv_dw(dout, (x, w, images, stride, padding, dilation), mistake), db


def _conv_dx(dout, cache, mistake):
    x, w, images, stride, padding, dilation = cache
    kernel = _dilated(w, dilation)
    reach = kernel.shape[2:]
    wide = _dilated(dout, stride)
    if mistake == "cotangent not dilated":
        missing = np.subtract(wide.shape[2:], dout.shape[2:])
        wide = _padded(dout, (0, missing[0]), (0, missing[1]))
    if mistake == "edge too narrow":  # HH - 2 zeros at the near edge, HH at the far one
        full = _padded(wide, (reach[0] - 2, reach[0]), (reach[1] - 2, reach[1]))
    else:
        full = _padded(wide, (reach[0] - 1,) * 2, (reach[1] - 1,) * 2)
    dx = _correlated(full, _turned(kernel, mistake))
    residual = np.subtract(images.shape[2:], dx.shape[2:])
    if mistake == "residual rows misplaced":
        dx = _padded(dx, (residual[0], 0), (residual[1], 0))
    elif mistake != "residual rows dropped":
        dx = _padded(dx, (0, residual[0]), (0, residual[1]))
    return dx if mistake == "padding not cropped" else _cropped(dx, x, padding, mistake)


def _turned(kernel, mistake):
    if mistake != "kernel not rotated":
        kernel = kernel[:, :, ::-1, ::-1]
    if mistake == "kernel flipped along one axis":
        kernel = kernel[:, :, :, ::-1]
    return kernel if mistake == "filters and channels not swapped" else kernel.swapaxes(0, 1)


def _cropped(dx, x, padding, mistake):
    top, left = padding
    if mistake == "padding cropped from the far side only":
        top, left = 0, 0
    if mistake == "padding cropped from the near side only":
        top, left = 2 * top, 2 * left
    if mistake == "height and width swapped":
        top, left = left, top
    return dx[:, :, top : top + x.shape[2], left : left + x.shape[3]]


def _conv_dw(dout, cache, mistake):
    x, w, images, stride, padding, dilation = cache
    if mistake == "dw from the unpadded input":
        images = _padded(x, (0, 2 * padding[0]), (0, 2 * padding[1]))
    wide = _dilated(dout, stride)
    full = _correlated(images.swapaxes(0, 1), wide.swapaxes(0, 1)).swapaxes(0, 1)
    rows, columns = w.shape[2:]
    if mistake == "dw ignores the dilation":
        return full[:, :, :rows, :columns]
    if mistake == "dw keeps the last entries":
        return full[:, :, -rows:, -columns:]
    dw = full[:, :, :: dilation[0], :: dilation[1]][:, :, :rows, :columns]
    if mistake == "dw rotated":
        return dw[:, :, ::-1, ::-1]
    if mistake == "dw filters and channels transposed":
        return dw.swapaxes(0, 1)
    return dw / len(x) if mistake == "dw averaged over the batch" else dw


def conv_backward_works_only_unpadded(dout, cache):
    x, w, images, stride, _, dilation = cache
    dx, dw, db = conv_backward(dout, (images, w, images, stride, (0, 0), dilation))
    return dx[:, :, : x.shape[2], : x.shape[3]], dw, db


# -- pooling -----------------------------------------------------------------------------------------------------------


def _windows(array, size, stride):
    return np.lib.stride_tricks.sliding_window_view(array, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]


def maxpool_forward(x, size, stride):
    return _windows(x, size, stride).max(axis=(4, 5)), (x, size, stride)


def maxpool_backward(dout, cache, mistake=""):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for n, c, row, column in np.ndindex(dout.shape):
        area = (n, c, slice(row * stride, row * stride + size), slice(column * stride, column * stride + size))
        position = np.unravel_index(np.argmax(x[area]), (size, size))
        mask = np.zeros((size, size))
        mask[position] = 1
        if mistake == "all ties get the gradient":
            mask = (x[area] == x[area].max()).astype(x.dtype)
        if mistake == "overlapping windows assigned":
            dx[area] = np.where(mask > 0, dout[n, c, row, column], dx[area])
        elif mistake == "last maximum of the row":
            dx[area][position[0], -1] += dout[n, c, row, column]
        else:
            dx[area] += mask * dout[n, c, row, column]
    if mistake == "mask of the wrong window":
        return np.roll(dx, stride, axis=3)
    return dx


def avgpool_forward(x, size, stride, padding):
    images = _padded(x, (padding, padding), (padding, padding))
    return _windows(images, size, stride).mean(axis=(4, 5)), (x, images, size, stride, padding)


def avgpool_backward(dout, cache, mistake=""):
    x, images, size, stride, padding = cache
    inside = _padded(np.ones_like(x), (padding, padding), (padding, padding))
    dx = np.zeros_like(images)
    for n, c, row, column in np.ndindex(dout.shape):
        area = (n, c, slice(row * stride, row * stride + size), slice(column * stride, column * stride + size))
        count = inside[area].sum() if mistake == "divided by the unpadded count" else size**2
        if mistake == "overlapping windows assigned":
            dx[area] = dout[n, c, row, column] / count
        else:
            dx[area] += dout[n, c, row, column] / count
    dx = dx[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]]
    if mistake == "last partial window":  # rows that no window read get what their neighbours got
        dx[:, :, -1] = dx[:, :, -2]
    return dx * size if mistake == "divided by the side" else dx


# -- normalization -----------------------------------------------------------------------------------------------------


def _normalized(x, axes, eps):
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = (centred**2).mean(axis=axes, keepdims=True)
    return centred / np.sqrt(variance + eps), variance


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    xhat, variance = _normalized(x, 0, eps)
    return gamma * xhat + beta, (xhat, variance, gamma, eps)


_STANDARD_DEVIATIONS = {
    "eps outside the root": lambda variance, eps: np.sqrt(variance) + eps,
    "eps subtracted": lambda variance, eps: np.sqrt(variance - eps),
    "eps forgotten": lambda variance, _: np.sqrt(variance),
    "divided by the variance": lambda variance, eps: variance + eps,
}


def batchnorm_backward(dout, cache, mistake=""):
    xhat, variance, gamma, eps = cache
    count = len(xhat)
    dbeta, dgamma = dout.sum(axis=0), (dout * xhat).sum(axis=0)
    if mistake == "dgamma without xhat":
        dgamma = dbeta.copy()
    if mistake == "dgamma and dbeta swapped":
        dgamma, dbeta = dbeta, dgamma
    dxhat = dout if mistake == "gamma dropped" else dout * gamma
    mean = dxhat.sum(axis=0) / (count - 1 if mistake == "N off by one" else count)
    slope = (dxhat * xhat).sum(axis=0) / (count - 1 if mistake == "unbiased variance" else count)
    if mistake in {"mean term missing", "test mode's formula"}:
        mean = 0
    if mistake in {"variance term missing", "test mode's formula"}:
        slope = 0
    deviation = _STANDARD_DEVIATIONS.get(mistake, lambda variance, eps: np.sqrt(variance + eps))(variance, eps)
    return (dxhat - mean - xhat * slope) / deviation, dgamma, dbeta


def layernorm_forward(x, gamma, beta, eps=1e-5):
    xhat, variance = _normalized(x, 1, eps)
    return gamma * xhat + beta, (xhat, variance, gamma, eps)


def layernorm_backward(dout, cache, axis=1):
    xhat, variance, gamma, eps = cache
    dxhat = dout * gamma
    mean = dxhat.mean(axis=axis, keepdims=True)
    slope = (dxhat * xhat).mean(axis=axis, keepdims=True)
    return (dxhat - mean - xhat * slope) / np.sqrt(variance + eps), (dout * xhat).sum(axis=0), dout.sum(axis=0)


def groupnorm_forward(x, gamma, beta, groups, eps=1e-5):
    grouped = x.reshape(x.shape[0], groups, -1, *x.shape[2:])
    xhat, variance = _normalized(grouped, (2, 3, 4), eps)
    out = gamma[:, None, None] * xhat.reshape(x.shape) + beta[:, None, None]
    return out, (xhat, variance, gamma, eps)


def groupnorm_backward(dout, cache, axes=(2, 3, 4)):
    xhat, variance, gamma, eps = cache
    dxhat = (dout * gamma[:, None, None]).reshape(xhat.shape)
    mean = dxhat.mean(axis=axes, keepdims=True)
    slope = (dxhat * xhat).mean(axis=axes, keepdims=True)
    dx = (dxhat - mean - xhat * slope) / np.sqrt(variance + eps)
    flat = xhat.reshape(dout.shape)
    return dx.reshape(dout.shape), (dout * flat).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))


# -- affine, activations, losses, dropout ------------------------------------------------------------------------------


def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache, mistake=""):
    x, w = cache
    order = "F" if mistake == "reshaped in Fortran order" else "C"
    dx = (dout @ w.T).reshape(x.shape, order=order)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.mean(axis=0) if mistake == "db mean" else dout.sum(axis=0)
    if mistake == "dx twice too large":
        dx = 2 * dx
    if mistake == "db twice too large":
        db = 2 * db
    return dx, dw.T if mistake == "dw transposed" else dw, db


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, x):
    return dout * (x > 0)


def relu_backward_masks_cotangent(dout, x):
    return np.maximum(dout, 0) + 0 * x


def leaky_forward(x, slope=0.1):
    return np.where(x > 0, x, slope * x), (x, slope)


def leaky_backward(dout, cache, power=1):
    x, slope = cache
    return dout * np.where(x > 0, 1, slope**power).astype(x.dtype)


def sigmoid_forward(x):
    out = 1 / (1 + np.exp(-x))
    return out, (x, out)


def sigmoid_backward(dout, cache):
    return dout * cache[1] * (1 - cache[1])


def sigmoid_backward_of_the_input(dout, cache):
    return dout * cache[0] * (1 - cache[0])


def softmax_forward(x, y):
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    return -np.log(probabilities[np.arange(len(y)), y]).mean(), (probabilities, y)


def softmax_backward(dout, cache, mistake=""):
    probabilities, y = cache
    dx = probabilities.copy()
    dx[np.arange(len(y)), y] += 1 if mistake == "one-hot added" else -1
    return dout * (dx if mistake == "not averaged" else dx / len(y))


def softmax_backward_ignores_cotangent(_, cache):
    return softmax_backward(np.ones_like(cache[0][0, 0]), cache)


def dropout_forward(x, p=0.6, seed=3):
    mask = np.random.default_rng(seed).random(x.shape) < p
    return x * mask / p, (mask, p)


def dropout_backward(dout, cache):
    return dout * cache[0] / np.asarray(cache[1], dout.dtype)


def dropout_backward_unscaled(dout, cache):
    return dout * cache[0]


def dropout_backward_redraws_the_mask(dout, cache):
    return dout * (np.random.default_rng(4).random(dout.shape) < cache[1]) / cache[1]


# -- tanh, with every way to spoil a gradient that was right ---------------------------------------------------------


def tanh_forward(x):
    out = np.tanh(x)
    return out, (x, out)


def tanh_backward(dout, cache):
    return dout * (1 - cache[1] ** 2)


def tanh_backward_plus(dout, cache):
    return dout * (1 + cache[1] ** 2)


def tanh_backward_ignores_cotangent(_, cache):
    return 1 - cache[1] ** 2


def tanh_backward_squares_cotangent(dout, cache):
    return dout**2 * (1 - cache[1] ** 2)


def square_forward(x):
    return x * x, x


def square_backward(dout, x):
    return 2 * x * dout


def square_backward_nothing(dout, x):
    return 0 * x * dout


def square_backward_off(dout, x):
    return 2.001 * x * dout


def tanh_backward_accumulates(dout, cache):
    dx = cache[0]  # where zeros were meant
    dx += dout * (1 - cache[1] ** 2)
    return dx


def accumulating_forward(x):
    return np.tanh(x), (x, np.zeros_like(x))


def accumulating_backward(dout, cache):
    x, dx = cache
    dx += dout * (1 - np.tanh(x) ** 2)  # right the first time, twice as large the second
    return dx


def _first_entry_times(factor):
    def spoil(dx):
        dx[0, 0] *= factor
        return dx

    return spoil


def _zero_row(dx):
    dx[-1] = 0
    return dx


def _largest_entry_nan(dx):
    dx.flat[np.argmax(np.abs(dx))] = np.nan
    return dx


def _largest_entry_infinite(dx):
    dx.flat[np.argmax(np.abs(dx))] = np.inf
    return dx


_SPOILED = {
    "one element off by 1e-4": _first_entry_times(1 + 1e-4),
    "one element off by 1e-5": _first_entry_times(1 + 1e-5),
    "one element twice too large": _first_entry_times(2),
    "one element not a number": _largest_entry_nan,
    "one element infinite": _largest_entry_infinite,
    "complex": lambda dx: dx + 0j,
    "integers": lambda dx: np.rint(dx).astype(np.int64),
    "text": lambda dx: dx.astype(str),
    "one row short": lambda dx: dx[1:],
    "an axis too many": lambda dx: dx[None],
    "summed to one number": np.sum,
    "none": lambda _: None,
    "twice too large": lambda dx: 2 * dx,
    "wrong sign": np.negative,
    "zeros": np.zeros_like,
    "a zeroed row": _zero_row,
    "shifted by one": lambda dx: np.roll(dx, 1, axis=1),
    "a constant added": lambda dx: dx + 1e-3,
    "one gradient too many": lambda dx: (dx, dx),
    "by the wrong name": lambda dx: {"gradient": dx},
    "no gradient": lambda _: (),
}


def tanh_backward_spoiled(dout, cache, mistake):
    return _SPOILED[mistake](tanh_backward(dout, cache))


# -- the table ---------------------------------------------------------------------------------------------------------

_IMAGE = {"x": [2, 1, 5, 5], "w": [2, 1, 3, 3], "b": [2]}
_SMALL = {"x": [1, 2, 3, 4], "w": [2, 2, 2, 3], "b": [2]}
_SQUARE = {"x": [1, 2, 4, 4], "w": [2, 2, 3, 3], "b": [2]}
_RESIDUAL = {"x": [1, 1, 4, 6], "w": [2, 1, 3, 3], "b": [2]}
_STRIDED = {"stride": [2, 2], "padding": [1, 1]}
_CONV = {
    "kernel not rotated": (_SMALL, {"padding": [1, 1]}),
    "kernel flipped along one axis": (_SMALL, {"padding": [1, 1]}),
    "cotangent not dilated": (_IMAGE, _STRIDED),
    "filters and channels not swapped": (_SMALL, {}),
    "edge too narrow": (_SMALL, {"padding": [1, 1]}),
    "residual rows dropped": (_RESIDUAL, {"stride": [2, 2]}),
    "residual rows misplaced": (_RESIDUAL, {"stride": [2, 2]}),
    "padding not cropped": (_SMALL, {"padding": [1, 1]}),
    "padding cropped from the far side only": (_SMALL, {"padding": [1, 1]}),
    "padding cropped from the near side only": (_SMALL, {"padding": [1, 1]}),
    "height and width swapped": ({**_SMALL, "x": [1, 2, 4, 4]}, {"padding": [2, 1]}),
    "dw from the unpadded input": (_SMALL, {"padding": [1, 1]}),
    "dw ignores the dilation": ({**_SMALL, "w": [2, 2, 2, 2]}, {"dilation": [2, 2]}),
    "dw keeps the last entries": (_RESIDUAL, {"stride": [2, 2]}),
    "dw rotated": (_SMALL, {}),
    "dw filters and channels transposed": (_SMALL, {}),
    "dw averaged over the batch": (_IMAGE, _STRIDED),
    "bias mean": (_IMAGE, _STRIDED),
}
_MAXPOOL = ("overlapping windows assigned", "last maximum of the row", "mask of the wrong window")
_AVGPOOL = {
    "divided by the unpadded count": {"size": 2, "stride": 2, "padding": 1},
    "overlapping windows assigned": {"size": 3, "stride": 1, "padding": 0},
    "last partial window": {"size": 2, "stride": 2, "padding": 0},
    "divided by the side": {"size": 2, "stride": 2, "padding": 0},
}
_FEATURES = {
    "x": {"shape": [7, 3], "mean": 2.0, "std": 1.5},
    "gamma": {"shape": [3], "init": "uniform", "low": 0.5, "high": 1.5},
    "beta": [3],
}
_BATCHNORM = (
    "mean term missing",
    "variance term missing",
    "test mode's formula",
    "eps outside the root",
    "eps subtracted",
    "eps forgotten",
    "divided by the variance",
    "unbiased variance",
    "N off by one",
    "dgamma without xhat",
    "dgamma and dbeta swapped",
    "gamma dropped",
)
_AFFINE = ("dw transposed", "db mean", "reshaped in Fortran order")
_LABELS = {"x": [6, 4], "y": {"shape": [6], "init": "integers", "high": 4}}
_BELOW_SINGLE = {
    "eps outside the root",
    "eps subtracted",
    "eps forgotten",
    "one element off by 1e-4",
    "one element off by 1e-5",
}


def _named(function, mistake):
    return f"{function}__{mistake.replace(' ', '_').replace(chr(39), '').replace('-', '_')}"


def _rows():
    for mistake, (inputs, params) in _CONV.items():
        yield _row("conv", mistake, inputs, params)
    yield WrongLayer(
        "conv: works only at padding 0",
        _SMALL,
        ("conv_forward", "conv_backward"),
        ("conv_forward", "conv_backward_works_only_unpadded"),
        {"padding": [1, 1]},
    )
    for mistake in _MAXPOOL:
        yield _row("maxpool", mistake, {"x": [1, 2, 5, 5]}, {"size": 3, "stride": 2})
    for mistake, params in _AVGPOOL.items():
        yield _row("avgpool", mistake, {"x": [1, 2, 5, 5]}, params)
    for mistake in _BATCHNORM:
        yield _row("batchnorm", mistake, _FEATURES, {})
    for mistake in _AFFINE:
        yield _row("affine", mistake, {"x": [4, 2, 3], "w": [6, 6], "b": [6]}, {})
    for mistake in ("one-hot added", "not averaged"):
        yield _row("softmax", mistake, _LABELS, {})
    for mistake in _SPOILED:
        yield _row("tanh", mistake, {"x": [4, 5]}, {}, backward="tanh_backward_spoiled")
    yield from _SINGLE_ROWS


def _row(layer, mistake, inputs, params, backward=None):
    right = f"{layer}_backward"
    wrong = _named(right, mistake)
    globals()[wrong] = partial(globals()[backward or right], mistake=mistake)
    forward = f"{layer}_forward"
    single = mistake not in _BELOW_SINGLE
    return WrongLayer(f"{layer}: {mistake}", inputs, (forward, right), (forward, wrong), params, single)


def _beside(layer, wrong, inputs, **params):
    forward = f"{layer}_forward"
    name = wrong.removeprefix(f"{layer}_backward_").replace("_", " ")
    return WrongLayer(f"{layer}: {name}", inputs, (forward, f"{layer}_backward"), (forward, wrong), params)


layernorm_backward_over_the_batch = partial(layernorm_backward, axis=0)
groupnorm_backward_over_channels_alone = partial(groupnorm_backward, axes=(2,))
groupnorm_backward_over_space_alone = partial(groupnorm_backward, axes=(3, 4))
groupnorm_backward_over_the_batch_too = partial(groupnorm_backward, axes=(0, 2, 3, 4))
leaky_backward_slope_squared = partial(leaky_backward, power=2)
_WHOLE = {"size": 2, "stride": 2}
affine_backward__dx_twice_too_large = partial(affine_backward, mistake="dx twice too large")
affine_backward__db_twice_too_large = partial(affine_backward, mistake="db twice too large")
_GROUPS = {"x": [2, 4, 2, 2], "gamma": [4], "beta": [4]}

_SINGLE_ROWS = (
    _beside("layernorm", "layernorm_backward_over_the_batch", {"x": [3, 7], "gamma": [7], "beta": [7]}),
    _beside("groupnorm", "groupnorm_backward_over_channels_alone", _GROUPS, groups=2),
    _beside("groupnorm", "groupnorm_backward_over_space_alone", _GROUPS, groups=2),
    _beside("groupnorm", "groupnorm_backward_over_the_batch_too", _GROUPS, groups=2),
    _beside("relu", "relu_backward_masks_cotangent", {"x": [4, 5]}),
    _beside("leaky", "leaky_backward_slope_squared", {"x": [4, 5]}),
    _beside("sigmoid", "sigmoid_backward_of_the_input", {"x": [4, 5]}),
    _beside("softmax", "softmax_backward_ignores_cotangent", _LABELS),
    _beside("dropout", "dropout_backward_unscaled", {"x": [4, 5]}),
    _beside("dropout", "dropout_backward_redraws_the_mask", {"x": [4, 5]}),
    _beside("tanh", "tanh_backward_plus", {"x": [4, 5]}),
    _beside("tanh", "tanh_backward_ignores_cotangent", {"x": [4, 5]}),
    _beside("tanh", "tanh_backward_squares_cotangent", {"x": [4, 5]}),
    _beside("tanh", "tanh_backward_accumulates", {"x": [4, 5]}),
    WrongLayer(
        "accumulates across calls",
        {"x": [4, 5]},
        ("tanh_forward", "tanh_backward"),
        ("accumulating_forward", "accumulating_backward"),
    ),
    _row("maxpool", "all ties get the gradient", {"x": {"values": [[[[1.0, 1.0], [0.0, 1.0]]]]}}, _WHOLE),
    *(
        WrongLayer(f"square: {wrong}", {"x": {"shape": [4, 5], **data}}, ("square_forward", "square_backward"), pair)
        for wrong, data, pair in (
            (
                "nothing, far from zero",
                {"mean": 1e3, "std": 1e-3},
                ("square_forward", "square_backward_nothing"),
            ),
            ("0.05 %, far from zero", {"mean": 1e3, "std": 1e-3}, ("square_forward", "square_backward_off")),
        )
    ),
    WrongLayer(
        "dx twice too large, far from zero",
        {"x": {"shape": [6, 4], "mean": 1e4}, "w": [4, 3], "b": [3]},
        ("affine_forward", "affine_backward"),
        ("affine_forward", "affine_backward__dx_twice_too_large"),
    ),
    WrongLayer(
        "db twice too large, of a tiny bias",
        {"x": [6, 4], "w": [4, 3], "b": {"shape": [3], "std": 1e-6}},
        ("affine_forward", "affine_backward"),
        ("affine_forward", "affine_backward__db_twice_too_large"),
    ),
)

WRONG_LAYERS: tuple[WrongLayer, ...] = tuple(_rows())
