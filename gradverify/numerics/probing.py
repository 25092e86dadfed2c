"""Probes: change part of an input, and see which outputs follow.

A coded probe gives the parts sizes so far apart that the largest part an output depends on drowns the others: one pass
tells every output its topmost of many parts. It needs room for these sizes: imaginary parts have some 300 decades
where complex steps are carried, and so have real numbers where an input enters affinely. Elsewhere a part is poisoned
with NaN, or drawn anew at random: one pass tells one part from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from gradverify.numerics.complex_step import ComplexUnsafeError, imaginary_parts
from gradverify.numerics.functional import Functional, root_mean_square, spread
from gradverify.numerics.sampling import signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.numerics.functional import Array

__all__ = [
    "AmbiguousProbeError",
    "CodedProber",
    "PoisonProber",
    "Prober",
    "complex_prober",
    "far_moves",
    "impulse_prober",
]

# Exponents of 2 that a coded probe may use: products with them neither vanish nor overflow.
_IMAGINARY_RANGE = (-1000, -20)
_REAL_RANGE = (60, 960)
# How far apart, in units of the distance between two parts, the answers to one part may lie.
_CLEAR = 0.35
# How often an unclear probe is repeated, and for which share of the outputs that is worth it.
_TRIES = 3
_FEW_UNCLEAR = 0.1
# Jacobian entries are sums of small numbers more often than of large ones: offsets are sought from this one on.
_LEAST_OFFSET = -0.7
# The least that a redrawn part moves, in units of the spread.
_FAR = 4.0


class AmbiguousProbeError(Exception):
    """The answers cannot be told apart, or the code raises on the probe."""


class Prober(Protocol):
    """Tells every output the topmost part of an input that it depends on."""

    @property
    def levels(self) -> int:
        """How many parts one probe can tell apart."""

    def top(self, labels: Array, count: int) -> Array:
        """Return for every output the largest label below ``count`` among the elements it depends on, else -1.

        ``labels`` has the input's shape; elements labelled -1 are left as they are.

        Raises
        ------
        AmbiguousProbeError
            The answers cannot be told apart.
        """


@dataclass(frozen=True, slots=True)
class CodedProber:
    """Parts of an input get sizes that lie decades apart.

    Attributes
    ----------
    respond
        Maps an array of the input's shape to how far every output follows it; linear, 1 pass.
    random
        Stream for signs and sizes within a part: entries of a Jacobian that add up to nothing must not hide.
    range
        The exponents of 2 that may be used.
    levels
        How many parts one probe can tell apart.
    """

    respond: Callable[[Array], Array]
    random: np.random.Generator
    range: tuple[int, int]
    levels: int

    def top(self, labels: Array, count: int) -> Array:
        """Return for every output the largest label among the elements it depends on; 1 pass, more where unclear."""
        found, unclear = self._once(labels, count)
        for _ in range(_TRIES):
            if not np.any(unclear):
                return found
            if np.mean(unclear) > _FEW_UNCLEAR:
                break
            again, still = self._once(labels, count)
            found, unclear = np.where(unclear, again, found), unclear & still
        raise AmbiguousProbeError

    def _once(self, labels: Array, count: int) -> tuple[Array, Array]:
        """Return the labels, and which of them are not clear: terms may cancel by accident."""
        first, last = self.range
        apart = (last - first) / count
        drawn = signed(labels.shape, (0.5, 1), self.random)
        coded = np.where(labels < 0, 0.0, drawn * np.exp2(first + apart * (labels + 0.5)))
        size = np.abs(self.respond(coded))
        if not np.all(np.isfinite(size)):
            raise AmbiguousProbeError
        reached = size > 0
        if count == 1 or not np.any(reached):
            return np.where(reached, 0, -1), np.zeros(size.shape, dtype=bool)
        place = (np.log2(size, where=reached, out=np.zeros_like(size)) - first) / apart - 0.5
        place -= _offset(place[reached])
        decoded = np.round(place)
        clear = (np.abs(place - decoded) <= _CLEAR) & (decoded >= 0) & (decoded < count)
        return np.where(reached, decoded, -1).astype(np.int64), reached & ~clear


def _offset(place: Array) -> float:
    """Return by how much all places lie off: the common size of the Jacobian's entries."""
    offset = float(np.angle(np.mean(np.exp(2j * np.pi * place))) / (2 * np.pi))
    return offset - float(np.floor(offset - _LEAST_OFFSET))


def complex_prober(functional: Functional, name: str, random: np.random.Generator, levels: int) -> CodedProber:
    """Return a prober with imaginary parts, at a point where the other inputs are not small."""
    moved = _away_from_zero(functional, name)

    def respond(coded: Array) -> Array:
        try:
            return imaginary_parts(moved, {name: coded})
        except ComplexUnsafeError as error:
            raise AmbiguousProbeError from error

    return CodedProber(respond, random, _IMAGINARY_RANGE, levels)


def impulse_prober(functional: Functional, name: str, random: np.random.Generator, levels: int) -> CodedProber:
    """Return a prober with huge real numbers, for an input that enters affinely."""
    moved = _away_from_zero(functional, name)

    def respond(coded: Array) -> Array:
        row = moved.tried({name: coded})
        if row is None:
            raise AmbiguousProbeError
        # What stays without a part of its own is far below the least of the sizes.
        return np.where(np.abs(row) < 2.0 ** (_REAL_RANGE[0] - 30), 0.0, row)

    return CodedProber(respond, random, _REAL_RANGE, levels)


def _away_from_zero(functional: Functional, name: str) -> Functional:
    """Return the functional with the other inputs moved away from zero by half their size; what differs still does."""
    others = {
        other: value + np.copysign(0.5 * root_mean_square(value), value)
        for other, value in functional.inputs.items()
        if other != name and value.dtype.kind == "f" and value.size
    }
    return Functional(functional.evaluate, {**functional.inputs, **others}, functional.cotangents, functional.base)


def far_moves(value: Array, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    """Return how far parts that are drawn anew move, some of an input or all: past the other entries of a maximum."""
    return np.asarray(_FAR * spread(value) * (1 + np.abs(random.standard_normal(shape))))


class PoisonProber:
    """Parts of an input become NaN, or other numbers: outputs that change depend on them.

    NaN can be stopped, and code can raise on it: where a poisoned input does not reach every output as NaN, parts are
    drawn anew instead, once to each side. Both can miss; what follows is proved afterwards.

    Parameters
    ----------
    functional, name
        What is probed, and by which input.
    random
        Stream for redrawn values.
    """

    levels = 2

    def __init__(self, functional: Functional, name: str, random: np.random.Generator) -> None:
        self._functional, self._name, self._random = functional, name, random
        everything = np.ones(functional.inputs[name].shape, dtype=bool)
        row = functional.tried({name: np.where(everything, np.nan, functional.inputs[name])})
        self._poison = row is not None and bool(np.all(np.isnan(row)))

    def top(self, labels: Array, count: int) -> Array:
        """Return which outputs depend on label 1 (0 where there is no other); 1 pass, or 2 where NaN is stopped."""
        touched = self._touched(labels == count - 1)
        return np.where(touched, count - 1, count - 2)

    def _touched(self, part: Array) -> Array:
        value = self._functional.inputs[self._name]
        if self._poison:
            return self._changed(np.where(part, np.nan, value))
        move = far_moves(value, value.shape, self._random)
        return self._changed(np.where(part, value + move, value)) | self._changed(np.where(part, value - move, value))

    def _changed(self, value: Array) -> Array:
        row = self._functional.tried({self._name: value})
        if row is None:
            raise AmbiguousProbeError
        return np.asarray(row != self._functional.middle)
