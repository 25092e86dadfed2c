"""How noisy a function is, measured, and whether it is affine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.functional import spread
from gradverify.numerics.sampling import signs

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array, Functional

__all__ = ["Noise", "affine_scale", "is_affine", "measured_noise", "rounding", "rounding_floor"]

_POINTS = 9
_ORDERS = (5, 6)
# Spacing of the points that measure noise, in units of the input's spread: wide enough to see single precision.
_SPACING = 2.0**-18
# Noise beyond this many roundings is measured once more in the other direction: it may have been a kink.
_SUSPICIOUS = 1e3
_AFFINE_DIRECTIONS = 3
_AFFINE_ROUNDINGS = 64
_LARGEST_FACTOR = 2.0**40


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviation of the noise in every term ``c_j y_j`` of ``L``.

    Attributes
    ----------
    terms
        An array for each output, of its shape.
    """

    terms: tuple[Array, ...]

    @property
    def total(self) -> float:
        """The standard deviation of the noise in ``L`` when every output moves."""
        return self._norm(self.terms)

    def among(self, moved: tuple[Array, ...]) -> float:
        """Return the standard deviation of the noise in ``L`` when some outputs move: the others cancel exactly."""
        return self._norm(tuple(term[mask] for term, mask in zip(self.terms, moved, strict=True)))

    @staticmethod
    def _norm(terms: tuple[Array, ...]) -> float:
        squares = sum(float(np.sum(term**2)) for term in terms)
        return math.sqrt(squares)


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
        other = _noise_along(functional, name, -direction)
        terms = tuple(np.minimum(one, two) for one, two in zip(terms, other, strict=True))
    return Noise(tuple(np.maximum(term, floor) for term, floor in zip(terms, least.terms, strict=True)))


def rounding(functional: Functional) -> Noise:
    """Return what rounding alone puts into each term, from the precision of the outputs."""
    pairs = zip(functional.cotangents, functional.base, strict=True)
    return Noise(tuple(np.finfo(output.dtype).eps * np.abs(weight * output) for weight, output in pairs))


def _noise_along(functional: Functional, name: str, direction: Array) -> tuple[Array, ...]:
    """Return the noise of each term from equally spaced points on one side of the point, where a tie cannot sit."""
    value = functional.inputs[name]
    step = spread(value) * _SPACING * direction
    points = [functional.at(name, value + number * step) for number in range(1, _POINTS + 1)]
    terms = []
    for output, weight in enumerate(functional.cotangents):
        table = weight * np.stack([point[output] for point in points])
        variance = np.max([_variance(table, order) for order in _ORDERS], axis=0)
        terms.append(np.where(np.isfinite(variance), np.sqrt(variance), np.inf))
    return tuple(terms)


def _variance(table: Array, order: int) -> Array:
    factor = math.factorial(order) ** 2 / math.factorial(2 * order)
    return np.asarray(factor * np.mean(np.diff(table, n=order, axis=0) ** 2, axis=0))


def affine_scale(functional: Functional, name: str, random: np.random.Generator) -> float:
    """Return a step for an affine input, large enough to move the outputs by about their own size; 1 pass.

    The spread of the data alone will not do: beside large outputs a small step drowns in their rounding.
    """
    scale = spread(functional.inputs[name])
    try:
        after = functional.at(name, functional.inputs[name] + scale * signs(functional.inputs[name].shape, random))
    except Exception:  # noqa: BLE001  code may check its domain
        return scale
    pairs = list(zip(after, functional.base, strict=True))
    change = max((float(np.max(np.abs(new - old), initial=0.0)) for new, old in pairs), default=0.0)
    size = max((float(np.max(np.abs(old), initial=0.0)) for _, old in pairs), default=0.0)
    return scale * min(size / change, _LARGEST_FACTOR) if size > change > 0 else scale


def is_affine(functional: Functional, name: str, random: np.random.Generator, scale: float | None = None) -> bool:
    """Return whether the outputs look affine in one input: second differences vanish along random directions.

    A hypothesis, not a proof: what follows from it is evaluated again without it wherever it disagrees. 6 passes.
    """
    value = functional.inputs[name]
    scale = spread(value) if scale is None else scale
    for _ in range(_AFFINE_DIRECTIONS):
        step = scale * signs(value.shape, random)
        try:
            after, before = functional.at(name, value + step), functional.at(name, value - step)
        except Exception:  # noqa: BLE001  code may check its domain, and this is far from the point
            return False
        for new, old, middle in zip(after, before, functional.base, strict=True):
            size = max(float(np.max(np.abs(part), initial=0.0)) for part in (new, old, middle))
            bend = float(np.max(np.abs((new - middle) - (middle - old)), initial=0.0))
            if not bend <= _AFFINE_ROUNDINGS * np.finfo(new.dtype).eps * size:
                return False
    return True


def rounding_floor(functional: Functional, name: str, dtype: np.dtype[np.floating]) -> float:
    """Return the least difference that means anything for a gradient computed in ``dtype``.

    ``8 eps max|c y| / s``, with ``s`` the spread of the input: terms of this size are what a backward pass adds up,
    and what it rounds, also where they cancel and leave a gradient near zero.
    """
    return 8 * float(np.finfo(dtype).eps) * functional.magnitude / spread(functional.inputs[name])
