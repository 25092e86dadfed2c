"""The first look at every element: a numerical gradient, group by group, with an error bar an element.

Three ways to take a derivative, the first that is proved to fit: impulses where an input enters affinely (one pass,
exact to rounding), the complex step where the code carries it (one pass), differences of order 4 (four passes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.complex_step import complex_derivative
from gradverify.numerics.error_bar import pooled, rounding
from gradverify.numerics.functional import spread
from gradverify.numerics.stencils import five_point, power_of_two

if TYPE_CHECKING:
    from gradverify.numerics.error_bar import Noise
    from gradverify.numerics.functional import Array, Functional
    from gradverify.numerics.grouping import Group, Grouping

__all__ = ["Estimate", "StrayError", "complex_look", "first_step", "impulse_look", "smooth_look"]

# Estimated error of order 2, relative to the largest entry, beyond which a kink is suspected within the stencil.
_ROUGH = 1e-5
# Part of an answer that may come from where no member reaches, before the footprint is called wrong.
_STRAY = 1e-7
# Standard deviations of noise that a bar covers; of rounding, which is less regular.
_DEVIATIONS, _ROUNDINGS = 5, 8


class StrayError(Exception):
    """An output moved that depends on none of the elements moved: the footprint is wrong."""


@dataclass(slots=True)
class Estimate:
    """Per element, flat: the interval that holds the derivative, its error bar, and the noise in ``L`` there.

    The interval is a point but at kinks. ``taken`` is the step of the second look that it comes from, 0 where that did
    not look.
    """

    low: Array
    high: Array
    bar: Array
    noise: Array
    taken: Array = field(init=False)

    def __post_init__(self) -> None:
        self.taken = np.zeros(self.low.shape)

    @classmethod
    def of(cls, value: Array, bar: Array, noise: Array) -> Estimate:
        """Return an estimate whose intervals are points."""
        return cls(value, value.copy(), bar, noise)


def _checked(group: Group, terms: Array) -> Array:
    """Return terms of outputs that some member owns; others must not have moved."""
    if group.stray(terms) > _STRAY * float(np.max(np.abs(terms), initial=0.0)):
        raise StrayError
    return terms


def first_step(functional: Functional, name: str, noise: Noise) -> float:
    """Return the step that balances truncation ``h^4`` against roundoff ``noise / h``."""
    relative = noise.total / max(functional.magnitude, float(np.finfo(np.float64).tiny))
    return power_of_two(spread(functional.inputs[name]) * min(max(relative, 1e-18), 1e-4) ** 0.2 / 2)


def impulse_look(functional: Functional, name: str, grouping: Grouping, step: float, relative: Array) -> Estimate:
    """Return the answers to impulses, for an input that enters affinely; 1 pass a group, and 1 at zero.

    Impulses start from zero, where nothing cancels; where the code does not take that, from the point.

    Parameters
    ----------
    functional, name, grouping
        What is differentiated, by which input, and which of its elements are moved together.
    step
        Size of an impulse.
    relative
        By how much every term of an answer rounds, relative to it.

    Raises
    ------
    StrayError
        The grouping is wrong.
    """
    start, around = _impulse_start(functional, name)
    with np.errstate(over="ignore"):
        rounded = 2 * (float(np.finfo(np.float64).eps) * functional.weights * around) ** 2
    totals = _Totals(start.size)
    for group in grouping.groups():
        moved = start.copy()
        row = moved.reshape(-1)
        row[group.members] += step
        taken = row[group.members] - start.reshape(-1)[group.members]
        terms = _checked(group, functional.weights * (functional.at(name, moved) - around))
        totals.add(group, terms, relative, taken)
        totals.cancelled[group.members] = group.collect(np.where(terms != 0, rounded, 0.0)) / taken**2
    return totals.estimate(relative, rounding(functional).total)


@dataclass(slots=True)
class _Totals:
    """Sums over the outputs of every element: of the terms, and of the squares of what rounds and what cancels."""

    size: int
    value: Array = field(init=False)
    rounded: Array = field(init=False)
    cancelled: Array = field(init=False)

    def __post_init__(self) -> None:
        self.value, self.rounded, self.cancelled = np.zeros((3, self.size))

    def add(self, group: Group, terms: Array, relative: Array, taken: Array | float = 1.0) -> None:
        self.value[group.members] = group.collect(terms) / taken
        self.rounded[group.members] = group.collect((relative * terms) ** 2) / np.square(taken)

    def estimate(self, relative: Array, noise: float) -> Estimate:
        """Return the estimate: terms round each by itself, and all alike where they share what rounds."""
        shared = float(np.min(relative)) if relative.size else 0.0
        bar = np.sqrt(self.rounded) + shared * np.abs(self.value) + np.sqrt(self.cancelled)
        return Estimate.of(self.value, _ROUNDINGS * bar, np.full(self.size, noise))


def _impulse_start(functional: Functional, name: str) -> tuple[Array, Array]:
    """Return where impulses start, and the outputs there: zero, or the point where the code refuses zero."""
    point = functional.inputs[name]
    zero = np.zeros_like(point)
    around = functional.tried({name: zero})
    return (point, functional.middle) if around is None or not np.all(np.isfinite(around)) else (zero, around)


def complex_look(functional: Functional, name: str, grouping: Grouping, relative: Array) -> Estimate:
    """Return the complex step's derivatives; 1 pass a group.

    Parameters and errors are those of :func:`impulse_look`.
    """
    shape, totals = functional.inputs[name].shape, _Totals(functional.inputs[name].size)
    direction = np.zeros(totals.size)
    for group in grouping.groups():
        direction[group.members] = 1
        row = complex_derivative(functional, {name: direction.reshape(shape)})
        direction[group.members] = 0
        totals.add(group, _checked(group, (functional.weights * row).astype(np.float64)), relative)
    return totals.estimate(relative, rounding(functional).total)


def smooth_look(functional: Functional, name: str, grouping: Grouping, noise: Noise, step: float) -> Estimate:
    """Return order-4 slopes; the error of order 4 is estimated from that of order 2, which is its square in scale.

    4 passes a group.
    """
    size = functional.inputs[name].size
    value, second, corner, variance, room = (np.zeros(size) for _ in range(5))
    wide = pooled(functional, noise)
    for group in grouping.groups():
        slopes = five_point(functional, name, group, step)
        value[group.members], second[group.members] = slopes.value, slopes.second_order_error
        corner[group.members] = slopes.corner
        variance[group.members] = group.collect(noise.terms**2 * slopes.moved)
        room[group.members] = group.collect(wide.terms**2 * slopes.moved)
    largest = float(np.max(np.abs(value), initial=0.0))
    rough_error = np.maximum(second, corner)
    rough = ~(rough_error <= _ROUGH * largest)
    smooth_error = float(np.max(second, initial=0.0, where=~rough))
    truncation = 4 * smooth_error * (smooth_error / largest) if largest > 0 else 0.0
    bar = np.where(rough, rough_error, truncation) + _DEVIATIONS * np.sqrt(room) / step
    return Estimate.of(value, bar, np.sqrt(variance))
