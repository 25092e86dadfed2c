"""Layers that take and return float64 and compute in float32: a buffer that somebody forgot.

The factor of the wrong backward passes is far above that noise.
"""

from __future__ import annotations

import numpy as np

WRONG = 2.0


def _single(*arrays):
    return [array.astype(np.float32) for array in arrays]


def _double(*arrays):
    return tuple(array.astype(np.float64) for array in arrays)


def affine_forward(x, w, b):
    x, w, b = _single(x, w, b)
    return (x @ w + b).astype(np.float64), (x, w)


def affine_backward(dout, cache, factor=1.0):
    x, w = cache
    (dout,) = _single(dout)
    return _double(dout @ w.T, factor * (x.T @ dout), dout.sum(axis=0))


def conv_forward(x, w):
    """Correlate one channel with one kernel, in buffers of float32."""
    out = np.zeros([side - reach + 1 for side, reach in zip(x.shape, w.shape, strict=True)], np.float32)
    for i, j in np.ndindex(w.shape):
        out += x[i : i + out.shape[0], j : j + out.shape[1]].astype(np.float32) * np.float32(w[i, j])
    return out.astype(np.float64), _single(x, w)


def conv_backward(dout, cache, factor=1.0):
    x, w = cache
    dx, dw = np.zeros(x.shape, np.float32), np.zeros(w.shape, np.float32)
    for i, j in np.ndindex(w.shape):
        area = np.s_[i : i + dout.shape[0], j : j + dout.shape[1]]
        dx[area] += dout.astype(np.float32) * w[i, j]
        dw[i, j] = np.sum(dout.astype(np.float32) * x[area])
    return _double(factor * dx, dw)


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    x, gamma, beta = _single(x, gamma, beta)
    centred = x - x.mean(axis=0)
    root = np.sqrt((centred**2).mean(axis=0) + np.float32(eps))
    return (gamma * (centred / root) + beta).astype(np.float64), (centred / root, root, gamma)


def batchnorm_backward(dout, cache, factor=1.0):
    xhat, root, gamma = cache
    (dout,) = _single(dout)
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - factor * xhat * (dxhat * xhat).mean(axis=0)) / root
    return _double(dx, (dout * xhat).sum(axis=0), dout.sum(axis=0))


def affine_backward_wrong(dout, cache):
    return affine_backward(dout, cache, WRONG)


def conv_backward_wrong(dout, cache):
    return conv_backward(dout, cache, WRONG)


def batchnorm_backward_wrong(dout, cache):
    return batchnorm_backward(dout, cache, WRONG)
