"""Layers whose gradients are wrong in one part alone, beside the right ones."""

from __future__ import annotations

import numpy as np


def conv_forward(x, w, stride=1, pad=0):
    images = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(images, w.shape[2:], (2, 3))[:, :, ::stride, ::stride]
    return np.einsum("nckluv,fcuv->nfkl", windows, w), (x, w, windows, stride, pad)


def conv_backward(dout, cache, crop=0):
    x, w, windows, stride, pad = cache
    images = np.zeros((*x.shape[:2], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad))
    rows, columns = w.shape[2:]
    for k, m in np.ndindex(dout.shape[2:]):
        area = np.s_[:, :, k * stride : k * stride + rows, m * stride : m * stride + columns]
        images[area] += np.einsum("nf,fcuv->ncuv", dout[:, :, k, m], w)
    dx = np.zeros_like(x)
    high, wide = x.shape[2] - crop, x.shape[3] - crop
    dx[:, :, :high, :wide] = images[:, :, pad : pad + high, pad : pad + wide]
    return dx, np.einsum("nfkl,nckluv->fcuv", dout, windows)


def conv_backward_crops_one_too_many(dout, cache):
    return conv_backward(dout, cache, crop=1)


def conv_backward_without_the_edge(dout, cache):
    dx, dw = conv_backward(dout, cache)
    dx[:, :, [0, -1]] = dx[..., [0, -1]] = 0
    return dx, dw


def conv_backward_centre_of_the_kernel_alone(dout, cache):
    dx, dw = conv_backward(dout, cache)
    dw[:, :, [0, -1]] = 0
    return dx, dw


def scale_forward(x):
    return x**3 + x, x


def scale_backward(dout, x):
    return dout * (3 * x**2 + 1)


def spoiled(part, factor):
    def backward(dout, x):
        dx = scale_backward(dout, x)
        dx[part] *= factor
        return dx

    return backward


one_channel_twice = spoiled(np.s_[:, 2], 2.0)
one_sample_dropped = spoiled(np.s_[1], 0.0)
one_element_off = spoiled((0, 2, 3, 3), 1.001)
everything_twice = spoiled(np.s_[...], 2.0)
not_a_number = spoiled(np.s_[:, :, :, 4], np.nan)


def holes(dout, x):
    dx = np.zeros_like(x)
    dx[:, :, ::2, ::2] = scale_backward(dout, x)[:, :, ::2, ::2]
    return dx


def rows_last_forward(x, w):  # x is NHWC and w HWIO
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], (1, 2))
    return np.einsum("nklcuv,uvcf->nklf", windows, w), (x, w, windows)


def rows_last_backward(dout, cache):
    x, w, windows = cache
    dx = np.zeros_like(x)
    for k, m in np.ndindex(dout.shape[1:3]):
        dx[:, k : k + w.shape[0], m : m + w.shape[1]] += np.einsum("nf,uvcf->nuvc", dout[:, k, m], w)
    dx[:, -1] = 0
    dw = np.einsum("nklf,nklcuv->uvcf", dout, windows)
    dw[..., 1, :] *= 2
    return dx, dw


def coupled_forward(x):  # every output follows every element, so that no two can be moved together
    total = np.tanh(x.sum())
    return x * total, (x, total)


def coupled_backward_one_row_twice(dout, cache):
    x, total = cache
    dx = dout * total + (dout * x).sum() * (1 - total**2)
    dx[3] *= 2
    return dx
