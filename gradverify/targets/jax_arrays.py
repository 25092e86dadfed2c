"""Arrays of jax from arrays of numpy and back, and double precision where it is asked for."""

from __future__ import annotations

from contextlib import nullcontext
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from gradverify.targets.protocol import Array

# Older versions have it among what is experimental.
_WHERE = "jax" if hasattr(jax, "enable_x64") else "jax.experimental"

__all__ = ["array_of", "numpy_of", "precision", "seed", "shared_of"]


def array_of(array: Array) -> Any:
    """Return a copy as an array of jax, which may share memory with what it is given otherwise.

    Raises
    ------
    TypeError
        jax has no such dtype: extended precision, for one.
    """
    return jnp.array(array)


# Arrays of jax cannot be written into: none shares its memory.
shared_of = array_of


def numpy_of(value: Any) -> Any:
    """Return a copy of an array of jax as one of numpy, and anything else as it is."""
    return np.array(value) if isinstance(value, jax.Array) else value


def precision(dtype: np.dtype[Any] | None) -> AbstractContextManager[Any]:
    """Return where jax keeps double precision, if a dtype has it: elsewhere it turns float64 into float32, unasked."""
    if dtype is None or dtype.itemsize < 8:
        return nullcontext()
    double: AbstractContextManager[Any] = resolve_name(f"{_WHERE}:enable_x64")(True)
    return double


def seed(number: int) -> None:
    """Do nothing: what jax draws depends on keys alone."""
