"""The softmax cross-entropy loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SoftmaxLossCache", "softmax_loss_backward", "softmax_loss_forward"]


class SoftmaxLossCache(NamedTuple):
    """The probabilities (N, K) and the labels (N,)."""

    probabilities: NDArray[Any]
    labels: NDArray[Any]


def softmax_loss_forward(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], SoftmaxLossCache]:
    """Return the mean cross-entropy of the softmax of scores; scores are shifted first, so that nothing overflows.

    ::

        z = x - max_k x                                     (N, K)
        loss = mean_n (log sum_k exp(z[n,k]) - z[n,y[n]])   ()
        p = exp(z) / sum_k exp(z)                           (N, K), kept for the backward pass

    Parameters
    ----------
    x
        Scores (N, K).
    y
        Labels (N,), integers from 0 to K - 1.

    Returns
    -------
    loss
        One number.
    cache
        For the backward pass.

    Raises
    ------
    ValueError
        A label is below 0, or not below K.
    """
    samples, classes = x.shape
    if np.any((y < 0) | (y >= classes)):
        raise ValueError(f"labels go from {y.min()} to {y.max()}, expected 0 to {classes - 1}")
    shifted = x - x.max(axis=1, keepdims=True)
    powers = np.exp(shifted)
    totals = powers.sum(axis=1, keepdims=True)
    losses = np.log(totals[:, 0]) - shifted[np.arange(samples), y]
    return losses.mean(), SoftmaxLossCache(powers / totals, y)


def softmax_loss_backward(dout: NDArray[Any], cache: SoftmaxLossCache) -> tuple[NDArray[Any]]:
    """Return the gradient of the scores.

    ::

        dx[n,k] = dout / N * (p[n,k] - [k = y[n]]),   where p[n,y] - 1 = - (sum of the other p[n,k])

    Parameters
    ----------
    dout
        One number.
    cache
        From the forward pass.

    Returns
    -------
    tuple of ndarray
        dx (N, K).
    """
    probabilities, labels = cache
    rows = np.arange(len(labels))
    dx = probabilities.copy()
    # p - 1 would lose every digit of a confident sample.
    dx[rows, labels] = 0
    dx[rows, labels] = -dx.sum(axis=1)
    return (dout * dx / len(labels),)
