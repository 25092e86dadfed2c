"""One normalization kernel, and four layers that are this kernel behind two sets of axes.

A layer says which axes share a mean and which share a gamma:

=================  ===================  ==============  ==============
layer              x for the kernel     share a mean    share a gamma
=================  ===================  ==============  ==============
batchnorm          (N, D)               N               N
spatial_batchnorm  (N, C, H, W)         N, H, W         N, H, W
layernorm          (N, ...)             ...             N
groupnorm          (N, G, C/G, ...)     C/G, ...        N, ...
=================  ===================  ==============  ==============
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradverify.layers.normalization_kernel import (
    Array,
    Axes,
    NormalizationCache,
    Statistics,
    backward_closed,
    backward_diagonal,
    backward_graph,
    normalize,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "batchnorm_backward_closed",
    "batchnorm_backward_diagonal",
    "batchnorm_backward_graph",
    "batchnorm_forward",
    "groupnorm_backward_closed",
    "groupnorm_backward_diagonal",
    "groupnorm_backward_graph",
    "groupnorm_forward",
    "layernorm_backward_closed",
    "layernorm_backward_diagonal",
    "layernorm_backward_graph",
    "layernorm_forward",
    "spatial_batchnorm_backward_closed",
    "spatial_batchnorm_backward_diagonal",
    "spatial_batchnorm_backward_graph",
    "spatial_batchnorm_forward",
]


def _per_feature(value: ArrayLike, like: Array, name: str) -> Array:
    """Return a copy of a running statistic as one number per feature, in the dtype of x."""
    given = np.array(value, dtype=like.dtype)
    features = like.shape[1]
    if given.shape not in {(), (features,)}:
        raise ValueError(f"{name} has shape {given.shape}, expected one number, or one for each of {features}")
    return given + np.zeros(features, dtype=like.dtype)


def batchnorm_forward(  # noqa: PLR0913  the inputs and parameters of the layer
    x: Array,
    gamma: Array,
    beta: Array,
    *,
    eps: float = 1e-5,
    mode: str = "train",
    momentum: float = 0.9,
    running_mean: ArrayLike = 0,
    running_var: ArrayLike = 1,
) -> tuple[Array, NormalizationCache]:
    """Normalize every feature over the batch (Ioffe & Szegedy, 2015).

    ::

        train: mu = mean(x), x' = x - mu, s2 = mean(x'^2)   over all axes of x but the second
        test:  mu = running_mean, s2 = running_var
        xhat = x' / sqrt(s2 + eps)
        y = gamma * xhat + beta
        running = momentum * running + (1 - momentum) * batch, kept in the cache; unchanged in test mode

    Parameters
    ----------
    x
        Input (N, D) or (N, C, H, W): the second axis counts the features.
    gamma, beta
        Scale and shift, one per feature.
    eps
        Added to the variance under the root.
    mode
        train: statistics of the batch; test: the running ones.
    momentum
        Weight of the past in the running statistics.
    running_mean, running_var
        Running statistics before this batch: a number, or one per feature. Variances are biased.

    Returns
    -------
    out
        y, of the shape of x.
    cache
        For the backward pass; its running_mean and running_var are those after this batch.

    Raises
    ------
    ValueError
        The mode is neither train nor test, or a running statistic has another length than the features.
    """
    if mode not in {"train", "test"}:
        raise ValueError(f"mode is {mode!r}, expected 'train' or 'test'")
    others = (0, *range(2, x.ndim))
    one_each = (-1, *(1 for _ in range(2, x.ndim)))
    axes = Axes(x.shape, one_each, mean=others, scale=others)
    before = Statistics(_per_feature(running_mean, x, "running_mean"), _per_feature(running_var, x, "running_var"))
    if mode == "test":
        given = Statistics(before.mean.reshape(one_each), before.var.reshape(one_each))
        out, cache = normalize(x, (gamma, beta), axes, eps, given)
        return out, cache._replace(running_mean=before.mean, running_var=before.var)
    out, cache = normalize(x, (gamma, beta), axes, eps)
    mean, var = (momentum * old + (1 - momentum) * new.reshape(-1) for old, new in zip(before, cache.used, strict=True))
    return out, cache._replace(running_mean=mean, running_var=var)


# Images differ in their axes only, and those follow from x.
spatial_batchnorm_forward = batchnorm_forward


def layernorm_forward(x: Array, gamma: Array, beta: Array, *, eps: float = 1e-5) -> tuple[Array, NormalizationCache]:
    """Normalize every sample over its own entries (Ba, Kiros & Hinton, 2016).

    ::

        mu = mean(x), x' = x - mu, s2 = mean(x'^2)   over all axes of x but the first
        xhat = x' / sqrt(s2 + eps)
        y = gamma * xhat + beta

    Parameters
    ----------
    x
        Input (N, ...).
    gamma, beta
        Scale and shift, of the shape of one sample.
    eps
        Added to the variance under the root.

    Returns
    -------
    out
        y, of the shape of x.
    cache
        For the backward pass.
    """
    sample = tuple(range(1, x.ndim))
    axes = Axes(x.shape, x.shape[1:], mean=sample, scale=(0,))
    return normalize(x, (gamma, beta), axes, eps)


def groupnorm_forward(
    x: Array, gamma: Array, beta: Array, *, groups: int, eps: float = 1e-5
) -> tuple[Array, NormalizationCache]:
    """Normalize every group of channels of every sample (Wu & He, 2018).

    ::

        x seen as (N, G, C/G, ...)
        mu = mean(x), x' = x - mu, s2 = mean(x'^2)   over C/G, ...
        xhat = x' / sqrt(s2 + eps)
        y = gamma * xhat + beta                      gamma and beta per channel

    Parameters
    ----------
    x
        Input (N, C, ...).
    gamma, beta
        Scale and shift, one per channel.
    groups
        G, which divides C.
    eps
        Added to the variance under the root.

    Returns
    -------
    out
        y, of the shape of x.
    cache
        For the backward pass.

    Raises
    ------
    ValueError
        The groups do not divide the channels.
    """
    samples, channels, *space = x.shape
    if channels % groups:
        raise ValueError(f"{groups} groups do not divide {channels} channels")
    split = (groups, channels // groups)
    seen = (samples, *split, *space)
    spatial = tuple(range(3, len(seen)))
    axes = Axes(seen, (*split, *(1 for _ in space)), mean=(2, *spatial), scale=(0, *spatial))
    return normalize(x, (gamma, beta), axes, eps)


batchnorm_backward_graph = spatial_batchnorm_backward_graph = backward_graph
layernorm_backward_graph = groupnorm_backward_graph = backward_graph
batchnorm_backward_closed = spatial_batchnorm_backward_closed = backward_closed
layernorm_backward_closed = groupnorm_backward_closed = backward_closed
batchnorm_backward_diagonal = spatial_batchnorm_backward_diagonal = backward_diagonal
layernorm_backward_diagonal = groupnorm_backward_diagonal = backward_diagonal
