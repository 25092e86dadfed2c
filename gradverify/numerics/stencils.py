"""Central differences from the steps really taken, for a group of elements at once.

Offsets are ``-2h, -h, h, 2h``. With ``D(h) = (f(x + h) - f(x - h)) / (h+ - h-)``, of order 2, the combination
``(4 D(h) - D(2h)) / 3`` has order 4 (Fornberg, 1988), and ``|D(h) - D(2h)| / 3`` estimates the error of ``D(h)``.
Everything comes back as one number a member of the group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array, Functional
    from gradverify.numerics.grouping import Group

__all__ = ["Slopes", "Symmetric", "combined", "five_point", "one_sided", "power_of_two", "symmetric"]


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives with order 4, and what the passes they were made from say about their errors.

    Attributes
    ----------
    value
        The derivatives.
    second_order_error
        Estimated error of the derivatives of order 2.
    corner
        How far apart the slopes on both sides stay when the step goes to 0, added up output by output: of order
        ``h^3`` where the function is smooth, about the size of the kink where one lies within the stencil. Central
        differences alone cannot tell: at a kink they agree, at every step, on the mean of both slopes.
    moved
        Which outputs moved at all.
    """

    value: Array
    second_order_error: Array
    corner: Array
    moved: Array


def power_of_two(value: float) -> float:
    """Return the power of two nearest below a positive number; steps of this form are exact for most data."""
    return float(2.0 ** np.floor(np.log2(value)))


@dataclass(frozen=True, slots=True)
class Symmetric:
    """A central difference of order 2, the slope on the right less that on the left by output, and what moved."""

    slope: Array
    bend: Array
    moved: Array


def symmetric(functional: Functional, name: str, group: Group, step: float) -> Symmetric:
    """Return the differences by the members from the offsets ``±h``; 2 passes, order 2."""
    after, up = _moved(functional, name, group, step)
    before, down = _moved(functional, name, group, -step)
    middle, weights = functional.middle, functional.weights
    slope = group.collect(weights * (after - before)) / (up - down)
    bend = weights * (_shared(group, after - middle, up) - _shared(group, before - middle, down))
    return Symmetric(slope, bend, (after != middle) | (before != middle))


def five_point(functional: Functional, name: str, group: Group, step: float) -> Slopes:
    """Return the derivatives by the members from the offsets ``±h, ±2h``; 4 passes, order 4."""
    return combined(group, symmetric(functional, name, group, step), symmetric(functional, name, group, 2 * step))


def combined(group: Group, inner: Symmetric, outer: Symmetric) -> Slopes:
    """Return the derivatives of order 4 from differences of order 2, the outer ones at twice the step."""
    return Slopes(
        value=(4 * inner.slope - outer.slope) / 3,
        second_order_error=np.abs(inner.slope - outer.slope) / 3,
        corner=np.abs(group.collect(2 * inner.bend - outer.bend)),
        moved=inner.moved | outer.moved,
    )


def one_sided(functional: Functional, name: str, group: Group, step: float) -> Array:
    """Return the slope ``c_j (y_j(x + h) - y_j(x)) / h+`` of every term; 1 pass. ``step`` may be negative."""
    after, taken = _moved(functional, name, group, step)
    return functional.weights * _shared(group, after - functional.middle, taken)


def _shared(group: Group, differences: Array, taken: Array) -> Array:
    """Return differences of outputs, each divided by the step of the member that owns it."""
    if group.owner is None:
        return np.asarray(differences / taken[0])
    return np.asarray(differences / np.append(taken, 1)[group.owner])


def _moved(functional: Functional, name: str, group: Group, step: float) -> tuple[Array, Array]:
    """Return the outputs with the members moved, and how far each really moved."""
    moved = functional.inputs[name].copy()
    row = moved.reshape(-1)
    old = row[group.members]
    new = old + np.asarray(step, dtype=old.dtype)
    stuck = new == old  # below the spacing of numbers here: the least step that there is
    if np.any(stuck):
        new[stuck] = np.nextafter(old[stuck], np.copysign(np.inf, step).astype(old.dtype))
    row[group.members] = new
    return functional.at(name, moved), new - old
