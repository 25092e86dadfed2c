"""Which stretch of a network's input an output reads, along one axis: exact, in whole numbers, without arrays.

Layers are taken as if nothing ended: padding and what lies beyond the ends count as elements. Output ``o`` of a window
with kernel length ``HH``, stride ``S``, dilation ``D`` and padding ``P_lo`` reads ``o S - P_lo + j D`` for
``0 <= j < HH``; that of a transposed one reads every ``i`` with ``i S - P_lo + j D = o``. The stretch of an output from
the first to the last element that reaches it follows from those of what it reads, so a chain is walked layer by layer.

Without layers that make axes longer, every output reads as much as any other, and the three numbers follow the sums of
Araujo, Norris and Sim, *Computing Receptive Fields of Convolutional Neural Networks*, 2019: size
``1 + sum (K_l - 1) prod_{i<l} S_i``, stride ``prod S_l``, offset ``-sum P_l prod_{i<l} S_i``. Behind a layer that makes
an axis ``U`` times longer, outputs take turns: ``U`` of them read in different ways, and then the same ways return, one
element further on. So the stretches of one such turn are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import TYPE_CHECKING, TypeAlias

from gradverify.numerics.geometry import edges

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.numerics.geometry import Window

__all__ = ["MOST_TURNS", "Field", "field_at", "pooled", "resampled", "single", "slid"]

# Of outputs that read in different ways, and of elements looked at for all of them; beyond, a field is not followed.
MOST_TURNS = 1024
_MOST_READS = 1 << 12
_FARTHEST = 2**63

Stretch: TypeAlias = "tuple[int, int] | None"


@dataclass(frozen=True, slots=True)
class Field:
    """The stretches that outputs read.

    Attributes
    ----------
    turn
        First and last element of the input that reach output 0, 1 and so on, one turn of them; ``None`` for an output
        that nothing reaches.
    shift
        How many elements further on the next turn reads.
    ordered
        Whether no output reads from, or up to, an element before those of an earlier output.
    """

    turn: tuple[Stretch, ...]
    shift: int
    ordered: bool = True

    @property
    def size(self) -> int | None:
        """The longest stretch."""
        return max((last - first + 1 for first, last in filter(None, self.turn)), default=None)

    @property
    def stride(self) -> int | str:
        """How far the stretch moves from one output to the next, on average: a whole number, or text as ``"1/2"``."""
        average = Fraction(self.shift, len(self.turn))
        return average.numerator if average.denominator == 1 else str(average)

    @property
    def offset(self) -> int | None:
        """The first element that output 0 reads; negative in the padding."""
        return None if self.turn[0] is None else self.turn[0][0]


def single() -> Field:
    """Return the field of the input itself: every element reads itself."""
    return Field(((0, 0),), 1)


def field_at(field: Field, output: int) -> Stretch:
    """Return the first and last element that reach one output, or ``None`` where nothing does."""
    turns, place = divmod(output, len(field.turn))
    stretch = field.turn[place]
    return None if stretch is None else (stretch[0] + turns * field.shift, stretch[1] + turns * field.shift)


def slid(field: Field | None, window: Window) -> Field | None:
    """Return the field behind a window, or ``None`` where it cannot be followed."""
    if field is None:
        return None
    if window.transposed:
        return _made(field, window)
    period, low = len(field.turn), edges(window)[0]
    turn = period // gcd(period, window.stride)

    def stretch(output: int) -> Stretch:
        return _read(field, output * window.stride - low, window.dilation, window.kernel)

    return _turned(field, turn, Fraction(turn * window.stride, period), stretch)


def _made(field: Field, window: Window) -> Field | None:
    """Return the field behind a transposed window: output ``o`` reads ``i`` where ``i S + j D = o + P_lo``."""
    common = gcd(window.stride, window.dilation)
    stride, dilation = window.stride // common, window.dilation // common
    inverse = pow(dilation, -1, stride)
    period, low = len(field.turn), edges(window)[0]
    turn = period * window.stride

    def stretch(output: int) -> Stretch:
        place, rest = divmod(output + low, common)
        tap = place * inverse % stride
        if rest or tap >= window.kernel:
            return None
        count = (window.kernel - 1 - tap) // stride + 1
        last = (place - tap * dilation) // stride
        return _read(field, last - (count - 1) * dilation, dilation, count)

    return _turned(field, turn, Fraction(1), stretch)


def resampled(field: Field | None, scale: Fraction, mode: str = "nearest") -> Field | None:
    """Return the field behind a layer that makes an axis ``scale`` times as long.

    Parameters
    ----------
    field
        Before it.
    scale
        Output length through input length.
    mode
        ``nearest`` reads element ``floor(o / scale)``; the others those around ``(o + 1/2) / scale - 1/2``: two where
        they are linear, four where they are cubic, one where it is an element itself.
    """
    if field is None:
        return None
    period, up, down = len(field.turn), scale.numerator, scale.denominator
    turn = up * (period // gcd(period, down))
    reach = {"nearest": 0, "bicubic": 2}.get(mode, 1)

    def stretch(output: int) -> Stretch:
        if not reach:
            return field_at(field, output * down // up)
        place, rest = divmod((2 * output + 1) * down - up, 2 * up)
        return _read(field, place - reach + 1, 1, 2 * reach) if rest else field_at(field, place)

    return _turned(field, turn, Fraction(turn) / scale / period, stretch)


def pooled(field: Field | None, length: int) -> Field | None:
    """Return the field of a single output that reads a whole axis; it moves nowhere."""
    if field is None:
        return None
    return Field((_read(field, 0, 1, length),), 0)


def _turned(field: Field, turn: int, shifts: Fraction, stretch: Callable[[int], Stretch]) -> Field | None:
    """Return a field of ``turn`` stretches, each turn of which is so many of the field before it."""
    shift, reads = int(shifts * field.shift), 1 if field.ordered else len(field.turn)
    if turn > MOST_TURNS or turn * reads > _MOST_READS or shift > _FARTHEST:
        return None
    stretches = tuple(stretch(output) for output in range(turn))
    return Field(stretches, shift, _ordered(stretches, shift))


def _ordered(turn: tuple[Stretch, ...], shift: int) -> bool:
    """Return whether neither end of the stretches ever goes back, into the next turn."""
    known = [stretch for stretch in turn if stretch is not None]
    if len(known) < len(turn):
        return False
    following = [*known[1:], (known[0][0] + shift, known[0][1] + shift)]
    return all(now[0] <= after[0] and now[1] <= after[1] for now, after in zip(known, following, strict=True))


def _read(field: Field, start: int, step: int, count: int) -> Stretch:
    """Return the stretch of an output that reads ``count`` elements from ``start`` on, every ``step``-th.

    Elements a turn apart read a turn apart: the first turn of them holds the first element, the last turn the last one.
    Where stretches are in order, the first and the last of them are enough.
    """
    ends = 1 if field.ordered else min(count, len(field.turn))
    first = [field_at(field, start + place * step) for place in range(ends)]
    last = [field_at(field, start + place * step) for place in range(count - ends, count)]
    least = min((stretch[0] for stretch in first if stretch), default=None)
    most = max((stretch[1] for stretch in last if stretch), default=None)
    return None if least is None or most is None else (least, most)
