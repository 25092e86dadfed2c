"""Wrong backward passes for known-bad.yaml: right forwards, and the mistakes that people make behind them."""

import numpy as np


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(axis=0), x.var(axis=0)
    xhat = (x - mean) / np.sqrt(var + eps)
    return gamma * xhat + beta, (xhat, gamma, var, eps)


def _batchnorm_backward(dout, cache, *, mean_term=1.0, variance_term=1.0, eps_outside=False):
    xhat, gamma, var, eps = cache
    dxhat = dout * gamma
    inner = dxhat - mean_term * dxhat.mean(axis=0) - variance_term * xhat * (dxhat * xhat).mean(axis=0)
    std = np.sqrt(var) + eps if eps_outside else np.sqrt(var + eps)
    return inner / std, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def batchnorm_backward_without_variance(dout, cache):
    return _batchnorm_backward(dout, cache, variance_term=0.0)


def batchnorm_backward_without_mean(dout, cache):
    return _batchnorm_backward(dout, cache, mean_term=0.0)


def batchnorm_backward_eps_outside(dout, cache):
    return _batchnorm_backward(dout, cache, eps_outside=True)


def conv_forward(x, w, b, stride=1, padding=0):
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))[:, :, ::stride, ::stride]
    out = np.einsum("ncklij,fcij->nfkl", windows, w) + b[:, None, None]
    return out, (x, w, windows, stride, padding)


def _conv_backward(dout, cache, *, rotated=True, dilated=True):
    x, w, windows, stride, padding = cache
    dw = np.einsum("nfkl,ncklij->fcij", dout, windows)
    n, f, rows, columns = dout.shape
    high, wide = w.shape[2:]
    spread = np.zeros((n, f, x.shape[2] + 2 * padding - high + 1, x.shape[3] + 2 * padding - wide + 1))
    if dilated:
        spread[:, :, ::stride, ::stride] = dout
    else:
        spread[:, :, :rows, :columns] = dout
    full = np.pad(spread, ((0, 0), (0, 0), (high - 1, high - 1), (wide - 1, wide - 1)))
    kernel = w[:, :, ::-1, ::-1] if rotated else w
    slid = np.lib.stride_tricks.sliding_window_view(full, (high, wide), axis=(2, 3))
    dx = np.einsum("nfklij,fcij->nckl", slid, kernel)
    return (
        dx[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]],
        dw,
        dout.sum(axis=(0, 2, 3)),
    )


def conv_backward_not_rotated(dout, cache):
    return _conv_backward(dout, cache, rotated=False)


def conv_backward_not_dilated(dout, cache):
    return _conv_backward(dout, cache, dilated=False)


def conv_backward_bias_mean(dout, cache):
    dx, dw, _ = _conv_backward(dout, cache)
    return dx, dw, dout.mean(axis=(0, 2, 3))


def conv_backward_swapped(dout, cache):
    dx, dw, db = _conv_backward(dout, cache)
    return dw, dx, db


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward_masks_cotangent(dout, x):
    return np.where(dout > 0, dout, 0 * x)


def softmax_loss(x, y):
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    loss = -np.log(probabilities[rows, y]).mean()
    gradient = probabilities.copy()
    gradient[rows, y] -= 1
    return loss, gradient  # the mean's 1/N is forgotten


def tanh_forward(x):
    out = np.tanh(x)
    return out, out


def tanh_backward_one_element(dout, out):
    dx = dout * (1 - out**2)
    dx[2, 3] *= 1 + 1e-4
    return dx
