"""The complex step: ``J v = Im f(x + i h v) / h``, without cancellation (Squire & Trapp, 1998), where code carries it.

Much code does not: ``np.var``, ``np.abs``, comparisons, casts and real buffers drop the imaginary part, most of them
silently. So nothing here is believed before it agrees, output by output, with differences of real numbers.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.directional import central_rows, extrapolated
from gradverify.numerics.error_bar import (
    forward_rounding,
    in_extended_precision,
    is_usual,
    keeps_precision,
    relative_error,
    rounding,
    rounding_otherwise,
)
from gradverify.numerics.functional import flat, root_mean_square, spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.numerics.functional import Array, Functional

__all__ = [
    "ComplexProof",
    "ComplexUnsafeError",
    "complex_derivative",
    "complex_place",
    "complex_rounding",
    "imaginary_parts",
    "prove_complex",
]

# Its square vanishes beside anything, and products with it stay far from underflow.
_STEP = 2.0**-300
# A second step that is no power of two times the first: what rounds, rounds differently.
_OTHER_STEP = 1.125 * _STEP
# Disagreement of an output with differences up to which the code is believed: relative to that output, and to the
# largest, where random directions cancel.
_AGREES, _AGREES_BESIDE = 1e-8, 1e-8
# Rounding of differences, relative to the largest output, beyond which they prove nothing.
_BLUNT = 1e-6
# The same for an input that is proved by itself, since outputs follow it so little that they round it away.
_BLUNT_ALONE = 1e-3
# Size of what an input adds to all terms, relative to them, below which it is to be proved by itself.
_FAINT = 1e-2
# Size of what an input adds, in roundings of the outputs, up to which it may be nothing: a bias before a norm.
_NOTHING = 64
# Steps of the differences in units of the spread: the first fits smooth code, the others lie between kinks.
_STEPS = (2.0**-8, 2.0**-20, 2.0**-27)
# Part of the outputs that may lie so near a kink that the last step alone, which rounds most, fits between.
_FEW = 1e-3
# Part of the outputs that is not proved at order 4, from which a smaller step tells more than a higher order.
_MANY = 0.1

_EPS = float(np.finfo(np.float64).eps)


class ComplexUnsafeError(Exception):
    """The forward pass does not carry imaginary parts."""


@dataclass(frozen=True, slots=True)
class ComplexProof:
    """What was learned while complex steps were proved to agree with differences.

    Attributes
    ----------
    rounding
        Rounding error of every term ``c_j (J v)_j``, relative to their root mean square.
    extended
        Whether the code keeps extended precision; then its own rounding can be computed away.
    directions, terms
        The direction, by input, and what it gave: ``c_j (J v)_j`` in one row.
    """

    rounding: Array
    extended: bool
    directions: Mapping[str, Array]
    terms: Array

    @property
    def noise(self) -> float:
        """The root mean square of ``rounding``."""
        return root_mean_square(self.rounding)


def imaginary_parts(functional: Functional, parts: Mapping[str, Array]) -> Array:
    """Return the imaginary parts of all outputs, in one row, when some inputs get one; 1 pass.

    Where the code does not take that, all inputs are complex: it may make its buffers as one that has no such part.

    Raises
    ------
    ComplexUnsafeError
        The code raises on complex numbers, casts them, or returns real ones.
    """
    others = {name: 0.0 for name, value in functional.inputs.items() if value.dtype.kind == "f" and name not in parts}
    try:
        return _imaginary_parts(functional, parts)
    except ComplexUnsafeError:
        if not others:
            raise
        return _imaginary_parts(functional, {**others, **parts})


def _imaginary_parts(functional: Functional, parts: Mapping[str, Array | float]) -> Array:
    moved = {name: functional.inputs[name] + 1j * part for name, part in parts.items()}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            outputs = functional.evaluate({**functional.inputs, **moved})
    except Exception as error:  # user code, on numbers it was not written for
        raise ComplexUnsafeError from error
    if not all(output.dtype.kind == "c" and output.dtype.itemsize >= 16 for output in outputs):
        raise ComplexUnsafeError
    return flat(outputs).imag


def complex_derivative(functional: Functional, directions: Mapping[str, Array], step: float = _STEP) -> Array:
    """Return the derivative of every output along a direction, in one row; 1 pass, exact to rounding.

    Raises
    ------
    ComplexUnsafeError
        See :func:`imaginary_parts`.
    """
    return imaginary_parts(functional, {name: step * part for name, part in directions.items()}) / step


def prove_complex(
    functional: Functional, expected: Mapping[str, Array], random: np.random.Generator
) -> ComplexProof | None:
    """Return whether complex steps agree with differences in every output, as all inputs move at once; 1 to 15 passes.

    An input that adds little to what all do together is proved once more by itself: 3 to 13 passes.

    Parameters
    ----------
    functional
        What is differentiated.
    expected
        By input that moves, the gradient it is expected to have.
    random
        Stream for the direction.
    """
    directions = {
        name: spread(functional.inputs[name]) * random.standard_normal(functional.inputs[name].shape)
        for name in expected
    }
    found = _proved_derivative(functional, directions, _BLUNT, random)
    if found is None:
        return None
    terms = functional.weights * found
    for name, gradient in expected.items() if len(expected) > 1 else ():
        size = float(np.linalg.norm(gradient * directions[name]))
        if size >= _FAINT * np.linalg.norm(terms):
            continue
        blunt = np.inf if size <= _NOTHING * rounding(functional).total else _BLUNT_ALONE
        if _proved_derivative(functional, {name: directions[name]}, blunt, random) is None:
            return None
    roundings, extended = _rounding(functional, directions, found, random)
    return ComplexProof(roundings, extended, directions, terms)


def complex_place(functional: Functional, proof: ComplexProof) -> tuple[Functional, Array]:
    """Return where to take derivatives, and by how much their terms round there.

    Code that rounds more than usual, as that of a norm does far from zero, is evaluated in extended precision, where it
    keeps that.
    """
    wide = in_extended_precision(functional) if proof.extended and not is_usual(proof.rounding) else None
    if wide is None:
        return functional, proof.rounding
    finer = float(np.finfo(np.longdouble).eps) / _EPS
    return wide, np.maximum(_EPS, finer * proof.rounding)


def complex_rounding(
    functional: Functional, name: str, proof: ComplexProof, random: np.random.Generator
) -> tuple[Functional, Array]:
    """Return where to take derivatives by one input, and by how much their terms round there.

    Where they round more than usual, they are measured for this input by itself, in up to 2 passes.
    """
    if is_usual(proof.rounding) or proof.extended:
        return complex_place(functional, proof)
    directions = {name: proof.directions[name]}
    return functional, _rounding(functional, directions, complex_derivative(functional, directions), random)[0]


def _rounding(
    functional: Functional, directions: Mapping[str, Array], found: Array, random: np.random.Generator
) -> tuple[Array, bool]:
    """Return by how much derivatives differ where the code rounds otherwise; 1 or 2 passes."""
    terms, extended = functional.weights * found, False
    roundings = relative_error(terms, terms)
    for other, share in rounding_otherwise(functional, random):
        try:
            again = complex_derivative(other, directions, _OTHER_STEP)
        except ComplexUnsafeError:
            continue
        if keeps_precision(other, again):
            roundings, extended = relative_error(terms, functional.weights * again, share), again.dtype != found.dtype
        if extended or is_usual(roundings):
            break
    return roundings, extended


def _proved_derivative(
    functional: Functional, directions: Mapping[str, Array], blunt: float, random: np.random.Generator
) -> Array | None:
    """Return the derivative of every output by the complex step, if differences agree; 1 to 13 passes."""
    try:
        found = complex_derivative(functional, directions)
    except ComplexUnsafeError:
        return None
    return found if np.all(np.isfinite(found)) and _agrees(functional, directions, found, blunt, random) else None


def _agrees(
    functional: Functional, directions: Mapping[str, Array], found: Array, blunt: float, random: np.random.Generator
) -> bool:
    """Return whether differences give the same derivative in every output; 2 to 12 passes, as few as suffice.

    What disagrees at the first step, the sharpest, may lie beside a kink and agree between kinks; but differences must
    have changed then by more than they round.
    """
    noise = _least_noise(functional)
    sharp, unproved = None, np.ones(found.shape, dtype=bool)
    rows: list[Array] = []
    for factor in (1, 2, 4):
        row = central_rows(functional, directions, _STEPS[0] * factor)
        if row is None:
            break
        rows.append(row)
        sharp = extrapolated(rows)
        unproved &= ~_close(functional, sharp, found, noise / _STEPS[0], blunt)
        if not np.any(unproved):
            return True
        if len(rows) > 1 and np.mean(unproved) > _MANY:
            break
    noise = np.maximum(noise, _seen_noise(functional, random))
    if sharp is not None:
        unproved &= ~_close(functional, sharp, found, noise / _STEPS[0], blunt)
    for step in _STEPS[1:]:
        if not np.any(unproved):
            return True
        if step == _STEPS[-1] and np.mean(unproved) > _FEW:
            return False
        narrow = central_rows(functional, directions, step)
        if narrow is None:
            continue
        changed = True if sharp is None else np.abs(narrow - sharp) > noise / step
        unproved &= ~(changed & _close(functional, narrow, found, noise / step, blunt))
    return not np.any(unproved)


def _close(functional: Functional, differences: Array, found: Array, rounded: Array, blunt: float) -> Array:
    """Return in which outputs both derivatives agree, given by how much differences round."""
    allowed = _AGREES * np.abs(found)
    for part in functional.parts:
        largest = float(np.max(np.abs(found[part]), initial=0.0))
        allowed[part] += _AGREES_BESIDE * largest + np.fmin(rounded[part], blunt * largest)
    return np.asarray(np.abs(differences - found) <= allowed)


def _least_noise(functional: Functional) -> Array:
    """Return by how much every output rounds at least, as the largest beside it does."""
    noise = np.zeros(functional.middle.shape)
    for part in functional.parts:
        noise[part] = 16 * _EPS * np.max(np.abs(functional.middle[part]), initial=0.0, where=~functional.still[part])
    return noise


def _seen_noise(functional: Functional, random: np.random.Generator) -> Array:
    """Return by how much every output is seen to round, with room; 1 or 2 passes."""
    sizes = np.abs(functional.weights)
    seen = np.divide(forward_rounding(functional, random).terms, sizes, out=np.zeros(sizes.shape), where=sizes > 0)
    noise = np.zeros(seen.shape)
    for part in functional.parts:
        noise[part] = 4 * np.max(seen[part], initial=0.0)
    return noise
