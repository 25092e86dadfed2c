"""Analytic against numerical, element by element, and the one table of tolerances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array

__all__ = ["TOLERANCES", "Bounds", "Comparison", "compare", "tolerance_for"]

# rtol and atol per dtype, well above the differences that right layers show (docs/tolerances.md says how measured).
TOLERANCES = {
    "longdouble": (1e-6, 1e-9),
    "float64": (1e-6, 1e-9),
    "float32": (1e-4, 1e-5),
    "float16": (5e-2, 2e-2),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a comparison allows.

    Attributes
    ----------
    rtol
        Relative to the larger of the two values.
    atol
        Relative to ``M``, the largest entry of the numerical gradient.
    floor
        Difference below which nothing can be told in this precision, absolute.
    """

    rtol: float
    atol: float
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Per element: the numerical value compared with, the difference, what is allowed, and the verdict."""

    numerical: Array
    difference: Array
    allowed: Array
    failed: Array
    inconclusive: Array
    relative: float


def tolerance_for(dtype: np.dtype[np.floating] | str, rtol: float | None, atol: float | None) -> tuple[float, float]:
    """Return rtol and atol, taking what is ``None`` from the table of the dtype (whose name depends on the machine)."""
    wanted = np.dtype(dtype)
    default_rtol, default_atol = next(both for name, both in TOLERANCES.items() if np.dtype(name) == wanted)
    return (default_rtol if rtol is None else rtol, default_atol if atol is None else atol)


def compare(analytic: Array, low: Array, high: Array, bar: Array, bounds: Bounds) -> Comparison:
    """Compare an analytic gradient with a numerical one that lies between ``low`` and ``high``.

    An element passes when ``|a - n| <= bar + rtol max(|a|, |n|) + atol M``, with ``n`` the point of ``[low, high]``
    nearest to ``a`` (one point but at kinks) and ``M = max |n|``. Differences below the floor always pass. It is
    inconclusive when it does not fail but the bar alone exceeds the rest, or when the numerical side is not finite.
    Entries of ``a`` that are not finite fail.

    Parameters
    ----------
    analytic, low, high, bar
        Arrays of one shape; ``bar`` is the error bar of the numerical side.
    bounds
        What is allowed beside the bar.
    """
    finite = np.isfinite(analytic)
    computed = np.isfinite(low) & np.isfinite(high)
    middle = np.where(computed, np.clip(np.where(finite, analytic, (low + high) / 2), low, high), np.nan)
    known = np.where(finite, analytic, 0)
    size = np.fmax(np.abs(known), np.abs(middle))
    largest = float(np.max(np.abs(middle), initial=0.0, where=computed))
    rest = np.maximum(bounds.rtol * size + bounds.atol * largest, bounds.floor)
    allowed = np.maximum(bar + bounds.rtol * size + bounds.atol * largest, bounds.floor)
    difference = np.where(finite, np.abs(known - middle), np.inf)
    failed = ~finite | (computed & ~(difference <= allowed))
    inconclusive = ~failed & ~(computed & (bar <= rest))
    counted = finite & computed & (size > bar + bounds.atol * largest)
    relative = np.divide(difference, size, out=np.zeros_like(size), where=counted)
    worst = float(np.max(relative, initial=0.0)) if np.all(finite) else float("inf")
    return Comparison(middle, difference, allowed, failed, inconclusive, worst)
