"""Two-dimensional pooling: overlapping, non-dividing and padded windows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradverify.layers.windows import Array, Extent, Slide, gather, pad, scatter, slide

__all__ = [
    "AveragePoolCache",
    "MaxPoolCache",
    "avgpool2d_backward",
    "avgpool2d_forward",
    "maxpool2d_backward",
    "maxpool2d_forward",
]


class MaxPoolCache(NamedTuple):
    """Which entry of its window each output is, row by row, as ``(N, C, 1, H', W')``."""

    chosen: Array
    moves: Slide


class AveragePoolCache(NamedTuple):
    """How the window slid."""

    moves: Slide


def _moves(x: Array, kernel_size: Extent, stride: Extent | None, padding: Extent) -> Slide:
    step = kernel_size if stride is None else stride
    return slide(x.shape[2:], kernel_size, stride=step, padding=padding, reads_padding_only=False)


def maxpool2d_forward(
    x: Array, *, kernel_size: Extent, stride: Extent | None = None, padding: Extent = 0
) -> tuple[Array, MaxPoolCache]:
    """Take the maximum of every window.

    ::

        V[n,c,k,l] = max_hw X_pad[n, c, kS + h, lS + w],   X_pad is -inf in the padding
        H' = floor((H + 2P - HH) / S) + 1

    Parameters
    ----------
    x
        Input (N, C, H, W).
    kernel_size, stride, padding
        HH, S (the kernel size where it is None) and P, each a number or (vertical, horizontal).

    Returns
    -------
    out
        V, (N, C, H', W').
    cache
        For the backward pass.

    Raises
    ------
    GeometryError
        A window is larger than the padded input, or lies wholly in padding.
    """
    moves = _moves(x, kernel_size, stride, padding)
    windows = gather(pad(x, moves.edges, -np.inf), moves)
    candidates = windows.reshape(*x.shape[:2], moves.kernel[0] * moves.kernel[1], *moves.output)
    chosen = candidates.argmax(axis=2, keepdims=True)
    return np.take_along_axis(candidates, chosen, axis=2)[:, :, 0], MaxPoolCache(chosen, moves)


def maxpool2d_backward(dout: Array, cache: MaxPoolCache) -> tuple[Array]:
    """Give every cotangent to the entry that was the maximum; the first one, row by row, where several were.

    ::

        dX_pad[n, c, kS + h*, lS + w*] += dV[n,c,k,l],   (h*, w*) the first maximum of window (k, l)

    Parameters
    ----------
    dout
        dV, (N, C, H', W').
    cache
        From the forward pass.

    Returns
    -------
    tuple of ndarray
        dx, of the shape of x.
    """
    chosen, moves = cache
    height, width = moves.kernel
    places = np.arange(height * width).reshape(-1, 1, 1)
    # Not a product with the mask: 0 * nan is nan, and would reach the window's other entries.
    windows = np.where(chosen == places, dout[:, :, None], 0)
    return (scatter(windows.reshape(*dout.shape[:2], height, width, *moves.output), moves),)


def avgpool2d_forward(
    x: Array, *, kernel_size: Extent, stride: Extent | None = None, padding: Extent = 0
) -> tuple[Array, AveragePoolCache]:
    """Take the mean of every window; the zeros of the padding count.

    ::

        V[n,c,k,l] = (1 / (HH WW)) sum_hw X_pad[n, c, kS + h, lS + w]
        H' = floor((H + 2P - HH) / S) + 1

    Parameters, returns and errors are those of ``maxpool2d_forward``.
    """
    moves = _moves(x, kernel_size, stride, padding)
    return gather(pad(x, moves.edges), moves).mean(axis=(2, 3)), AveragePoolCache(moves)


def avgpool2d_backward(dout: Array, cache: AveragePoolCache) -> tuple[Array]:
    """Share every cotangent out evenly over its window.

    ::

        dX_pad[n, c, kS + h, lS + w] += dV[n,c,k,l] / (HH WW)

    Parameters and returns are those of ``maxpool2d_backward``.
    """
    (moves,) = cache
    height, width = moves.kernel
    share = (dout / (height * width))[:, :, None, None]
    windows = np.broadcast_to(share, (*dout.shape[:2], height, width, *moves.output))
    return (scatter(windows, moves),)
