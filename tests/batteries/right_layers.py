"""Layers as people write them, all right; the tests spoil a line of one at a time."""

import numpy as np


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    n, _, high, wide = x.shape
    f, _, hh, ww = w.shape
    rows, columns = (high + 2 * pad - hh) // stride + 1, (wide + 2 * pad - ww) // stride + 1
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((n, f, rows, columns))
    for k in range(rows):
        for j in range(columns):
            window = xp[:, :, k * stride : k * stride + hh, j * stride : j * stride + ww]
            out[:, :, k, j] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (x, xp, w, conv_param)


def conv_backward(dout, cache):
    x, xp, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    high, wide = x.shape[2:]
    hh, ww = w.shape[2:]
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    for k in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows, columns = slice(k * stride, k * stride + hh), slice(j * stride, j * stride + ww)
            dw += np.tensordot(dout[:, :, k, j], xp[:, :, rows, columns], axes=(0, 0))
            dxp[:, :, rows, columns] += np.tensordot(dout[:, :, k, j], w, axes=(1, 0))
    dx = dxp[:, :, pad : pad + high, pad : pad + wide]
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def maxpool_forward(x, pool_param):
    hh, ww, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    n, c, high, wide = x.shape
    rows, columns = (high - hh) // stride + 1, (wide - ww) // stride + 1
    out = np.full((n, c, rows, columns), -np.inf)
    for k in range(rows):
        for j in range(columns):
            window = x[:, :, k * stride : k * stride + hh, j * stride : j * stride + ww]
            out[:, :, k, j] = np.maximum(out[:, :, k, j], window.max(axis=(2, 3)))
    return out, (x, pool_param)


def maxpool_backward(dout, cache):
    x, pool_param = cache
    hh, ww, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for i, c, k, j in np.ndindex(dout.shape):
        window = x[i, c, k * stride : k * stride + hh, j * stride : j * stride + ww]
        row, column = np.unravel_index(np.argmax(window), window.shape)
        dx[i, c, k * stride + row, j * stride + column] += dout[i, c, k, j]
    return dx


def avgpool_forward(x, hh, ww, stride):
    rows, columns = (x.shape[2] - hh) // stride + 1, (x.shape[3] - ww) // stride + 1
    out = np.empty((*x.shape[:2], rows, columns))
    for k in range(rows):
        for j in range(columns):
            window = x[:, :, k * stride : k * stride + hh, j * stride : j * stride + ww]
            out[:, :, k, j] = window.mean(axis=(2, 3))
    return out, (x, hh, ww, stride)


def avgpool_backward(dout, cache):
    x, hh, ww, stride = cache
    dx = np.zeros_like(x)
    for k in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            share = dout[:, :, k : k + 1, j : j + 1] / (hh * ww)
            dx[:, :, k * stride : k * stride + hh, j * stride : j * stride + ww] += share
    return dx


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1) @ w + b
    return out, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T @ dout
    db = np.sum(dout, axis=0)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(x, 0)
    return out, x


def relu_backward(dout, x):
    dx = dout * (x > 0)
    return dx


def batchnorm_forward(x, gamma, beta, bn_param):
    eps, mode = bn_param["eps"], bn_param["mode"]
    if mode == "test":
        mean, var = bn_param["running_mean"], bn_param["running_var"]
        std = np.sqrt(var + eps)
        xhat = (x - mean) / std
        return gamma * xhat + beta, (xhat, gamma, std, mode)
    mean = x.mean(axis=0)
    var = ((x - mean) ** 2).mean(axis=0)
    std = np.sqrt(var + eps)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, gamma, std, mode)


def batchnorm_backward(dout, cache):
    xhat, gamma, std, mode = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    if mode == "test":
        return dxhat / std, dgamma, dbeta
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / std
    return dx, dgamma, dbeta


def spatial_forward(x, gamma, beta, bn_param):
    n, c, h, w = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, c)
    out, cache = batchnorm_forward(flat, gamma, beta, bn_param)
    return out.reshape(n, h, w, c).transpose(0, 3, 1, 2), cache


def spatial_backward(dout, cache):
    n, c, h, w = dout.shape
    flat = dout.transpose(0, 2, 3, 1).reshape(-1, c)
    dx, dgamma, dbeta = batchnorm_backward(flat, cache)
    return dx.reshape(n, h, w, c).transpose(0, 3, 1, 2), dgamma, dbeta


def layernorm_forward(x, gamma, beta, ln_param):
    mean = x.mean(axis=1, keepdims=True)
    var = x.var(axis=1, keepdims=True)
    std = np.sqrt(var + ln_param["eps"])
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def layernorm_backward(dout, cache):
    xhat, gamma, std = cache
    dgamma = (dout * xhat).sum(axis=0)
    dbeta = dout.sum(axis=0)
    d = dout * gamma
    dx = (d - d.mean(axis=1, keepdims=True) - xhat * (d * xhat).mean(axis=1, keepdims=True)) / std
    return dx, dgamma, dbeta


def groupnorm_forward(x, gamma, beta, groups, gn_param):
    n, c, h, w = x.shape
    grouped = x.reshape(n, groups, c // groups, h, w)
    mean = grouped.mean(axis=(2, 3, 4), keepdims=True)
    var = grouped.var(axis=(2, 3, 4), keepdims=True)
    std = np.sqrt(var + gn_param["eps"])
    xhat = ((grouped - mean) / std).reshape(x.shape)
    return gamma * xhat + beta, (xhat, gamma, std, groups)


def groupnorm_backward(dout, cache):
    xhat, gamma, std, groups = cache
    n, c, h, w = dout.shape
    dgamma = (dout * xhat).sum(axis=(0, 2, 3), keepdims=True)
    dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
    shape = (n, groups, c // groups, h, w)
    d, normal = (dout * gamma).reshape(shape), xhat.reshape(shape)
    shared = d.mean(axis=(2, 3, 4), keepdims=True) + normal * (d * normal).mean(axis=(2, 3, 4), keepdims=True)
    dx = ((d - shared) / std).reshape(dout.shape)
    return dx, dgamma, dbeta


def softmax_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -logs[np.arange(len(y)), y].mean()
    dx = np.exp(logs)
    dx[np.arange(len(y)), y] -= 1
    dx /= len(y)
    return loss, dx


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    mask = (np.random.rand(*x.shape) < p) / p
    out = x * mask if mode == "train" else x
    return out, (mask, mode)


def dropout_backward(dout, cache):
    mask, mode = cache
    dx = dout * mask if mode == "train" else dout
    return dx
