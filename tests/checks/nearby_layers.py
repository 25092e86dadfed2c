"""Layers that stand any verdict, and misbehave after a number of forward passes that a test chooses."""

from __future__ import annotations

import numpy as np

# How many forward passes have been made, how many are harmless, and what the next ones do.
STATE = {"passes": 0, "harmless": np.inf, "then": lambda: None}


def reset(harmless=np.inf, then=lambda: None):
    STATE.clear()
    STATE.update(passes=0, harmless=harmless, then=then)


def forward(x):
    STATE["passes"] += 1
    if STATE["passes"] > STATE["harmless"]:
        STATE["then"]()
    return np.tanh(x), x


def backward(dout, x):
    return dout * (1 - np.tanh(x) ** 2)


def backward_without_the_last_row(dout, x):
    dx = dout * (1 - np.tanh(x) ** 2)
    dx[-1] = 0
    return dx


def replace_tanh():
    """Put another function into NumPy; whoever verifies puts the first one back."""
    np.tanh = np.sinh


def leave():
    raise SystemExit(3)


def complain():
    raise RuntimeError("too many passes")


def sum_forward(x, w, rows):
    return (x * w).sum(axis=1) + rows, (x, w)


def sum_backward(dout, cache):
    x, w = cache
    return dout[:, None] * w, (dout[:, None] * x).sum(axis=0)


def sum_backward_scaled(dout, cache):
    dx, dw = sum_backward(dout, cache)
    return dx, 2 * dw


def picky_forward(x, w):
    """Return ``tanh(x) * w``, but for other ``w`` than at first."""
    STATE["passes"] += 1
    if STATE.setdefault("w", w.copy()).tolist() != w.tolist():
        raise ValueError("w is a constant")
    return np.tanh(x) * w, (x, w)


def picky_backward(dout, cache):
    x, w = cache
    return dout * w * (1 - np.tanh(x) ** 2), (dout * np.tanh(x)).sum(axis=0)
