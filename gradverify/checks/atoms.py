"""The simplest things to say of some cases and not of others: ``padding = 0``, ``stride > 1``, ``windows overlap``.

A set of cases is a whole number whose bit ``i`` stands for case ``i``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradverify.checks.quantities import Origin, Quantity

__all__ = ["SUPPORT", "Atom", "atoms_of", "mask"]

# A quantity with more values than this is no setting whose values mean something.
_MOST_VALUES = 64
# A statement about fewer cases than this, or about all but fewer, is a guess.
SUPPORT = 2

_IN_WORDS = {("N", "=", 1): "there is one sample", ("N", ">", 1): "there is more than one sample"}


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing said about one quantity.

    Attributes
    ----------
    text
        In words.
    holds
        The cases of which it is true.
    quantity, origin
        What it is about.
    """

    text: str
    holds: int
    quantity: str
    origin: Origin


def mask(truths: Iterable[bool]) -> int:
    """Return the set of the cases where something is true."""
    return sum(1 << position for position, true in enumerate(truths) if true)


def atoms_of(quantity: Quantity) -> Iterator[Atom]:
    """Yield what there is to say about a quantity, each set of cases once and in its most natural words.

    What is true of fewer than two cases, or false of fewer than two, is left out.
    """
    seen: set[int] = set()
    for text, holds in _said(quantity):
        many = holds.bit_count()
        if holds not in seen and SUPPORT <= many <= len(quantity.values) - SUPPORT:
            seen.add(holds)
            yield Atom(text, holds, quantity.name, quantity.origin)


def _said(quantity: Quantity) -> Iterator[tuple[str, int]]:
    if quantity.words is not None:
        true = mask(quantity.values)
        yield quantity.words[0], true
        yield quantity.words[1], true ^ _everywhere(quantity)
        return
    where: dict[Any, int] = {}
    for position, value in enumerate(quantity.values):
        where[value] = where.get(value, 0) | 1 << position
    if len(where) > _MOST_VALUES:
        return
    for sign, value, holds in _compared(where, _everywhere(quantity)):
        yield _IN_WORDS.get((quantity.name, sign, value), f"{quantity.name} {sign} {value}"), holds


def _everywhere(quantity: Quantity) -> int:
    return (1 << len(quantity.values)) - 1


def _compared(where: dict[Any, int], everywhere: int) -> Iterator[tuple[str, Any, int]]:
    """Yield sign, value and cases: equalities, thresholds, then inequalities, which say least."""
    yield from (("=", value, holds) for value, holds in where.items())
    if not any(isinstance(value, str) for value in where):
        yield from _thresholds(where, everywhere)
    yield from (("!=", value, everywhere ^ holds) for value, holds in where.items())


def _thresholds(where: dict[Any, int], everywhere: int) -> Iterator[tuple[str, Any, int]]:
    """Yield both sides of each threshold between two neighbouring values.

    Between whole numbers that follow each other it is the one outside, as in ``stride > 1``; otherwise the one inside,
    as in ``eps >= 0.1``: nothing is said about values that did not occur.
    """
    values = sorted(where)
    below = 0
    for lower, upper in pairwise(values):
        below |= where[lower]
        adjacent = upper - lower == 1 and isinstance(lower, int) and isinstance(upper, int)
        yield (">", lower, everywhere ^ below) if adjacent else (">=", upper, everywhere ^ below)
        yield ("<", upper, below) if adjacent else ("<=", lower, below)
