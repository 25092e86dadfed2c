"""How one input is differentiated: by which derivative, and which of its elements are moved together.

A route is a hypothesis. Where it proves wrong the next attempt trusts less: coded probes with shortcuts, coded probes
that leave more room, poison, and in the end every element by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.affine import affine_noise, affine_scale, impulse_rounding
from gradverify.numerics.complex_step import ComplexUnsafeError, complex_derivative, complex_rounding
from gradverify.numerics.compression import Compressed
from gradverify.numerics.dependency import Footprint, find_footprint, find_single_dependency
from gradverify.numerics.differences import first_step
from gradverify.numerics.error_bar import Noise, measured_noise, rounding, sharpened
from gradverify.numerics.grouping import Grouping, Singles
from gradverify.numerics.probing import AmbiguousProbeError, PoisonProber, complex_prober, far_moves, impulse_prober
from gradverify.numerics.sampling import signs
from gradverify.numerics.stencils import power_of_two

if TYPE_CHECKING:
    from gradverify.numerics.complex_step import ComplexProof
    from gradverify.numerics.functional import Array, Functional

__all__ = ["ATTEMPTS", "Derivative", "Manner", "Route", "complex_manner", "find_route", "overlooked", "real_manner"]

# Parts that a coded probe tells apart, at first and where the answers were not clear; fewer where there are so many
# outputs that some of them are unclear by accident.
_LEVELS, _FEW_LEVELS = 24, 8
_MANY_OUTPUTS, _LEVELS_FOR_MANY = 2**14, 12
# How often a route may be looked for; the last attempt needs no footprint.
ATTEMPTS = 4
# Elements that are redrawn to see whether a footprint overlooks a dependency.
_REDRAWN = 16


class Derivative(StrEnum):
    """What slopes are read from."""

    COMPLEX = "complex step"
    IMPULSES = "impulses"
    DIFFERENCES = "differences of order 4"


@dataclass(frozen=True, slots=True)
class Manner:
    """By which derivative an input is differentiated.

    Attributes
    ----------
    derivative
        Which.
    step
        How far elements move; for the complex step, where the second look starts.
    noise
        In every term of ``L``.
    functional
        Where derivatives are taken: at the point, in the precision that this manner needs.
    rounding
        Of every term of the derivative, relative to it, for impulses and the complex step, where nothing cancels.
    """

    derivative: Derivative
    functional: Functional
    step: float
    noise: Noise
    rounding: Array

    @property
    def points(self) -> int:
        """Forward passes a group."""
        return 4 if self.derivative is Derivative.DIFFERENCES else 1


@dataclass(frozen=True, slots=True)
class Route:
    """A manner, and the elements that are moved together.

    Attributes
    ----------
    footprint
        ``None`` where it is not known and every element is moved by itself.
    attempt
        Which attempt found it.
    """

    manner: Manner
    grouping: Grouping
    footprint: Footprint | None
    attempt: int

    @property
    def passes(self) -> int:
        """How many forward passes the first look takes."""
        return self.manner.points * self.grouping.count


def complex_manner(functional: Functional, name: str, proof: ComplexProof, random: np.random.Generator) -> Manner:
    """Return the complex step, for code that was proved to carry it; up to 3 passes."""
    noise, (where, relative) = rounding(functional), complex_rounding(functional, name, proof, random)
    return Manner(Derivative.COMPLEX, where, first_step(functional, name, noise), noise, relative)


def real_manner(functional: Functional, name: str, random: np.random.Generator) -> Manner:
    """Return impulses where an input looks affine, else differences; 10 to 25 passes."""
    scale = power_of_two(affine_scale(functional, name, random))
    noise = affine_noise(functional, name, random, scale)
    if noise is not None:
        return Manner(Derivative.IMPULSES, functional, scale, noise, impulse_rounding(functional, name, random, scale))
    return difference_manner(functional, name, random)


def difference_manner(functional: Functional, name: str, random: np.random.Generator) -> Manner:
    """Return differences, with a step that fits the noise; 10 to 21 passes."""
    functional, least = sharpened(functional, random)
    noise = Noise(np.maximum(measured_noise(functional, name, random).terms, least.terms))
    return Manner(Derivative.DIFFERENCES, functional, first_step(functional, name, noise), noise, np.zeros(0))


def find_route(
    functional: Functional, name: str, manner: Manner, random: np.random.Generator, attempt: int = 0
) -> Route:
    """Return how the elements of an input are moved together, from an attempt on."""
    for number in range(attempt, ATTEMPTS - 1):
        try:
            footprint = _footprint(functional, name, manner.derivative, random, number)
        except (AmbiguousProbeError, ComplexUnsafeError):
            continue
        if footprint is not None:
            return Route(manner, Compressed(footprint), footprint, number)
    return Route(manner, Singles(functional.inputs[name].size), None, ATTEMPTS - 1)


def _footprint(
    functional: Functional, name: str, derivative: Derivative, random: np.random.Generator, attempt: int
) -> Footprint | None:
    shape, outputs = functional.inputs[name].shape, functional.middle.size
    if not functional.inputs[name].size or not outputs:
        return None
    if attempt == ATTEMPTS - 2:
        return find_footprint(shape, outputs, PoisonProber(functional, name, random))
    if derivative is Derivative.DIFFERENCES:
        return None
    if derivative is Derivative.COMPLEX and attempt == 0:
        shortcut = _shortcut(functional, name, random)
        if shortcut is not None:
            return shortcut
    many = _LEVELS_FOR_MANY if outputs > _MANY_OUTPUTS else _LEVELS
    levels = many if attempt == 0 else _FEW_LEVELS
    make = complex_prober if derivative is Derivative.COMPLEX else impulse_prober
    return find_footprint(shape, outputs, make(functional, name, random, levels))


def _shortcut(functional: Functional, name: str, random: np.random.Generator) -> Footprint | None:
    """Return a footprint of single elements for a vector, which most often is a bias or a scale; 1 or 2 passes."""
    value = functional.inputs[name]
    if value.ndim == 1 and value.size <= _LEVELS:
        top = complex_prober(functional, name, random, _LEVELS).top(np.arange(value.size), value.size)
        index = np.maximum(top, 0)[None]
        return Footprint(value.shape, index, index, top >= 0, (1,))
    if value.ndim == 1:
        return find_single_dependency(
            value.shape, lambda direction: complex_derivative(functional, {name: direction}), random
        )
    return None


def overlooked(functional: Functional, footprints: dict[str, Footprint], random: np.random.Generator) -> bool:
    """Return whether an output follows elements outside its footprint, which no derivative at this point sees.

    A maximum follows its largest entry alone, until another one grows. A few elements of every input are drawn anew;
    outputs that should not follow any of them must stay as they are. 1 pass.
    """
    reached, moved = np.zeros(functional.middle.size, dtype=bool), {}
    for name, footprint in footprints.items():
        chosen, ours = _few(footprint, random, 0.5 / len(footprints))
        value = functional.inputs[name].copy()
        count = (len(chosen),)
        value.reshape(-1)[chosen] += signs(count, random) * far_moves(value, count, random)
        moved[name], reached = value, reached | ours
    if np.all(reached):
        return False
    row = functional.tried(moved)
    return row is not None and not np.array_equal(row[~reached], functional.middle[~reached])


def _few(footprint: Footprint, random: np.random.Generator, share: float) -> tuple[Array, Array]:
    """Return a few elements, and the outputs they reach: no more than a share of all."""
    size = int(np.prod(footprint.shape))
    reached, chosen = np.zeros(footprint.reached.size, dtype=bool), []
    for element in random.permutation(size)[:_REDRAWN]:
        index = np.array(np.unravel_index(element, footprint.shape)).reshape(-1, 1)
        inside = footprint.reached & np.all((footprint.low <= index) & (index <= footprint.high), axis=0)
        if np.mean(reached | inside) <= share:
            chosen.append(int(element))
            reached |= inside
    return np.array(chosen, dtype=np.int64), reached
