"""Layers whose backward pass is wrong under one condition, and right otherwise; each beside its right twin.

Written apart from gradverify's own layers, in plain NumPy.
"""

from __future__ import annotations

import numpy as np

# -- convolution -------------------------------------------------------------------------------------------------------


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    images = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(images, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.tensordot(windows, w, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + b[:, None, None]
    return out, (x, w, images, stride, pad)


def _gradients(dout, cache):
    """Return dx with its padding, dw and db."""
    _, w, images, stride, _ = cache
    dimages, dw = np.zeros_like(images), np.zeros_like(w)
    for row in range(dout.shape[2]):
        for column in range(dout.shape[3]):
            rows = slice(row * stride, row * stride + w.shape[2])
            columns = slice(column * stride, column * stride + w.shape[3])
            dimages[:, :, rows, columns] += np.tensordot(dout[:, :, row, column], w, 1)
            dw += np.tensordot(dout[:, :, row, column], images[:, :, rows, columns], (0, 0))
    return dimages, dw, dout.sum(axis=(0, 2, 3))


def _cropped(dimages, cache):
    x, pad = cache[0], cache[4]
    return dimages[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]]


def conv_backward(dout, cache):
    dimages, dw, db = _gradients(dout, cache)
    return _cropped(dimages, cache), dw, db


def conv_backward_sliced(dout, cache):
    """``[pad:-pad]`` is empty where there is no padding."""
    dimages, dw, db = _gradients(dout, cache)
    pad = cache[4]
    return dimages[:, :, pad:-pad, pad:-pad], dw, db


def conv_backward_broadcast(dout, cache):
    """The same, written into an array of the right shape: the assignment raises."""
    dimages, dw, db = _gradients(dout, cache)
    pad = cache[4]
    dx = np.empty_like(cache[0])
    dx[...] = dimages[:, :, pad:-pad, pad:-pad]
    return dx, dw, db


def conv_backward_swapped(dout, cache):
    """Height and width change places in a reshape, which is seen only where they differ."""
    dx, dw, db = conv_backward(dout, cache)
    x = cache[0]
    return dx.reshape(*x.shape[:2], x.shape[3], x.shape[2]).swapaxes(2, 3) if x.shape[2] != x.shape[3] else dx, dw, db


def _residual(cache):
    _, w, images, stride, _ = cache
    return [(length - kernel) % stride for length, kernel in zip(images.shape[2:], w.shape[2:], strict=True)]


def conv_backward_misplaced(dout, cache):
    """The rows that no window reads are put at the near end."""
    dimages, dw, db = _gradients(dout, cache)
    return _cropped(np.roll(dimages, _residual(cache), axis=(2, 3)), cache), dw, db


def conv_backward_misplaced_and_unpadded(dout, cache):
    """Two things must come together: no padding, and windows that do not fit."""
    dx, dw, db = conv_backward(dout, cache)
    return dx, dw * (2.0 if any(_residual(cache)) and cache[4] == 0 else 1.0), db


# -- pooling -----------------------------------------------------------------------------------------------------------


def pool_forward(x, size, stride):
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    return windows.max(axis=(4, 5)), (x, size, stride)


def _pool_gradient(dout, cache, *, accumulates):
    x, size, stride = cache
    dx = np.zeros_like(x)
    for sample, channel, row, column in np.ndindex(*dout.shape):
        window = x[sample, channel, row * stride :, column * stride :][:size, :size]
        place = np.unravel_index(window.argmax(), window.shape)
        target = sample, channel, row * stride + place[0], column * stride + place[1]
        dx[target] = dout[sample, channel, row, column] + (dx[target] if accumulates else 0)
    return dx


def pool_backward(dout, cache):
    return _pool_gradient(dout, cache, accumulates=True)


def pool_backward_assigns(dout, cache):
    """An element that is the maximum of two windows keeps the gradient of the last."""
    return _pool_gradient(dout, cache, accumulates=False)
