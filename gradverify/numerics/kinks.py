"""Points where a function has no derivative: accept the subgradients between the one-sided slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.stencils import one_sided

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array, Functional
    from gradverify.numerics.grouping import Group

__all__ = ["Kinks", "find_kinks", "joint_slope"]

# A smooth function's one-sided slopes approach each other in proportion to the step.
_SHRINKS = 0.75
# Across a jump they move apart in proportion to one over the step: then there are no slopes to lie between.
_GROWS = 1.5
# Bend of an output, relative to its change, up to which it is smooth along a direction.
_STRAIGHT = 1e-2


@dataclass(frozen=True, slots=True)
class Kinks:
    """Which members of a group lie at a kink, and their one-sided slopes, in order; NaN where there is none."""

    found: Array
    low: Array
    high: Array


def find_kinks(functional: Functional, name: str, group: Group, step: float, noise: Array) -> Kinks:
    """Return the slopes on both sides where they stay apart as the step shrinks; 4 passes, order 2.

    Each output has its own kink: an element tied in several windows may get the cotangent of any of them, so the ends
    are added up output by output, the lesser and the greater of both slopes.

    Parameters
    ----------
    functional, name, group
        What is differentiated, and by which elements.
    step
        The larger of the two steps compared; the smaller is half of it.
    noise
        For every member the standard deviation of the noise in the function; gaps within it are none.
    """
    wide = _sides(functional, name, group, step)
    narrow = _sides(functional, name, group, step / 2)
    gap, before = (group.collect(np.abs(sides[1] - sides[0])) for sides in (narrow, wide))
    moved = np.maximum(1, group.collect(np.any(narrow != 0, axis=0) * 1.0))
    with np.errstate(invalid="ignore"):  # what is not finite is no kink
        found = (gap > 16 * noise * np.sqrt(moved) / step) & (_SHRINKS * before <= gap) & (gap <= _GROWS * before)
        ends = 2 * narrow - wide
        low, high = group.collect(np.min(ends, axis=0)), group.collect(np.max(ends, axis=0))
    return Kinks(found, np.where(found, low, np.nan), np.where(found, high, np.nan))


def _sides(functional: Functional, name: str, group: Group, step: float) -> Array:
    """Return the slopes of every term ``c_j y_j`` on the left and on the right, as two rows."""
    return np.stack([one_sided(functional, name, group, way * step) for way in (-1, 1)])


def joint_slope(functional: Functional, name: str, mask: Array, step: float) -> float | None:
    """Return the slope when all elements of a mask move together, or ``None`` where the outputs kink even then.

    A tie of a maximum is a kink for each of its elements, and none when all of them move: whatever subgradient is
    chosen, its entries must add up to this slope. Handing the whole gradient to every one of the ties lies between the
    slopes element by element, and fails here. 2 passes, order 2.

    Parameters
    ----------
    functional, name
        What is differentiated, and by which input.
    mask
        Which elements move, of the input's shape.
    step
        How far.
    """
    value, weights = functional.inputs[name], functional.weights
    after, before = (functional.at(name, value + way * step * mask) for way in (1, -1))
    change = np.abs(weights * (after - before))
    bend = np.abs(weights * (after - functional.middle - (functional.middle - before)))
    for part in functional.parts:  # what is straight is told output by output: their scales may differ
        if not np.max(bend[part], initial=0.0) <= _STRAIGHT * np.max(change[part], initial=0.0):
            return None
    return functional.change(after, before) / (2 * step)
