"""Values for parameters that the spec does not name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.numerics.sampling import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["varied"]

_JITTER = 0.25


def varied(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Return a parameter as it was made, or spread where all its entries are equal.

    A gamma of ones and a beta of zeros hide what is wrong with their gradients.
    """
    values = np.array(array)
    if not values.size or np.any(values != values.flat[0]):
        return values
    noise = _JITTER * stream(0, "parameter", name).standard_normal(values.shape)
    if values.flat[0] == 0:
        return noise.astype(values.dtype)
    spread: NDArray[Any] = (values * np.exp(noise)).astype(values.dtype)  # of one sign: a variance stays one
    return spread
