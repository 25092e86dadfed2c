"""Seeded data: every array comes from a stream of its own, so that nothing depends on order or on other arrays."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["cotangent", "fill", "signed", "signs", "stream"]


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream that belongs to a seed and a path of names.

    Parameters
    ----------
    seed
        Any whole number of at least 0.
    names
        What the stream is for: the case's name, then the input's, say. Streams of different names are independent.
    """
    digest = hashlib.blake2b("\0".join(names).encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, *np.frombuffer(digest, dtype=np.uint32).tolist()]))


def fill(kind: str, shape: tuple[int, ...], options: Mapping[str, float], random: np.random.Generator) -> NDArray[Any]:
    """Return an array in float64 (int64 for ``integers`` and ``arange``), filled as a spec says.

    Parameters
    ----------
    kind
        ``normal``, ``uniform``, ``ones``, ``zeros``, ``arange``, ``integers`` or ``onehot``: one 1 along the last axis.
    shape
        Shape of the array.
    options
        ``mean`` and ``std`` of normal; ``low`` and ``high`` of uniform and integers (exclusive).
    random
        The stream to draw from.
    """
    if kind == "normal":
        return random.normal(options.get("mean", 0.0), options.get("std", 1.0), shape)
    if kind == "uniform":
        return random.uniform(options.get("low", 0.0), options.get("high", 1.0), shape)
    if kind == "integers":
        return random.integers(int(options.get("low", 0)), int(options["high"]), shape)
    if kind == "onehot":
        return np.eye(shape[-1])[random.integers(0, shape[-1], shape[:-1])]
    if kind == "arange":
        return np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
    return np.full(shape, {"ones": 1.0, "zeros": 0.0}[kind])


def cotangent(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.floating]:
    """Return a cotangent of random sign, each entry between 0.5 and 1.5 in size.

    A cotangent of ones hides errors: through a batch normalization it gives ``dx = 0`` for right and wrong code
    alike. One near zero hides the entries it multiplies.
    """
    return signed(shape, (0.5, 1.5), random)


def signed(shape: tuple[int, ...], sizes: tuple[float, float], random: np.random.Generator) -> NDArray[np.floating]:
    """Return numbers of random sign, between two bounds in size."""
    return signs(shape, random) * random.uniform(*sizes, shape)


def signs(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.floating]:
    """Return a Rademacher direction: independent entries of +1 or -1."""
    return random.integers(0, 2, shape) * 2.0 - 1.0
