"""How noisy a function is and how its outputs round, measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.functional import flat, root_mean_square, spread
from gradverify.numerics.sampling import signs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.numerics.functional import Array, Functional

__all__ = [
    "ORDINARY",
    "Noise",
    "forward_rounding",
    "in_extended_precision",
    "is_usual",
    "keeps_precision",
    "measured_noise",
    "pooled",
    "relative_error",
    "rounding",
    "rounding_floor",
    "rounding_otherwise",
    "sharpened",
]

_POINTS = 9
_ORDERS = (5, 6)
# Spacing of the points that measure noise, in units of the input's spread: wide enough to see single precision.
_SPACING = 2.0**-18
# Noise beyond this many roundings is measured once more in the other direction: it may have been a kink.
_SUSPICIOUS = 1e3
# From the lower quartile of what nine points say about noise to its standard deviation, and some room.
_QUARTILE = 2.0
# Terms that are smaller than this, relative to their root mean square, say little of how others round.
_SMALL = 0.2
# How many roundings are usual.
ORDINARY = 16
# Outputs from which one look at rounding tells its size; fewer may round little by accident.
_TELLING = 32


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviation of the noise in every term ``c_j y_j`` of ``L``.

    Attributes
    ----------
    terms
        One for every output, in one row.
    """

    terms: Array

    @property
    def total(self) -> float:
        """The standard deviation of the noise in ``L`` when every output moves."""
        return math.sqrt(float(np.sum(self.terms**2)))


def measured_noise(functional: Functional, name: str, random: np.random.Generator) -> Noise:
    """Return the noise of every output as one input moves (Moré & Wild, 2011).

    Differences of order ``k`` of ``f`` at equally spaced points annihilate what is smooth; those of pure noise with
    variance ``s^2`` have variance ``s^2 (2k)! / (k!)^2``. Code that computes in single precision inside shows here,
    whatever the dtype of its outputs.

    Parameters
    ----------
    functional
        What is differentiated.
    name
        The input that moves; 9 passes, or 18 where the first measurement looks like a kink.
    random
        Stream for the direction.
    """
    direction = signs(functional.inputs[name].shape, random)
    least = rounding(functional)
    terms = _noise_along(functional, name, direction)
    if Noise(terms).total > _SUSPICIOUS * least.total:
        terms = np.minimum(terms, _noise_along(functional, name, -direction))
    found = Noise(np.maximum(terms, least.terms))
    return pooled(functional, found) if _is_noisy(found, least) else found


def _is_noisy(found: Noise, least: Noise) -> bool:
    """Return whether nearly all outputs are noisier than they can be by rounding, and not those beside a kink alone."""
    return (
        bool(np.quantile(found.terms, 0.25) > _SUSPICIOUS * np.quantile(least.terms, 0.75))
        if found.terms.size
        else False
    )


def pooled(functional: Functional, noise: Noise) -> Noise:
    """Return the noise of terms, none far below those of its output: nine points alone tell it roughly.

    The lower quartile counts: a kink on the way looks like noise in the outputs that have it.
    """
    terms = noise.terms.copy()
    for part in functional.parts:
        noisy = terms[part][np.isfinite(terms[part]) & (terms[part] > 0)]
        terms[part] = np.maximum(terms[part], _QUARTILE * float(np.quantile(noisy, 0.25)) if noisy.size else 0.0)
    return Noise(terms)


def rounding(functional: Functional) -> Noise:
    """Return what rounding alone puts into each term, from the precision of the outputs."""
    terms = np.abs(functional.terms)
    for part, output in zip(functional.parts, functional.base, strict=True):
        terms[part] *= np.finfo(output.dtype).eps
    return Noise(terms)


def _noise_along(functional: Functional, name: str, direction: Array) -> Array:
    """Return the noise of each term from equally spaced points on one side of the point, where a tie cannot sit."""
    value = functional.inputs[name]
    step = spread(value) * _SPACING * direction
    points = np.stack([functional.at(name, value + number * step) for number in range(1, _POINTS + 1)])
    with np.errstate(over="ignore", invalid="ignore"):
        table = functional.weights * (points - functional.middle)
        variance = np.max([_variance(table, order) for order in _ORDERS], axis=0)
    return np.where(np.isfinite(variance), np.sqrt(variance), np.inf)


def _variance(table: Array, order: int) -> Array:
    factor = math.factorial(order) ** 2 / math.factorial(2 * order)
    return np.asarray(factor * np.mean(np.diff(table, n=order, axis=0) ** 2, axis=0))


def forward_rounding(functional: Functional, random: np.random.Generator) -> Noise:
    """Return by how much every term rounds: what changes where the code rounds otherwise; 1 or 2 passes."""
    least = rounding(functional)
    found = least
    for other, share in rounding_otherwise(functional, random):
        there = other.tried({})
        if there is not None and keeps_precision(other, there) and np.all(np.isfinite(there)):
            error = share * np.abs(functional.weights * (there - functional.middle)).astype(np.float64)
            few = error.size < _TELLING
            found = Noise(np.maximum(error, found.terms if few else least.terms))
            if found.total <= ORDINARY * least.total and not few:
                break
    return found


def sharpened(functional: Functional, random: np.random.Generator) -> tuple[Functional, Noise]:
    """Return the functional, in extended precision where that helps and the code keeps it, and how it rounds there.

    It helps where code rounds more than usual: a norm far from zero rounds its data's offset, many times what its
    outputs show. 1 to 3 passes.
    """
    seen, wide = forward_rounding(functional, random), in_extended_precision(functional)
    if wide is None or seen.total <= ORDINARY * rounding(functional).total:
        return functional, seen
    try:
        with np.errstate(all="ignore"):
            outputs = wide.evaluate(wide.inputs)
    except Exception:  # noqa: BLE001  code may take no such dtype
        return functional, seen
    if not keeps_precision(wide, flat(outputs)):
        return functional, seen
    finer = float(np.finfo(np.longdouble).eps / np.finfo(np.float64).eps)
    return replace(wide, base=outputs), Noise(finer * seen.terms)


def relative_error(terms: Array, others: Array, share: float = 1.0) -> Array:
    """Return by how much terms round, relative to them; none less than all do on average.

    Parameters
    ----------
    terms, others
        The terms, and what they are where the code rounds otherwise.
    share
        Which part of the difference is rounding.
    """
    eps = float(np.finfo(np.float64).eps)
    size = root_mean_square(terms)
    with np.errstate(all="ignore"):
        error = share * np.abs(terms - others).astype(np.float64) / np.clip(np.abs(terms), _SMALL * size, size)
    if not size > 0 or not np.all(np.isfinite(error)):
        return np.full(terms.shape, eps)
    return np.asarray(np.maximum(error, max(eps, root_mean_square(error))))


def is_usual(relative: Array) -> bool:
    """Return whether terms round about as often as any computation does."""
    return root_mean_square(relative) <= ORDINARY * float(np.finfo(np.float64).eps)


def keeps_precision(functional: Functional, outputs: Array) -> bool:
    """Return whether code that was given extended precision answers in it."""
    wide = any(value.dtype == np.longdouble for value in functional.inputs.values())
    return outputs.dtype == np.longdouble or not wide


def rounding_otherwise(functional: Functional, random: np.random.Generator) -> Iterator[tuple[Functional, float]]:
    """Yield functionals that round otherwise, and which part of the difference to them is rounding.

    One at a point a spacing of numbers away, twice what rounding moves it by: quick, and too much where code cancels
    what its inputs have in common. Then the point in extended precision, where code that keeps it shows what rounds and
    nothing else.
    """
    eps = np.finfo(np.float64).eps
    near = {
        name: value * (1 + eps * signs(value.shape, random))
        for name, value in functional.inputs.items()
        if value.dtype.kind == "f"
    }
    yield replace(functional, inputs={**functional.inputs, **near}), 0.5
    wide = in_extended_precision(functional)
    if wide is not None:
        yield wide, 1.0


def in_extended_precision(functional: Functional) -> Functional | None:
    """Return the functional at the same point in extended precision, or ``None`` where there is none here."""
    if np.finfo(np.longdouble).eps == np.finfo(np.float64).eps:
        return None
    wide = {name: value.astype(np.longdouble) for name, value in functional.inputs.items() if value.dtype.kind == "f"}
    return replace(functional, inputs={**functional.inputs, **wide})


def rounding_floor(functional: Functional, name: str, dtype: np.dtype[np.floating], noise: float = 0.0) -> float:
    """Return the least difference that means anything for a gradient computed in ``dtype``.

    ``8 max(eps max|c y|, noise) / s``, with ``s`` the spread of the input: terms of this size are what a backward pass
    adds up, and what it rounds, also where they cancel and leave a gradient near zero.

    Parameters
    ----------
    functional, name
        What is differentiated, and by which input.
    dtype
        The precision under test.
    noise
        The largest rounding of a term ``c y`` that the forward pass in that precision is seen to do.
    """
    largest = max(float(np.finfo(dtype).eps) * functional.magnitude, noise)
    floor = 8 * largest / spread(functional.inputs[name])
    return floor if np.isfinite(floor) else 0.0  # beyond the range of numbers nothing passes for rounding
