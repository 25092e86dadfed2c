"""What people write for torch, right and wrong: for test_torch.py."""

# ruff: noqa: ARG001, ARG004  signatures of torch

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.autograd.function import once_differentiable


class Affine(torch.autograd.Function):
    """Saves tensors and a number, and computes only what is asked for."""

    @staticmethod
    def forward(ctx, x, w, scale):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w)

    @staticmethod
    def backward(ctx, dout):
        x, w = ctx.saved_tensors
        dx = ctx.scale * dout @ w.T if ctx.needs_input_grad[0] else None
        dw = ctx.scale * x.T @ dout if ctx.needs_input_grad[1] else None
        return dx, dw, None


class AffineWithoutScale(Affine):
    @staticmethod
    def backward(ctx, dout):
        x, w = ctx.saved_tensors
        return dout @ w.T, ctx.scale * x.T @ dout, None


class AffineTransposed(Affine):
    @staticmethod
    def backward(ctx, dout):
        x, w = ctx.saved_tensors
        return ctx.scale * dout @ w.T, ctx.scale * dout.T @ x, None


class AffineWithOneGradient(Affine):
    @staticmethod
    def backward(ctx, dout):
        return dout @ ctx.saved_tensors[1].T


class AffineWithNone(Affine):
    @staticmethod
    def backward(ctx, dout):
        return ctx.scale * dout @ ctx.saved_tensors[1].T, None, None


class Exponential(torch.autograd.Function):
    """The later style, differentiable once."""

    @staticmethod
    def forward(x, w):
        return x * w.exp()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(inputs[1], output)

    @staticmethod
    @once_differentiable
    def backward(ctx, dout):
        w, out = ctx.saved_tensors
        return dout * w.exp(), (dout * out).sum(0)


class ExponentialSummed(Exponential):
    @staticmethod
    @once_differentiable
    def backward(ctx, dout):
        w, out = ctx.saved_tensors
        return dout * w.exp(), (dout * out).mean(0)


class TripledInPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        x.mul_(3)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, dout):
        return 3 * dout


class DoubledInPlace(TripledInPlace):
    @staticmethod
    def backward(ctx, dout):
        return 2 * dout


class SquareAndSigns(torch.autograd.Function):
    """Two outputs, one of which is not differentiable."""

    @staticmethod
    def forward(ctx, x):
        signs = x.sign()
        ctx.save_for_backward(x)
        ctx.mark_non_differentiable(signs)
        return x * x, signs

    @staticmethod
    def backward(ctx, dout, _):
        return 2 * dout * ctx.saved_tensors[0]


class SquareAndSignsHalved(SquareAndSigns):
    @staticmethod
    def backward(ctx, dout, _):
        return dout * ctx.saved_tensors[0]


class Picked(torch.autograd.Function):
    """Rows of a table by whole numbers."""

    @staticmethod
    def forward(ctx, rows, table):
        ctx.save_for_backward(rows)
        ctx.shape = table.shape
        return table[rows]

    @staticmethod
    def backward(ctx, dout):
        return None, torch.zeros(ctx.shape).index_add(0, ctx.saved_tensors[0], dout)


class PickedLast(Picked):
    @staticmethod
    def backward(ctx, dout):
        table = torch.zeros(ctx.shape)
        table[ctx.saved_tensors[0]] = dout  # rows that are picked twice count once
        return None, table


def powers(x, w, power):
    return (x @ w) ** power, x.sum()


def wrong_power(x, w):
    return Affine.apply(x, w, 2.0), AffineWithoutScale.apply(x, w, 2.0)


class Scale(nn.Module):
    """A layer made by hand around a function made by hand."""

    function = Affine

    def __init__(self, features, out, scale=1.5):
        super().__init__()
        self.w = nn.Parameter(torch.randn(features, out))
        self.b = nn.Parameter(torch.zeros(out))
        self.scale = scale

    def forward(self, x):
        return self.function.apply(x, self.w, self.scale) + self.b


class ScaleWrong(Scale):
    function = AffineWithoutScale


class Offset(torch.autograd.Function):
    """``x * gamma + beta``; beta's gradient needs no more than the cotangent."""

    @staticmethod
    def forward(ctx, x, gamma, beta):
        ctx.save_for_backward(x, gamma)
        return x * gamma + beta

    @staticmethod
    def backward(ctx, dout):
        x, gamma = ctx.saved_tensors
        return dout * gamma, (dout * x).sum(0), dout.sum(0)


class OffsetWithoutGamma(Offset):
    @staticmethod
    def backward(ctx, dout):  # right where gamma is 1
        return dout, (dout * ctx.saved_tensors[0]).sum(0), dout.sum(0)


class Normed(nn.Module):
    function = Offset

    def __init__(self, features):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(features))
        self.beta = nn.Parameter(torch.zeros(features))

    def forward(self, x):
        return self.function.apply(x, self.gamma, self.beta)


class NormedWrong(Normed):
    function = OffsetWithoutGamma


class Twice(nn.Module):
    """One weight under two names."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)))


class Remembers(nn.Module):
    """Changes itself in every way in every pass."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3))
        self.register_buffer("total", torch.zeros(3))
        self.passes, self.seen, self.kept = 0, [], torch.zeros(3)

    def forward(self, x):
        self.passes += 1
        self.seen.append(x)
        self.kept += 1
        self.total += 1
        self.last = x
        return x * self.w * self.passes + len(self.seen) + self.kept + self.total


class Frozen(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 2)
        self.inner.bias.requires_grad_(False)

    def forward(self, x):
        return self.inner(x)


class Coder(nn.Module):
    def __init__(self, width=2):
        super().__init__()
        self.inner = nn.Linear(3, width)

    def encode(self, x, scale=1.0):
        return self.inner(x) * scale


class Embedded(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.inner = nn.Embedding(7, 3), nn.Linear(3, 2)

    def forward(self, rows):
        return self.inner(self.table(rows))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x):
        return self.inner(x, x, x)


def convolutions():
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(inplace=True), nn.Conv2d(3, 2, 2))


def layernorms():
    return nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6), nn.GELU())


def dropped(p=0.5):
    return nn.Sequential(nn.Linear(4, 5), nn.Dropout(p), nn.Tanh())


def returns_module(x):
    return nn.Tanh()


def lazy():
    return nn.Sequential(nn.LazyLinear(4), nn.Tanh())


def weight_normed():
    return nn.utils.parametrizations.weight_norm(nn.Linear(3, 4))


def spectral_normed():
    return nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4))


recurrent = nn.LSTM(3, 4, bidirectional=True)
instance = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh())


class RandomMask(torch.autograd.Function):
    """Draws other masks in other precisions."""

    @staticmethod
    def forward(ctx, x):
        mask = (torch.rand_like(x) > 0.5).to(x.dtype)
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx, dout):
        return dout * ctx.saved_tensors[0]


class RandomMaskScaled(RandomMask):
    @staticmethod
    def backward(ctx, dout):
        return 1.25 * dout * ctx.saved_tensors[0]


def force(x):
    (slope,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    return slope


def force_wrong(x):
    (slope,) = torch.autograd.grad((x**3).sum(), x)
    return slope * x / x.detach()


def filled(x):
    out = torch.zeros(x.shape)  # of no dtype in particular
    for row in range(x.shape[0]):
        out[row] = x[row] ** 2
    return out


def named(x):
    return {"out": x}


def constant(x):
    return (x * 3).detach()


def partly_constant(x):
    return x * 2, x.argmax(), (x * 3).detach()


def spectrum(x):
    return torch.fft.fft(x)


def largest(x):
    return x.argmax()


def halved(x):
    return x.bfloat16() * 2


def raising(x):
    raise ValueError("not this one")


class Thing:
    pass


class Linear:
    """Forward and backward by hand, as courses have it."""

    @staticmethod
    def forward(x, w, b):
        return x.reshape(x.shape[0], -1).mm(w) + b, (x, w, b)

    @staticmethod
    def backward(dout, cache):
        x, w, _ = cache
        return dout.mm(w.t()).view(x.shape), x.reshape(x.shape[0], -1).t().mm(dout), dout.sum(dim=0)

    @staticmethod
    def backward_wrong(dout, cache):
        dx, dw, db = Linear.backward(dout, cache)
        return dx, dw, db / 2


def softmax_loss(x, y):
    x = x.clone().requires_grad_()
    loss = nn.functional.cross_entropy(x, y)
    loss.backward()
    return loss, x.grad


def masked_forward(x, p):
    mask = (torch.rand(x.shape) < p) / p
    return x * mask, mask


def masked_backward(dout, cache):
    return {"dx": dout * cache}


def mixed_forward(x):
    rows = np.arange(2)
    return {"x": x, "rows": rows, "both": [x, rows]}, x[rows] ** 2


def mixed_backward(dout, cache):
    assert isinstance(cache["rows"], np.ndarray)
    assert cache["both"][0] is cache["x"]
    dx = torch.zeros_like(cache["x"])
    dx[cache["rows"]] = 2 * dout * cache["x"][cache["rows"]]
    return dx


def slope(x):
    return 1 - torch.tanh(x) ** 2
