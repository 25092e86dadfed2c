"""Layers whose gradients vanish: all that is left of them is what rounds."""

from __future__ import annotations

import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    p = e / e.sum(axis=-1, keepdims=True)
    return p, p


def softmax_backward(dout, p):
    return p * (dout - (dout * p).sum(axis=-1, keepdims=True))


def softmax_wrong(dout, p):
    return p * (dout - 0.999 * (dout * p).sum(axis=-1, keepdims=True))


def summed_layernorm(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    xhat = centred / deviation
    return xhat.sum(axis=-1), (xhat, deviation)


def summed_layernorm_backward(dout, cache):
    xhat, deviation = cache
    through = dout[:, None] * np.ones_like(xhat)
    mean, along = through.mean(axis=-1, keepdims=True), (through * xhat).mean(axis=-1, keepdims=True)
    return (through - mean - xhat * along) / deviation


def summed_layernorm_wrong(dout, cache):
    xhat, deviation = cache
    through = dout[:, None] * np.ones_like(xhat)
    return (through - 0.999 * through.mean(axis=-1, keepdims=True)) / deviation
