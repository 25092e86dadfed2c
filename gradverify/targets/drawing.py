"""Values of parameters that a case does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.sampling import stream

if TYPE_CHECKING:
    from gradverify.targets.protocol import Array

__all__ = ["varied"]

# How far the entries of a constant parameter are moved, relative to the constant or to 1.
_MOVED = 0.25


def varied(name: str, array: Array) -> Array:
    """Return a parameter as it is; where all entries are equal, with normal noise added.

    A scale of ones and an offset of zeros hide what backward does with them.
    """
    if array.size == 0 or array.dtype.kind != "f" or np.any(array != array.flat[0]):
        return array
    constant = float(array.flat[0])
    noise = stream(0, "parameter", name).standard_normal(array.shape)
    return np.asarray(constant + _MOVED * max(1.0, abs(constant)) * noise).astype(array.dtype)
