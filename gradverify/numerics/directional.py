"""Derivatives along one direction of some or all inputs: as many passes, whatever the number of elements.

With ``D(h)`` the central difference of order 2, ``R4 = (4 D(h) - D(2h)) / 3`` and, with ``R4`` at ``h`` and ``2h``,
``R6 = (16 R4(h) - R4(2h)) / 15`` (Richardson, 1911). The differences are taken output by output before they are summed.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradverify.numerics.functional import Array, Functional

__all__ = ["Directional", "central_rows", "extrapolated", "representable", "richardson"]

_FACTORS = (1, 2, 4)
# Steps in units of the direction, from the one that fits smooth code to those that fit between kinks.
_STEPS = (2.0**-8, 2.0**-13, 2.0**-18, 2.0**-23)
# Error, relative to the sum of the terms' sizes, at which no other step is tried.
_SHARP = 1e-11
# The error of order 6 is estimated from those of order 2 and 4, which is right within a factor.
_SAFETY = 16
# Standard deviations of noise that a bar covers.
_DEVIATIONS = 3


@dataclass(frozen=True, slots=True)
class Directional:
    """A derivative along a direction, and its error bar."""

    value: float
    bar: float


def central_rows(functional: Functional, directions: Mapping[str, Array], step: float) -> Array | None:
    """Return ``(y(x + h v) - y(x - h v)) / 2h`` of every output, or ``None`` where the code raises there; 2 passes."""
    inputs = functional.inputs
    sides = []
    for way in (1, -1):
        side = functional.tried({name: inputs[name] + way * step * part for name, part in directions.items()})
        if side is None:
            return None
        sides.append(side)
    with np.errstate(all="ignore"):
        return np.asarray((sides[0] - sides[1]) / (2 * step))


def extrapolated(rows: Sequence[Array]) -> Array:
    """Return central differences at ``h``, ``2h``, ``4h``, ... combined to the highest order they give."""
    table, power = list(rows), 4
    while len(table) > 1:
        table = [(power * fine - coarse) / (power - 1) for fine, coarse in pairwise(table)]
        power *= 4
    return table[0]


def richardson(functional: Functional, directions: Mapping[str, Array], noise: float) -> Directional:
    """Return the derivative of ``L`` along a direction, of order 6; 6 passes where the function is smooth.

    The error of order 6 follows from those of order 2 and 4, as they follow each other; where it is not small, smaller
    steps are tried: 6 passes each, and the narrowest bar is taken.

    Parameters
    ----------
    functional
        What is differentiated.
    directions
        A direction for every input that moves, scaled so that a step of 1 is about the spread of the data, and
        ``representable``: no bar covers what a step rounds.
    noise
        Standard deviation of the noise in ``L``.
    """
    best = Directional(0.0, np.inf)
    for step in _STEPS:
        rows = [central_rows(functional, directions, step * factor) for factor in _FACTORS]
        known = [row for row in rows if row is not None]
        if len(known) < len(rows):
            continue
        found = _at(functional, known, noise / step)
        best = min(best, found, key=lambda one: one.bar)
        size = float(np.linalg.norm(functional.weights * known[0]))
        if best.bar <= max(_SHARP * size, 2 * _DEVIATIONS * noise / step):
            break
    return best


def _at(functional: Functional, rows: list[Array], noise: float) -> Directional:
    second, fourth, sixth = (functional.weights * extrapolated(rows[:count]) for count in range(1, len(rows) + 1))
    value = float(np.sum(sixth))
    if not np.isfinite(value):
        return Directional(0.0, np.inf)
    # Norms of all terms: their sums may agree by accident.
    before, after = float(np.linalg.norm(fourth - second)), float(np.linalg.norm(sixth - fourth))
    after = max(0.0, after - _DEVIATIONS * noise)  # what differs by noise does not differ by truncation
    truncation = after * min(1.0, after / before) if before > 0 else after
    return Directional(value, _SAFETY * truncation + _DEVIATIONS * noise)


def representable(value: Array, direction: Array) -> Array:
    """Return a direction along which all steps tried are exact, very near the one given: far from zero, steps round."""
    least = _STEPS[-1]
    taken: Array = ((value + least * direction) - value) / least
    return taken
