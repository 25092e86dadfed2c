"""Nine mistakes in a backward pass, each made behind a right built-in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

__all__ = ["BUGS", "Backward", "Bug"]

# Takes a cotangent and a cache, and returns gradients by input.
Backward: TypeAlias = Callable[[np.ndarray, Any], dict[str, np.ndarray]]


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake, and the workload of ``DETECTION`` in which it is made.

    Attributes
    ----------
    spoil
        Gets the right backward pass, the cotangent and the cache; returns the gradients that are wrong.
    """

    workload: str
    spoil: Callable[[Backward, np.ndarray, Any], dict[str, np.ndarray]]


def _scaled(name: str, place: tuple[Any, ...], factor: float) -> Any:
    """Return a mistake that multiplies some entries of one gradient."""

    def spoil(backward: Backward, dout: np.ndarray, cache: Any) -> dict[str, np.ndarray]:
        wrong = backward(dout, cache)[name].copy()
        wrong[place] *= factor
        return {name: wrong}

    return spoil


def _kernel_not_rotated(backward: Backward, dout: np.ndarray, cache: Any) -> dict[str, np.ndarray]:
    # A full correlation turns the kernel by 180 degrees; a kernel turned beforehand comes out as if it did not.
    return {"x": backward(dout, cache._replace(w=cache.w[..., ::-1, ::-1]))["x"]}


def _bias_mean(_: Backward, dout: np.ndarray, _cache: Any) -> dict[str, np.ndarray]:
    return {"b": dout.mean(axis=(0, 2, 3))}


def _without_mean_term(backward: Backward, dout: np.ndarray, cache: Any) -> dict[str, np.ndarray]:
    return {"x": backward(dout, cache)["x"] + (dout * cache.gamma).mean(axis=0) / cache.root}


def _eps_outside_the_root(backward: Backward, dout: np.ndarray, cache: Any) -> dict[str, np.ndarray]:
    root_and_eps = np.sqrt(cache.used.var) + (cache.spread - cache.used.var)
    return {"x": backward(dout, cache)["x"] * cache.root / root_and_eps}


def _column_shifted(backward: Backward, dout: np.ndarray, cache: Any) -> dict[str, np.ndarray]:
    return {"x": np.roll(backward(dout, cache)["x"], 1, axis=-1)}


BUGS = {
    "one entry of dx off by 1e-4": Bug("conv", _scaled("x", (1, 1, 3, 3), 1 + 1e-4)),
    "one entry of dw zero": Bug("affine", _scaled("w", (10, 3), 0)),
    "dx of the wrong sign": Bug("batchnorm", _scaled("x", (...,), -1)),
    "one channel of dx off by 1e-3": Bug("groupnorm", _scaled("x", (slice(None), 1), 1 + 1e-3)),
    "kernel not rotated": Bug("conv", _kernel_not_rotated),
    "db a mean, not a sum": Bug("conv", _bias_mean),
    "no mean term": Bug("batchnorm", _without_mean_term),
    "sqrt(var) + eps": Bug("batchnorm", _eps_outside_the_root),
    "dx shifted by a column": Bug("maxpool", _column_shifted),
}
