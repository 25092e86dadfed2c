"""The fully connected layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AffineCache", "affine_backward", "affine_forward"]


class AffineCache(NamedTuple):
    """The inputs of the forward pass."""

    x: NDArray[Any]
    w: NDArray[Any]


def affine_forward(x: NDArray[Any], w: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[Any], AffineCache]:
    """Multiply flattened samples by a matrix, and shift them.

    ::

        out = x.reshape(N, D) @ w + b

    Parameters
    ----------
    x
        Samples (N, ...) of D entries each.
    w
        Weights (D, M).
    b
        Biases (M,).

    Returns
    -------
    out
        (N, M).
    cache
        For the backward pass.
    """
    return x.reshape(len(x), len(w)) @ w + b, AffineCache(x, w)


def affine_backward(dout: NDArray[Any], cache: AffineCache) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return the gradients of the three inputs.

    ::

        dx = (dout @ w^T).reshape(x.shape)
        dw = x.reshape(N, D)^T @ dout
        db = sum_n dout[n]

    Parameters
    ----------
    dout
        (N, M).
    cache
        From the forward pass.

    Returns
    -------
    dx, dw, db
        Of the shapes of x, w and b.
    """
    x, w = cache
    flat = x.reshape(len(x), len(w))
    return (dout @ w.T).reshape(x.shape), flat.T @ dout, dout.sum(axis=0)
