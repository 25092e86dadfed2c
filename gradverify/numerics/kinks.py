"""Points where a function has no derivative: accept the subgradients between the one-sided slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.stencils import one_sided

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array, Functional

__all__ = ["Kink", "find_kink", "joint_slope"]

# A smooth function's one-sided slopes approach each other in proportion to the step.
_SHRINKS = 0.75
# Across a jump they move apart in proportion to one over the step: then there are no slopes to lie between.
_GROWS = 1.5
# Bend of an output, relative to its change, up to which it is smooth along a direction.
_STRAIGHT = 1e-2


@dataclass(frozen=True, slots=True)
class Kink:
    """The one-sided slopes at a kink, in order."""

    low: float
    high: float


def find_kink(functional: Functional, name: str, index: tuple[int, ...], step: float, noise: float) -> Kink | None:
    """Return the slopes on both sides where they stay apart as the step shrinks, or ``None``; 4 passes, order 2.

    Each output has its own kink: an element tied in several windows may get the cotangent of any of them, so the ends
    are added up output by output, the lesser and the greater of both slopes.

    Parameters
    ----------
    functional, name, index
        What is differentiated, and by which element.
    step
        The larger of the two steps compared; the smaller is half of it.
    noise
        Standard deviation of the noise in the function; gaps within it are none.
    """
    wide = _sides(functional, name, index, step)
    narrow = _sides(functional, name, index, step / 2)
    gap, before = _gap(narrow), _gap(wide)
    moved = max(1, int(np.sum(narrow != 0)) // 2)
    if gap <= 16 * noise * moved**0.5 / step or not _SHRINKS * before <= gap <= _GROWS * before:
        return None
    ends = 2 * narrow - wide
    return Kink(float(np.sum(np.min(ends, axis=0))), float(np.sum(np.max(ends, axis=0))))


def _sides(functional: Functional, name: str, index: tuple[int, ...], step: float) -> Array:
    """Return the slopes of every term ``c_j y_j`` on the left and on the right, as two rows."""
    sides = (one_sided(functional, name, index, way * step) for way in (-1, 1))
    return np.stack([np.concatenate([np.ravel(part) for part in side]) for side in sides])


def _gap(sides: Array) -> float:
    return float(np.sum(np.abs(sides[1] - sides[0])))


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
    value = functional.inputs[name]
    after, before = (functional.at(name, value + way * step * mask) for way in (1, -1))
    for weight, new, old, middle in zip(functional.cotangents, after, before, functional.base, strict=True):
        change = float(np.max(np.abs(weight * (new - old)), initial=0.0))
        if not float(np.max(np.abs(weight * (new - middle - (middle - old))), initial=0.0)) <= _STRAIGHT * change:
            return None
    return float(functional.change(after, before) / (2 * step))
