"""Inverted dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DropoutCache", "dropout_backward", "dropout_forward"]


class DropoutCache(NamedTuple):
    """Which entries were kept, or ``None`` in test mode, and the fraction kept."""

    mask: NDArray[np.bool_] | None
    p: float


def dropout_forward(
    x: NDArray[Any], *, p: float = 0.5, mode: str = "train", seed: int = 0
) -> tuple[NDArray[Any], DropoutCache]:
    """Keep each entry with probability p, scaled so that its expectation stays (Srivastava et al., 2014).

    ::

        train: out = x * mask / p,   mask = [u < p], u uniform on [0, 1) from the seed
        test:  out = x

    Parameters
    ----------
    x
        Input, any shape.
    p
        Fraction kept, 0 < p <= 1.
    mode
        train or test.
    seed
        Of the mask: one seed, one mask per shape.

    Returns
    -------
    out
        Of the shape of x; a copy in test mode.
    cache
        For the backward pass.

    Raises
    ------
    ValueError
        p is not a fraction to keep, or the mode is neither train nor test.
    """
    if not 0 < p <= 1:
        raise ValueError(f"p is {p}, expected a number above 0 and at most 1")
    if mode not in {"train", "test"}:
        raise ValueError(f"mode is {mode!r}, expected 'train' or 'test'")
    mask = np.asarray(np.random.default_rng(seed).random(x.shape) < p) if mode == "train" else None
    cache = DropoutCache(mask, p)
    return _masked(x, cache), cache


def dropout_backward(dout: NDArray[Any], cache: DropoutCache) -> tuple[NDArray[Any]]:
    """Pass the cotangent on through the same mask.

    ::

        train: dx = dout * mask / p
        test:  dx = dout

    Parameters
    ----------
    dout
        Of the shape of x.
    cache
        From the forward pass.

    Returns
    -------
    tuple of ndarray
        dx, of the shape of x.
    """
    return (_masked(dout, cache),)


def _masked(values: NDArray[Any], cache: DropoutCache) -> NDArray[Any]:
    return values.copy() if cache.mask is None else values * cache.mask / cache.p
