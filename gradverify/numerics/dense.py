"""The dense engine: every element of an input moved by itself.

First look: inputs that enter affinely cost one pass an element (one-sided, exact to rounding), all others four
(order 4). Second look, at those elements alone that disagree or whose error bar is too wide: steps from large to
small until kinks lie outside the stencil, and where none does, the one-sided slopes at a kink.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.comparison import Bounds, Comparison, compare
from gradverify.numerics.error_bar import is_affine, measured_noise
from gradverify.numerics.functional import spread
from gradverify.numerics.kinks import find_kink
from gradverify.numerics.stencils import five_point, forward_slope, moved_outputs, power_of_two

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.numerics.error_bar import Noise
    from gradverify.numerics.functional import Array, Functional

__all__ = ["DenseGradient", "Effort", "OverBudgetError", "dense_check"]

# Estimated error of order 2, relative to the largest entry, beyond which a kink is suspected within the stencil.
_ROUGH = 1e-5
# Steps of the second look in units of the first one's.
_LADDER = (1.0, 2.0**-5, 2.0**-10, 2.0**-15, 2.0**5)
# Error bar, relative to the slope, at which no kink need be looked for.
_SHARP = 1e-7
# Error bar, relative to the gap at a kink, beyond which the element cannot be told from the kink.
_BLUNT = 1e-3
# Elements looked at again at a time; when a whole chunk still fails, the others are taken to fail as well.
_CHUNK = 48
_POINTS_AFFINE, _POINTS_SMOOTH = 1, 4


class OverBudgetError(Exception):
    """The gradient needs more forward passes than the budget allows.

    Parameters
    ----------
    passes
        How many it needs.
    """

    def __init__(self, passes: int) -> None:
        super().__init__(passes)
        self.passes = passes


@dataclass(frozen=True, slots=True)
class Effort:
    """How a gradient is to be checked.

    Attributes
    ----------
    bounds
        What is allowed.
    random
        Stream for directions.
    budget
        Forward passes allowed.
    """

    bounds: Bounds
    random: np.random.Generator
    budget: int


@dataclass(frozen=True, slots=True)
class DenseGradient:
    """A comparison of all elements, with what was learned on the way.

    Attributes
    ----------
    comparison, bar
        Per element.
    kinks
        How many elements were judged by the slopes on both sides of a kink.
    unconfirmed
        How many failing elements were not looked at a second time, since all of a sample still failed.
    """

    comparison: Comparison
    bar: Array
    kinks: int
    unconfirmed: int


@dataclass(slots=True)
class _Estimate:
    """Per element, flat: the interval that holds the derivative, and its error bar."""

    low: Array
    high: Array
    bar: Array


def dense_check(functional: Functional, name: str, analytic: Array, effort: Effort) -> DenseGradient:
    """Compare an analytic gradient with differences, element by element.

    Parameters
    ----------
    functional
        What is differentiated.
    name
        The input.
    analytic
        Its gradient, of the input's shape.
    effort
        What is allowed, and how many passes the first look may take.

    Raises
    ------
    OverBudgetError
        The first look would take more passes.
    """
    value = functional.inputs[name]
    if value.size * _POINTS_AFFINE > effort.budget:
        raise OverBudgetError(value.size * _POINTS_SMOOTH)
    noise = measured_noise(functional, name, effort.random)
    affine = is_affine(functional, name, effort.random)
    if not affine and value.size * _POINTS_SMOOTH > effort.budget:
        raise OverBudgetError(value.size * _POINTS_SMOOTH)
    step = _first_step(functional, name, noise)
    estimate = _affine_look(functional, name, noise) if affine else _smooth_look(functional, name, step, noise)
    return _second_look(_Look(functional, name, step, noise), estimate, analytic, effort.bounds)


def _first_step(functional: Functional, name: str, noise: Noise) -> float:
    """Return the step that balances truncation ``h^4`` against roundoff ``noise / h``."""
    relative = noise.total / max(functional.magnitude, float(np.finfo(np.float64).tiny))
    return power_of_two(spread(functional.inputs[name]) * min(max(relative, 1e-18), 1e-4) ** 0.2 / 2)


def _indices(functional: Functional, name: str) -> Iterator[tuple[int, ...]]:
    return np.ndindex(functional.inputs[name].shape)


def _affine_look(functional: Functional, name: str, noise: Noise) -> _Estimate:
    step = power_of_two(spread(functional.inputs[name]))
    slopes = np.array([forward_slope(functional, name, index, step) for index in _indices(functional, name)])
    return _Estimate(slopes, slopes.copy(), np.full(slopes.shape, 4 * noise.total / step))


def _smooth_look(functional: Functional, name: str, step: float, noise: Noise) -> _Estimate:
    """Return order-4 slopes; the error of order 4 is estimated from that of order 2, which is its square in scale."""
    looked = [five_point(functional, name, index, step) for index in _indices(functional, name)]
    slopes = np.array([slope.value for slope in looked])
    second = np.array([slope.second_order_error for slope in looked])
    largest = float(np.max(np.abs(slopes), initial=0.0))
    rough_error = np.maximum(second, np.array([slope.corner for slope in looked]))
    rough = ~(rough_error <= _ROUGH * largest)
    smooth_error = float(np.max(second, initial=0.0, where=~rough))
    truncation = 4 * smooth_error**2 / largest if largest > 0 else 0.0
    return _Estimate(slopes, slopes.copy(), np.where(rough, rough_error, truncation) + 4 * noise.total / step)


@dataclass(frozen=True, slots=True)
class _Look:
    """Where the second look starts from."""

    functional: Functional
    name: str
    step: float
    noise: Noise

    def again(self, index: tuple[int, ...]) -> tuple[float, float, float]:
        """Return low, high and bar of one element: the narrowest bar of the ladder, or the slopes at a kink."""
        noise = self.noise.among(moved_outputs(self.functional, self.name, index, 2 * self.step * max(_LADDER)))
        value, bar = min((self._at(index, self.step * factor, noise) for factor in _LADDER), key=lambda found: found[1])
        if not bar <= _SHARP * abs(value):
            for factor in sorted(_LADDER)[:-1]:
                kink = find_kink(self.functional, self.name, index, self.step * factor, noise)
                if kink is not None and not bar < _BLUNT * (kink.high - kink.low):
                    width = 32 * noise / (self.step * factor)
                    return kink.low - width, kink.high + width, 0.0  # wide anyway, so the bar decides nothing
        return value, value, bar

    def _at(self, index: tuple[int, ...], step: float, noise: float) -> tuple[float, float]:
        """Return the slope at a step and its bar: its change when the step is halved, and what a kink would do."""
        wide = five_point(self.functional, self.name, index, step)
        narrow = five_point(self.functional, self.name, index, step / 2)
        bar = abs(wide.value - narrow.value) + max(wide.corner, narrow.corner, 8 * noise / step)
        return narrow.value, bar if np.isfinite(bar) else np.inf


def _second_look(look: _Look, estimate: _Estimate, analytic: Array, bounds: Bounds) -> DenseGradient:
    flat = np.ravel(analytic)
    kinks, seen = 0, np.zeros(flat.shape, dtype=bool)
    while True:
        comparison = compare(flat, estimate.low, estimate.high, estimate.bar, bounds)
        doubtful = (comparison.failed | comparison.inconclusive) & ~seen & np.isfinite(flat)
        chunk = _worst_first(comparison, doubtful)
        for position in chunk:
            index = tuple(int(axis) for axis in np.unravel_index(position, analytic.shape))
            low, high, bar = look.again(index)
            estimate.low[position], estimate.high[position], estimate.bar[position] = low, high, bar
            kinks += low < high
            seen[position] = True
        comparison = compare(flat, estimate.low, estimate.high, estimate.bar, bounds)
        if np.all(comparison.failed[chunk]):
            unconfirmed = int(np.sum(comparison.failed & ~seen & np.isfinite(flat)))
            return _shaped(comparison, estimate.bar, kinks, unconfirmed, analytic.shape)


def _worst_first(comparison: Comparison, doubtful: Array) -> Array:
    """Return the positions of at most a chunk of doubtful elements, the furthest outside first."""
    positions = np.flatnonzero(doubtful)
    with np.errstate(over="ignore"):  # what is allowed may be nothing at all
        excess = comparison.difference[positions] / np.maximum(comparison.allowed[positions], np.finfo(np.float64).tiny)
    return positions[np.argsort(-excess, kind="stable")[:_CHUNK]]


def _shaped(comparison: Comparison, bar: Array, kinks: int, unconfirmed: int, shape: tuple[int, ...]) -> DenseGradient:
    fields = ("numerical", "difference", "allowed", "failed", "inconclusive")
    arrays = {name: getattr(comparison, name).reshape(shape) for name in fields}
    return DenseGradient(Comparison(relative=comparison.relative, **arrays), bar.reshape(shape), kinks, unconfirmed)
