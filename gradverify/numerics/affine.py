"""Whether an input enters affinely, and what rounds where it does.

A hypothesis, not a proof: what follows from it is proved afterwards, and evaluated without it wherever that disagrees.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.error_bar import Noise, is_usual, keeps_precision, relative_error, rounding, rounding_otherwise
from gradverify.numerics.functional import spread
from gradverify.numerics.sampling import signs

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array, Functional

__all__ = ["affine_noise", "affine_scale", "impulse_rounding"]

# Directions along which second differences are taken, and roundings that may be left of them.
_DIRECTIONS, _ROUNDINGS = 3, 64
# How much further than its spread an input may move.
_LARGEST_FACTOR = 2.0**40
# A second difference of noise with variance s^2 has variance 6 s^2.
_SECOND_DIFFERENCE = math.sqrt(6)


def affine_scale(functional: Functional, name: str, random: np.random.Generator) -> float:
    """Return a step for an affine input, large enough to move the outputs by about their own size; 1 pass.

    The spread of the data alone will not do: beside large outputs a small step drowns in their rounding.
    """
    scale = spread(functional.inputs[name])
    after = functional.tried({name: functional.inputs[name] + scale * signs(functional.inputs[name].shape, random)})
    if after is None:
        return scale
    moved = after != functional.middle
    change = float(np.max(np.abs(after - functional.middle), initial=0.0))
    size = float(np.max(np.abs(functional.middle), initial=0.0, where=moved))
    return scale * min(size / change, _LARGEST_FACTOR) if size > change > 0 else scale


def affine_noise(
    functional: Functional,
    name: str,
    random: np.random.Generator,
    scale: float,
    directions: int = _DIRECTIONS,
) -> Noise | None:
    """Return the noise in every term of an affine function, or ``None`` where it does not look affine.

    What second differences of an affine function leave is noise. 2 passes a direction.

    Parameters
    ----------
    functional, name, random
        What is differentiated, by which input, and the stream for directions.
    scale
        How far each element moves.
    directions
        How many are tried.
    """
    value, squares = functional.inputs[name], np.zeros(functional.middle.shape)
    for _ in range(directions):
        step = scale * signs(value.shape, random)
        after, before = functional.tried({name: value + step}), functional.tried({name: value - step})
        if after is None or before is None:
            return None
        with np.errstate(invalid="ignore"):  # far from the point, outputs may be infinite
            bend = np.abs((after - functional.middle) - (functional.middle - before))
        if not _straight(functional, bend, (after, before)):
            return None
        squares += (functional.weights * bend / _SECOND_DIFFERENCE) ** 2
    return Noise(np.maximum(np.sqrt(squares / directions), rounding(functional).terms))


def impulse_rounding(functional: Functional, name: str, random: np.random.Generator, scale: float) -> Array:
    """Return by how much answers to an impulse round, relative to them, for an input that enters affinely.

    The answer to one impulse of all elements is compared with what it is where the code rounds otherwise. 3 to 6
    passes.
    """
    impulse = scale * random.standard_normal(functional.inputs[name].shape)

    def answer(where: Functional) -> Array | None:
        after, before = where.tried({name: where.inputs[name] + impulse}), where.tried({})
        if after is None or before is None:
            return None
        with np.errstate(all="ignore"):
            return np.asarray(where.weights * (after - before))

    here = answer(functional)
    if here is None:
        return relative_error(functional.middle, functional.middle)
    relative = relative_error(here, here)
    for other, share in rounding_otherwise(functional, random):
        there = answer(other)
        if there is not None and keeps_precision(other, there):
            relative = relative_error(here, there, share)
            if is_usual(relative):
                break
    return relative


def _straight(functional: Functional, bend: Array, sides: tuple[Array, Array]) -> bool:
    """Return whether what is left of every output is its rounding."""
    moved = np.any([side != functional.middle for side in sides], axis=0)
    sizes = [np.abs(side) for side in (*sides, functional.middle)]
    for part, output in zip(functional.parts, functional.base, strict=True):
        size = max(float(np.max(row[part], initial=0.0, where=moved[part])) for row in sizes)
        limit = _ROUNDINGS * float(np.finfo(output.dtype).eps) * size
        if not np.max(bend[part], initial=0.0) <= limit:
            return False
    return True
