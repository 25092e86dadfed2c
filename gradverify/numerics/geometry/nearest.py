"""The whole numbers on either side of a given one that fit a stride, found without trying them all."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import gcd
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Number", "divisors_beside", "solutions_beside"]

# How many numbers, and how many quotients, are tried as a divisor on either side. Every divisor of a length below the
# square of this is among them.
_TRIED = 4096


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a window, and what it does to the room ``H + P_lo + P_hi - K`` in which a window moves.

    Attributes
    ----------
    name, now
        What it is called, and its present value.
    slope
        By how much the room grows with it; not 0.
    lowest, highest
        Values that it may take; ``None`` where nothing bounds it.
    """

    name: str
    now: int
    slope: int
    lowest: int
    highest: int | None = None


def solutions_beside(number: Number, room: int, stride: int) -> Iterator[int]:
    """Yield the nearest values above and below the present one for which the stride divides the room, which is not < 0.

    A linear congruence: ``room + slope d = 0 (mod stride)`` has one solution ``d`` in every ``stride / gcd(slope,
    stride)``, or none.

    Parameters
    ----------
    number
        What may change.
    room
        The room at its present value; negative where no window fits.
    stride
        At least 1.
    """
    common = gcd(number.slope, stride)
    if room % common:
        return
    period = stride // common
    solution = number.now - room // common * pow(number.slope // common, -1, period)
    lowest, highest = _bounds(number, room)
    above = max(number.now + 1, lowest)
    above += (solution - above) % period
    if highest is None or above <= highest:
        yield above
    below = number.now - 1 if highest is None else min(number.now - 1, highest)
    below -= (below - solution) % period
    if below >= lowest:
        yield below


def _bounds(number: Number, room: int) -> tuple[int, int | None]:
    """Return the least and the largest value that leave room for a window."""
    if number.slope > 0:
        return max(number.lowest, number.now - room // number.slope), number.highest
    largest = number.now + room // -number.slope
    return number.lowest, largest if number.highest is None else min(number.highest, largest)


def divisors_beside(length: int, now: int, highest: int) -> Iterator[int]:
    """Yield the nearest divisors of a length above and below a number, none above ``highest``, as far as one is found.

    Parameters
    ----------
    length
        At least 1.
    now
        The number, at least 1, divisor or not.
    highest
        Larger ones are of no use.
    """
    highest = min(highest, length)
    above = _dividing(length, range(now + 1, min(now + _TRIED, highest) + 1))
    parts = length // (now + 1)
    fewest = max(parts - _TRIED, -(-length // max(1, highest)) - 1)
    above += [length // part for part in _dividing(length, range(parts, fewest, -1))]
    yield from sorted(above)[:1]
    largest = min(now - 1, highest)
    if largest < 1:
        return
    below = _dividing(length, range(largest, max(largest - _TRIED, 0), -1))
    parts = -(-length // largest)
    below += [length // part for part in _dividing(length, range(parts, min(parts + _TRIED, length) + 1))]
    yield from sorted(below)[-1:]


def _dividing(length: int, candidates: range) -> list[int]:
    """Return the first that divides a length, if one does."""
    return list(islice((value for value in candidates if length % value == 0), 1))
