"""How the error of a difference depends on its step, measured at one element of an input.

Differences of order 4 are taken at steps that double. As the step grows, what rounding and noise do falls, ``s / h``,
and what the formula leaves out grows, ``C h^4``; between them lies the best step. Both are estimated by themselves:
``s`` as the engine measures noise, ``C`` from how much a slope changes when its step is doubled,
``(D(h) - D(2h)) / 15`` (Richardson, 1911).
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.functional import spread
from gradverify.numerics.grouping import Group
from gradverify.numerics.routes import Derivative
from gradverify.numerics.stencils import combined, power_of_two, symmetric
from gradverify.results.evidence import StepCurve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.numerics.functional import Array, Functional
    from gradverify.numerics.nearby import Nearby
    from gradverify.numerics.stencils import Symmetric
    from gradverify.results import GradientCheck, Work

__all__ = ["PASSES", "step_curve"]

_ORDER = 4
# Steps, in units of the spread of the input: halfway between powers of two, which are the steps of verdicts. At those
# the distance to a verdict made of differences would be 0, and say nothing.
_STEPS = tuple(1.5 * 2.0**exponent for exponent in range(-24, 1))
# Spacings of numbers that a step must have to be nearly the step that is taken.
_SPACINGS = 8
# Fewest steps that make a curve.
_FEWEST = 4
# Changes of a slope, in units of what noise does, from which truncation is seen; and by how much they must grow when a
# step is doubled, twice in a row, to be that of a smooth function: 16 is order 4. At a kink they do not grow.
_SEEN, _GROWTH = 16, 8
# Forward passes of a curve at most; what one may take, in seconds, and how many may take more: machines pause.
PASSES = 2 * len(_STEPS) + 21
_SLOW, _PAUSES = 0.2, 1


def step_curve(nearby: Nearby, check: GradientCheck, random: np.random.Generator, seconds: float) -> StepCurve | None:
    """Return the curve of one element; ``None`` where no element is known, or passes take long or raise.

    Parameters
    ----------
    nearby
        What the finding was made from.
    check
        What was found.
    random
        Stream for the direction in which noise is measured, where that is still to be done.
    seconds
        What all passes may take; at most 71 of them.
    """
    element, pace = nearby.element(check), _pace(check.work)
    if element is None or pace > _SLOW or pace * PASSES > seconds:
        return None
    if not np.isfinite(nearby.comparison.numerical[element]):
        return None
    watch = _Watch(time.perf_counter() + seconds)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            measured = _measured(nearby, element, random, watch)
    except (Exception, SystemExit):  # noqa: BLE001  user code, or the watch: a verdict does without a curve
        return None
    if watch.over or len(measured.steps) < _FEWEST or not np.isfinite(measured.noise):
        return None
    return _drawn(nearby, check, element, measured)


def _pace(work: Work | None) -> float:
    """Return what a pass took in the quickest phase of the verdict, with the work around it; 0 where none is known.

    Code that compiles itself takes longer at first.
    """
    return min((work.seconds[phase] / count for phase, count in work.passes.items()), default=0.0) if work else 0.0


class _SlowError(Exception):
    """Passes take too long for what is no more than a picture."""


@dataclass(slots=True)
class _Watch:
    """Ends passes at a moment, or where they take long.

    Attributes
    ----------
    until
        That moment, on the clock of ``perf_counter``.
    slow
        How many took long.
    over
        Whether passes have ended; code that tries a pass catches what ends them.
    """

    until: float
    slow: int = 0
    over: bool = False

    def watching(self, functional: Functional) -> Functional:
        """Return the functional, watched."""

        def watched(inputs: Mapping[str, Array]) -> tuple[Array, ...]:
            started = time.perf_counter()
            if self.over or started > self.until:
                self.over = True
                raise _SlowError
            outputs = functional.evaluate(inputs)
            self.slow += time.perf_counter() - started > _SLOW
            self.over = self.slow > _PAUSES
            return outputs

        return replace(functional, evaluate=watched)


@dataclass(frozen=True, slots=True)
class _Measured:
    """Slopes of order 4 by step, ascending, and the noise in ``L`` as the element moves."""

    steps: Array
    slopes: Array
    noise: float


def _measured(nearby: Nearby, element: int, random: np.random.Generator, watch: _Watch) -> _Measured:
    """Return the slopes of one element at all steps at which the code gives some."""
    name, group = nearby.name, Group(np.array([element]))
    manner = replace(nearby, functional=watch.watching(nearby.functional)).by_differences(random)
    functional = watch.watching(manner.functional)
    value = functional.inputs[name].reshape(-1)[element]
    steps = power_of_two(spread(functional.inputs[name])) * np.array(_STEPS)
    seen = [
        _tried(functional, name, group, step) if step >= _SPACINGS * np.spacing(np.abs(value)) else None
        for step in steps.tolist()
    ]
    pairs = {
        step: combined(group, inner, outer)
        for step, inner, outer in zip(steps[:-1].tolist(), seen[:-1], seen[1:], strict=True)
        if inner is not None and outer is not None
    }
    moved = np.any([slopes.moved for slopes in pairs.values()], axis=0)
    noise = float(np.sqrt(np.sum(manner.noise.terms**2, where=moved)))
    return _Measured(np.array(list(pairs)), np.array([float(one.value[0]) for one in pairs.values()]), noise)


def _tried(functional: Functional, name: str, group: Group, step: float) -> Symmetric | None:
    """Return a difference of order 2, or ``None`` where the code raises or leaves the range of numbers."""
    try:
        found = symmetric(functional, name, group, step)
    except (Exception, SystemExit):  # noqa: BLE001  user code, where it was not written for
        return None
    return found if np.all(np.isfinite(found.slope)) else None


def _drawn(nearby: Nearby, check: GradientCheck, element: int, measured: _Measured) -> StepCurve:
    """Return the curve in the units of the gradient under test, with what the verdict made of the element."""
    comparison, estimate, unit = nearby.comparison, nearby.estimate, nearby.unit
    roundoff = measured.noise / measured.steps
    factor = _truncation(measured, roundoff)
    low, high = float(estimate.low[element]), float(estimate.high[element])
    derivative, step = _read_from(check.work, float(estimate.taken[element]))
    return StepCurve(
        index=tuple(int(place) for place in np.unravel_index(element, nearby.analytic.shape)),
        order=_ORDER,
        steps=tuple(measured.steps.tolist()),
        errors=_times(np.abs(measured.slopes - float(comparison.numerical[element])), unit),
        truncation=_times(factor * measured.steps**_ORDER, unit),
        roundoff=_times(roundoff, unit),
        derivative=derivative,
        step=step,
        analytic=float(nearby.analytic.reshape(-1)[element]) * unit,
        numerical=float(comparison.numerical[element]) * unit,
        bar=float(estimate.bar[element]) * unit,
        allowed=float(comparison.allowed[element]) * unit,
        sides=(low * unit, high * unit) if low < high else None,
    )


def _times(values: Array, unit: float) -> tuple[float, ...]:
    return tuple((values * unit).tolist())


def _read_from(work: Work | None, taken: float) -> tuple[str, float | None]:
    """Return the derivative that the verdict used and its step: that of the second look, where there was one."""
    if taken or work is None:
        return f"{Derivative.DIFFERENCES} in a second look" if taken else str(Derivative.DIFFERENCES), taken or None
    return work.derivative, work.step


def _truncation(measured: _Measured, roundoff: Array) -> float:
    """Return ``C`` of ``C h^4`` from the shortest step at which slopes show it, 0 where none does."""
    doubled = measured.steps[1:] == 2 * measured.steps[:-1]
    changes = np.where(doubled, np.abs(np.diff(measured.slopes)) / (2**_ORDER - 1), np.nan)
    grows = changes[1:] >= _GROWTH * changes[:-1]
    shown = (changes > _SEEN * roundoff[:-1])[:-2] & grows[:-1] & grows[1:]
    first = int(np.argmax(shown))
    return float(changes[first] / measured.steps[first] ** _ORDER) if np.any(shown) else 0.0
