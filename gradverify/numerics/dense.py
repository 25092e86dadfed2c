"""The dense engine: every element of an input moved by itself.

First look: inputs that enter affinely cost one pass an element (one-sided, exact to rounding), all others four
(order 4). Second look, at those elements alone that disagree or whose error bar is too wide: steps from large to
small until kinks lie outside the stencil, and where none does, the one-sided slopes at a kink.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.comparison import Bounds, Comparison, compare
from gradverify.numerics.error_bar import affine_scale, is_affine, measured_noise, rounding
from gradverify.numerics.functional import spread
from gradverify.numerics.kinks import find_kink, joint_slope
from gradverify.numerics.stencils import five_point, forward_slope, moved_outputs, power_of_two

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.numerics.error_bar import Noise
    from gradverify.numerics.functional import Array, Functional

__all__ = ["DenseGradient", "Effort", "OverBudgetError", "dense_check"]

# Estimated error of order 2, relative to the largest entry, beyond which a kink is suspected within the stencil.
_ROUGH = 1e-5
# Steps of the second look in units of the first one's.
_LADDER = (1.0, 2.0**-3, 2.0**-6, 2.0**-9, 2.0**-12, 2.0**-15, 2.0**5)
# Error bar, relative to the slope, at which no kink need be looked for.
_SHARP = 1e-7
# Error bar, relative to the gap at a kink, beyond which the element cannot be told from the kink.
_BLUNT = 1e-3
# Elements looked at again at a time; when a whole chunk still fails, the others are taken to fail as well.
_CHUNK = 48
# Room for the order-2 slope along which all kinks move together, relative to what is added up.
_JOINT_ROOM = 1e-5
_POINTS_AFFINE, _POINTS_SMOOTH = 1, 4
# Directions along which slopes that looked affine are proved, and what rounding may leave there.
_PROOFS = 2
_PROOF_ROOM = 1e-9


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
    torn
        Whether the elements at kinks fail together: they do not add up to the slope when all of them move.
    unconfirmed
        How many failing elements were not looked at a second time, since all of a sample still failed.
    """

    comparison: Comparison
    bar: Array
    kinks: int
    torn: bool
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
    step = _first_step(functional, name, noise)
    estimate = _affine_look(functional, name, noise, effort.random)
    if estimate is None:
        if value.size * _POINTS_SMOOTH > effort.budget:
            raise OverBudgetError(value.size * _POINTS_SMOOTH)
        estimate = _smooth_look(functional, name, step, noise)
    bounds = _with_noise_floor(effort.bounds, estimate, rounding(functional).total / step)
    return _second_look(_Look(functional, name, step, noise), estimate, analytic, bounds)


def _with_noise_floor(bounds: Bounds, estimate: _Estimate, roundoff: float) -> Bounds:
    """Return bounds whose floor is the roundoff of the differences, where the whole gradient lies below it.

    That of a saturated function does: there is nothing to compare, and nothing to be told.
    """
    limit = 8 * roundoff
    largest = float(np.max(np.maximum(np.abs(estimate.low), np.abs(estimate.high)), initial=0.0))
    return replace(bounds, floor=max(bounds.floor, limit)) if largest <= limit else bounds


def _first_step(functional: Functional, name: str, noise: Noise) -> float:
    """Return the step that balances truncation ``h^4`` against roundoff ``noise / h``."""
    relative = noise.total / max(functional.magnitude, float(np.finfo(np.float64).tiny))
    return power_of_two(spread(functional.inputs[name]) * min(max(relative, 1e-18), 1e-4) ** 0.2 / 2)


def _indices(functional: Functional, name: str) -> Iterator[tuple[int, ...]]:
    return np.ndindex(functional.inputs[name].shape)


def _affine_look(functional: Functional, name: str, noise: Noise, random: np.random.Generator) -> _Estimate | None:
    """Return one-sided slopes where the functional is affine in the input, or ``None`` where it is not."""
    step = power_of_two(affine_scale(functional, name, random))
    if not is_affine(functional, name, random, step):
        return None
    slopes = np.array([forward_slope(functional, name, index, step) for index in _indices(functional, name)])
    if not _adds_up(functional, name, slopes, step * random.standard_normal((_PROOFS, *functional.inputs[name].shape))):
        return None
    return _Estimate(slopes, slopes.copy(), np.full(slopes.shape, 4 * noise.total / step))


def _adds_up(functional: Functional, name: str, slopes: Array, directions: Array) -> bool:
    """Return whether the slopes add up to the change along random directions: the proof of what looked affine."""
    value = functional.inputs[name]
    for direction in directions:
        parts = slopes * np.ravel(direction)
        try:
            after = functional.at(name, value + direction)
        except Exception:  # noqa: BLE001  code may check its domain, and this is far from the point
            return False
        change = functional.change(after, functional.base)
        size = float(np.sum(np.abs(parts))) + functional.magnitude
        if not abs(float(np.sum(parts)) - change) <= _PROOF_ROOM * size:
            return False
    return True


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
        here = self._kink(index, min(_LADDER), noise)
        if here is not None:
            wider = self._kink(index, 1.0, noise) or here  # less noise, unless another kink lies beside this one
            inside = here[0] <= wider[0] and wider[1] <= here[1]
            return *(wider if inside else here), 0.0
        value, bar = min((self._at(index, self.step * factor, noise) for factor in _LADDER), key=lambda found: found[1])
        if not bar <= _SHARP * abs(value):
            for factor in sorted(_LADDER)[1:-1]:
                ends = self._kink(index, factor, noise)
                if ends is not None and not bar < _BLUNT * (ends[1] - ends[0]):
                    return *ends, 0.0
        return value, value, bar

    def _kink(self, index: tuple[int, ...], factor: float, noise: float) -> tuple[float, float] | None:
        """Return the slopes on both sides of a kink at a step, and the room that noise asks for; 4 passes."""
        kink = find_kink(self.functional, self.name, index, self.step * factor, noise)
        width = 32 * noise / (self.step * factor)
        return None if kink is None else (kink.low - width, kink.high + width)

    def _at(self, index: tuple[int, ...], step: float, noise: float) -> tuple[float, float]:
        """Return the slope at a step and its bar: its change when the step is halved, and what a kink would do."""
        wide = five_point(self.functional, self.name, index, step)
        narrow = five_point(self.functional, self.name, index, step / 2)
        bar = abs(wide.value - narrow.value) + max(wide.corner, narrow.corner, 8 * noise / step)
        return narrow.value, bar if np.isfinite(bar) else np.inf


def _second_look(look: _Look, estimate: _Estimate, analytic: Array, bounds: Bounds) -> DenseGradient:
    flat = np.ravel(analytic)
    seen = np.zeros(flat.shape, dtype=bool)
    while True:
        comparison = compare(flat, estimate.low, estimate.high, estimate.bar, bounds)
        doubtful = (comparison.failed | comparison.inconclusive) & ~seen & np.isfinite(flat)
        chunk = _worst_first(comparison, doubtful)
        for position in chunk:
            index = tuple(int(axis) for axis in np.unravel_index(position, analytic.shape))
            low, high, bar = look.again(index)
            estimate.low[position], estimate.high[position], estimate.bar[position] = low, high, bar
            seen[position] = True
        comparison = compare(flat, estimate.low, estimate.high, estimate.bar, bounds)
        if np.all(comparison.failed[chunk]):
            return _found(look, estimate, flat, comparison, seen)


def _worst_first(comparison: Comparison, doubtful: Array) -> Array:
    """Return the positions of at most a chunk of doubtful elements, the furthest outside first."""
    positions = np.flatnonzero(doubtful)
    with np.errstate(over="ignore"):  # what is allowed may be nothing at all
        excess = comparison.difference[positions] / np.maximum(comparison.allowed[positions], np.finfo(np.float64).tiny)
    return positions[np.argsort(-excess, kind="stable")[:_CHUNK]]


def _found(look: _Look, estimate: _Estimate, flat: Array, comparison: Comparison, seen: Array) -> DenseGradient:
    kinked = estimate.low < estimate.high
    torn = bool(np.any(kinked)) and _torn(look, flat, comparison, kinked)
    failed = comparison.failed | kinked if torn else comparison.failed
    shape = look.functional.inputs[look.name].shape
    fields = ("numerical", "difference", "allowed", "inconclusive")
    arrays = {name: getattr(comparison, name).reshape(shape) for name in fields}
    return DenseGradient(
        comparison=Comparison(relative=comparison.relative, failed=failed.reshape(shape), **arrays),
        bar=estimate.bar.reshape(shape),
        kinks=int(np.sum(kinked)),
        torn=torn,
        unconfirmed=int(np.sum(comparison.failed & ~seen & np.isfinite(flat))),
    )


def _torn(look: _Look, flat: Array, comparison: Comparison, kinked: Array) -> bool:
    """Return whether the elements at kinks do not add up to the slope along which all of them move."""
    mask = kinked.reshape(look.functional.inputs[look.name].shape)
    slope = joint_slope(look.functional, look.name, mask, look.step)
    if slope is None:
        return False
    parts = flat[kinked]
    room = _JOINT_ROOM * (abs(slope) + float(np.sum(np.abs(parts)))) + 8 * look.noise.total / look.step
    return not abs(float(np.sum(parts)) - slope) <= float(np.sum(comparison.allowed[kinked])) + room
