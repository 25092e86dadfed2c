"""The one normalization kernel: a forward pass, and three backward passes, behind two sets of axes."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "Array",
    "Axes",
    "NormalizationCache",
    "Statistics",
    "backward_closed",
    "backward_diagonal",
    "backward_graph",
    "normalize",
]

Array: TypeAlias = NDArray[Any]
Gradients: TypeAlias = tuple[Array, Array, Array]


class Axes(NamedTuple):
    """How a layer lays its arrays out for the kernel.

    Attributes
    ----------
    x, gamma
        Shapes of x, and of gamma and beta, where the kernel works; they broadcast.
    mean, scale
        The axes of x that share a mean, and those that share a gamma.
    """

    x: tuple[int, ...]
    gamma: tuple[int, ...]
    mean: tuple[int, ...]
    scale: tuple[int, ...]


class Statistics(NamedTuple):
    """A mean and a biased variance."""

    mean: Array
    var: Array


class NormalizationCache(NamedTuple):
    """What the backward passes need, as the kernel lays it out.

    Attributes
    ----------
    used
        The statistics ``mu`` and ``s2``, of x or given.
    centered, xhat
        ``x' = x - mu`` and ``x' / sqrt(s2 + eps)``.
    spread, root
        ``s2 + eps``, and its root.
    gamma, axes
        The scale, and the layout.
    fixed
        Whether the statistics were given, so that x has no influence on them.
    shapes
        The shapes of x and gamma as the caller has them.
    running_mean, running_var
        For the layers that keep them: the running statistics after this batch, one number per feature.
    """

    used: Statistics
    centered: Array
    xhat: Array
    spread: Array
    root: Array
    gamma: Array
    axes: Axes
    fixed: bool
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    running_mean: Array | None = None
    running_var: Array | None = None


def normalize(
    x: Array, scale: tuple[Array, Array], axes: Axes, eps: float, given: Statistics | None = None
) -> tuple[Array, NormalizationCache]:
    """Run the forward kernel behind a layout.

    Parameters
    ----------
    x
        Input, as the caller has it.
    scale
        gamma and beta.
    axes
        The layout.
    eps
        Added to the variance under the root.
    given
        Statistics that stand in for those of x.

    Returns
    -------
    out, cache
        The normalized input, of the shape of x, and what the backward passes need.
    """
    laid_out = x.reshape(axes.x)
    gamma, beta = (item.reshape(axes.gamma) for item in scale)
    mean = laid_out.mean(axis=axes.mean, keepdims=True) if given is None else given.mean
    centered = laid_out - mean
    # A square, not |x'|^2: the complex step needs an analytic variance.
    var = (centered * centered).mean(axis=axes.mean, keepdims=True) if given is None else given.var
    spread = var + eps
    root = np.sqrt(spread)
    xhat = centered / root
    out = gamma * xhat + beta
    shapes = (x.shape, scale[0].shape)
    fixed = given is not None
    cache = NormalizationCache(Statistics(mean, var), centered, xhat, spread, root, gamma, axes, fixed, shapes)
    return out.reshape(x.shape), cache


def _backward(
    dout: Array,
    cache: NormalizationCache,
    dgamma_of: Callable[[Array, NormalizationCache], Array],
    dx_of: Callable[[Array, NormalizationCache], Array],
) -> Gradients:
    """Walk back from the output to ``dxhat``; how ``dgamma`` and ``dx`` are computed is the caller's choice."""
    x_shape, gamma_shape = cache.shapes
    dy = dout.reshape(cache.axes.x)
    dbeta = dy.sum(axis=cache.axes.scale)
    dgamma = dgamma_of(dy, cache)
    dxhat = dy * cache.gamma
    dx = dxhat / cache.root if cache.fixed else dx_of(dxhat, cache)
    return dx.reshape(x_shape), dgamma.reshape(gamma_shape), dbeta.reshape(gamma_shape)


def _dgamma_elementwise(dy: Array, cache: NormalizationCache) -> Array:
    return np.asarray((dy * cache.xhat).sum(axis=cache.axes.scale))


def _dgamma_diagonal(dy: Array, cache: NormalizationCache) -> Array:
    shared = cache.axes.scale
    length = prod(dy.shape[axis] for axis in shared)
    front = tuple(range(len(shared)))
    left, right = (np.moveaxis(item, shared, front).reshape(length, -1) for item in (dy, cache.xhat))
    return np.diagonal(left.T @ right).copy()


def _dx_graph(dxhat: Array, cache: NormalizationCache) -> Array:
    axes = cache.axes.mean
    m = prod(dxhat.shape[axis] for axis in axes)
    ds2 = (dxhat * (-1 / 2) * cache.xhat / cache.spread).sum(axis=axes, keepdims=True)
    dcentered = dxhat / cache.root + ds2 * 2 / m * cache.centered
    dmu = -dcentered.sum(axis=axes, keepdims=True)
    return np.asarray(dcentered + dmu / m)


def _dx_closed(dxhat: Array, cache: NormalizationCache) -> Array:
    axes = cache.axes.mean
    offset = dxhat.mean(axis=axes, keepdims=True)
    slope = (dxhat * cache.xhat).mean(axis=axes, keepdims=True)
    return np.asarray((dxhat - offset - cache.xhat * slope) / cache.root)


def backward_graph(dout: Array, cache: NormalizationCache) -> Gradients:
    """Walk the computation graph back, node by node.

    ::

        node    formula                                         sum over             shape
        dbeta   sum dy                                          what shares a gamma  as gamma
        dgamma  sum dy * xhat                                   what shares a gamma  as gamma
        dxhat   dy * gamma                                                           as x
        ds2     sum dxhat * (-1/2) * xhat / (s2 + eps)          what shares a mean   one per mean
        dx'     dxhat / sqrt(s2 + eps) + ds2 * (2/m) * x'                            as x
        dmu     - sum dx'                                       what shares a mean   one per mean
        dx      dx' + dmu / m                                                        as x

    m is how many values share one mean. With running statistics mu and s2 do not depend on x, and
    dx = dxhat / sqrt(s2 + eps).

    Parameters
    ----------
    dout
        dy, of the shape of x.
    cache
        From the forward pass.

    Returns
    -------
    dx, dgamma, dbeta
        Of the shapes of x, gamma and beta.
    """
    return _backward(dout, cache, _dgamma_elementwise, _dx_graph)


def backward_closed(dout: Array, cache: NormalizationCache) -> Gradients:
    """Compute dx in one formula, which follows when the nodes of the graph are put into one another.

    ::

        dx = (dxhat - mean(dxhat) - xhat * mean(dxhat * xhat)) / sqrt(s2 + eps),   means over what shares a mean

    The other nodes, the parameters and the returns are those of the graph backward pass.
    """
    return _backward(dout, cache, _dgamma_elementwise, _dx_closed)


def backward_diagonal(dout: Array, cache: NormalizationCache) -> Gradients:
    """Walk the graph back, with dgamma in its matrix form.

    ::

        dgamma = diag(dy^T xhat),   dy and xhat as matrices (what shares a gamma, what does not)

    All but the diagonal of that product is thrown away: it shows what the element-wise form saves.
    The other nodes, the parameters and the returns are those of the graph backward pass.
    """
    return _backward(dout, cache, _dgamma_diagonal, _dx_graph)
