"""Two-dimensional convolution (cross-correlation), computed in three ways that share only padding and sizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradverify.layers.windows import Array, Extent, Pair, Slide, crop, gather, pad, scatter, slide

__all__ = [
    "ConvolutionCache",
    "Im2colCache",
    "correlate",
    "dilate",
    "im2col_backward",
    "im2col_forward",
    "naive_backward",
    "naive_forward",
    "rot180_backward",
    "rot180_forward",
    "rotate180",
]


class ConvolutionCache(NamedTuple):
    """What the backward passes of ``naive`` and ``rot180`` need."""

    x: Array
    w: Array
    moves: Slide


class Im2colCache(NamedTuple):
    """What the backward pass of ``im2col`` needs; ``columns`` is ``(N, C HH WW, H' W')``."""

    columns: Array
    w: Array
    moves: Slide


def _moves(x: Array, w: Array, stride: Extent, padding: Extent, dilation: Extent) -> Slide:
    if x.shape[1] != w.shape[1]:
        raise ValueError(f"x has {x.shape[1]} channels, but the kernel has {w.shape[1]}")
    return slide(x.shape[2:], w.shape[2:], stride=stride, padding=padding, dilation=dilation)


def naive_forward(  # noqa: PLR0913  the inputs and parameters of the layer
    x: Array, w: Array, b: Array, *, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1
) -> tuple[Array, ConvolutionCache]:
    """Convolve by the definition, one output at a time.

    ::

        V[n,f,k,l] = b[f] + sum_chw X_pad[n, c, kS + hD, lS + wD] W[f,c,h,w]
        H' = floor((H + 2P - D(HH - 1) - 1) / S) + 1

    Parameters
    ----------
    x
        Input (N, C, H, W).
    w
        Kernel (F, C, HH, WW).
    b
        Biases (F,).
    stride, padding, dilation
        S, P and D, each a number or (vertical, horizontal).

    Returns
    -------
    out
        V, (N, F, H', W').
    cache
        For the backward pass.

    Raises
    ------
    GeometryError
        The dilated kernel is larger than the padded input.
    ValueError
        Input and kernel differ in their channels.
    """
    moves = _moves(x, w, stride, padding, dilation)
    padded = pad(x, moves.edges)
    out = np.empty((len(x), len(w), *moves.output), dtype=np.result_type(x, w, b))
    for n, k, l in np.ndindex(len(x), *moves.output):  # noqa: E741  the formula calls it l
        window = padded[(n, slice(None), *moves.window(k, l))]
        for f, kernel in enumerate(w):
            out[n, f, k, l] = b[f] + (window * kernel).sum()
    return out, ConvolutionCache(x, w, moves)


def naive_backward(dout: Array, cache: ConvolutionCache) -> tuple[Array, Array, Array]:
    """Give every output's cotangent back to the window and the kernel that made it.

    ::

        dX_pad[n, c, kS + hD, lS + wD] += dV[n,f,k,l] W[f,c,h,w]
        dW[f,c,h,w]                    += dV[n,f,k,l] X_pad[n, c, kS + hD, lS + wD]
        db[f]                          += dV[n,f,k,l]

    Parameters
    ----------
    dout
        dV, (N, F, H', W').
    cache
        From the forward pass.

    Returns
    -------
    dx, dw, db
        Of the shapes of x, w and b.
    """
    x, w, moves = cache
    padded = pad(x, moves.edges)
    dpadded = np.zeros(padded.shape, dtype=np.result_type(dout, w))
    dw = np.zeros(w.shape, dtype=np.result_type(dout, x))
    db = np.zeros(len(w), dtype=dout.dtype)
    for n, f, k, l in np.ndindex(dout.shape):  # noqa: E741  the formula calls it l
        window = (n, slice(None), *moves.window(k, l))
        dpadded[window] += dout[n, f, k, l] * w[f]
        dw[f] += dout[n, f, k, l] * padded[window]
        db[f] += dout[n, f, k, l]
    return crop(dpadded, moves.edges), dw, db


def dilate(x: Array, steps: Pair) -> Array:
    """Return a copy of ``x`` with ``step - 1`` zeros between neighbours of its last two axes."""
    rows, columns = x.shape[-2:]
    down, right = steps
    dilated = np.zeros((*x.shape[:-2], (rows - 1) * down + 1, (columns - 1) * right + 1), dtype=x.dtype)
    dilated[..., ::down, ::right] = x
    return dilated


def rotate180(w: Array) -> Array:
    """Return a view of ``w`` with its last two axes reversed."""
    return w[..., ::-1, ::-1]


def correlate(x: Array, kernel: Array, steps: Pair = (1, 1)) -> Array:
    """Slide a kernel over an image, one entry at a time and only where it fits.

    ::

        out[a,b,k,l] = sum_mhw x[a, m, k + h, l + w] kernel[b,m,h,w]

    Parameters
    ----------
    x
        Images (A, M, H, W).
    kernel
        Kernels (B, M, HH, WW).
    steps
        By what the kernel is dilated. Only entries at these steps count: what ``dilate`` inserted is no zero of the
        kernel's own, and would turn a NaN that no window reads into one that every output carries.

    Returns
    -------
    ndarray
        (A, B, H - HH + 1, W - WW + 1).
    """
    height, width = kernel.shape[2:]
    rows, columns = x.shape[2] - height + 1, x.shape[3] - width + 1
    out = np.zeros((len(x), len(kernel), rows, columns), dtype=np.result_type(x, kernel))
    for h in range(0, height, steps[0]):
        for w in range(0, width, steps[1]):
            shifted = x[:, :, h : h + rows, w : w + columns]
            out += np.einsum("amkl,bm->abkl", shifted, kernel[:, :, h, w])
    return out


def rot180_forward(  # noqa: PLR0913  the inputs and parameters of the layer
    x: Array, w: Array, b: Array, *, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1
) -> tuple[Array, ConvolutionCache]:
    """Correlate at stride 1 with the dilated kernel, and keep every S-th output.

    ::

        V = (X_pad * dilate(W, D))[::S, ::S] + b
        H' = floor((H + 2P - D(HH - 1) - 1) / S) + 1

    Parameters, returns and errors are those of ``naive_forward``.
    """
    moves = _moves(x, w, stride, padding, dilation)
    down, right = moves.stride
    dense = correlate(pad(x, moves.edges), dilate(w, moves.dilation), moves.dilation)
    return dense[:, :, ::down, ::right] + b[:, None, None], ConvolutionCache(x, w, moves)


def rot180_backward(dout: Array, cache: ConvolutionCache) -> tuple[Array, Array, Array]:
    """Correlate the dilated cotangent with the input, and with the rotated kernel.

    With K = D(HH - 1) + 1, the residual r = (H + 2P - K) mod S, and * a correlation at stride 1::

        dV~ = dilate(dV, S) with K - 1 zeros around      (H' - 1)(S - 1) + H' + 2(K - 1)
        dX_pad = dV~ * rot180(dilate(W, D))              (H' - 1)S + K
               with r zero rows at the far end           H + 2P
        dX = dX_pad without its P outer rows             H
        dW = X_pad * dilate(dV, S)                       K + r
           the first K of them, every D-th               HH
        db = sum_nkl dV

    The right column is the length along one axis; (H' - 1)S + K = H + 2P - r is the size identity.
    Parameters and returns are those of ``naive_backward``.
    """
    x, w, moves = cache
    dilated = dilate(dout, moves.stride)
    return _input_gradient(dilated, w, moves), _kernel_gradient(dilated, x, moves), dout.sum(axis=(0, 2, 3))


def _input_gradient(dilated: Array, w: Array, moves: Slide) -> Array:
    kernel = rotate180(dilate(w, moves.dilation))
    rows, columns = kernel.shape[2] - 1, kernel.shape[3] - 1
    full = pad(dilated, ((rows, rows), (columns, columns)))
    read = correlate(full, kernel.swapaxes(0, 1), moves.dilation)
    below, beside = (
        length + 2 * edge - found
        for length, edge, found in zip(moves.input, moves.padding, read.shape[2:], strict=True)
    )
    return crop(pad(read, ((0, below), (0, beside))), moves.edges)


def _kernel_gradient(dilated: Array, x: Array, moves: Slide) -> Array:
    # Samples are what is summed over here, as channels are in the forward pass.
    padded = pad(x, moves.edges).swapaxes(0, 1)
    correlated = correlate(padded, dilated.swapaxes(0, 1), moves.stride).swapaxes(0, 1)
    return correlated[(..., *_first(moves))].copy()


def _first(moves: Slide) -> tuple[slice, slice]:
    """Return the places of the kernel's entries among the ``K + r`` correlations: the first ``K``, every ``D``-th."""
    return moves.window(0, 0)


def im2col_forward(  # noqa: PLR0913  the inputs and parameters of the layer
    x: Array, w: Array, b: Array, *, stride: Extent = 1, padding: Extent = 0, dilation: Extent = 1
) -> tuple[Array, Im2colCache]:
    """Gather the windows as columns, and multiply once.

    ::

        columns[n] = the H' W' windows of X_pad[n], each C HH WW entries long
        V[n] = W.reshape(F, C HH WW) @ columns[n] + b
        H' = floor((H + 2P - D(HH - 1) - 1) / S) + 1

    Parameters, returns and errors are those of ``naive_forward``.
    """
    moves = _moves(x, w, stride, padding, dilation)
    windows = gather(pad(x, moves.edges), moves)
    columns = windows.reshape(len(x), w[0].size, moves.output[0] * moves.output[1])
    out = w.reshape(len(w), -1) @ columns + b[:, None]
    return out.reshape(len(x), len(w), *moves.output), Im2colCache(columns, w, moves)


def im2col_backward(dout: Array, cache: Im2colCache) -> tuple[Array, Array, Array]:
    """Multiply back, and add the columns up where they were gathered.

    ::

        dW = sum_n dV[n] @ columns[n]^T
        dcolumns[n] = W^T @ dV[n]
        dX_pad[n, c, kS + hD, lS + wD] += dcolumns[n]
        db = sum_nkl dV

    Parameters and returns are those of ``naive_backward``.
    """
    columns, w, moves = cache
    flat = dout.reshape(len(dout), len(w), -1)
    dw = (flat @ columns.swapaxes(1, 2)).sum(axis=0).reshape(w.shape)
    dcolumns = w.reshape(len(w), -1).T @ flat
    windows = dcolumns.reshape(len(dout), *w.shape[1:], *moves.output)
    return scatter(windows, moves), dw, flat.sum(axis=(0, 2))
