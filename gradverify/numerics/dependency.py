"""Footprints: for every output the box of an input's indices that it depends on, found without a difference.

Parts of the input along its axes are probed for all outputs at once, coarse blocks first, then the blocks within the
one that holds the end of an output's box. A footprint is a hypothesis: what is built on it is proved afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.sampling import signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gradverify.numerics.functional import Array
    from gradverify.numerics.probing import Prober

__all__ = ["Footprint", "find_footprint", "find_single_dependency"]

# How far from a whole number a decoded index may lie.
_WHOLE = 1e-4


@dataclass(frozen=True)
class Footprint:
    """For every output the box of indices it depends on.

    Attributes
    ----------
    shape
        Of the input.
    low, high
        First and last index, (axes, outputs).
    reached
        Which outputs depend on the input at all.
    gaps
        Per axis the distance between the indices within a box that matter: the dilation of a kernel.
    """

    shape: tuple[int, ...]
    low: Array
    high: Array
    reached: Array
    gaps: tuple[int, ...]

    @cached_property
    def extent(self) -> tuple[int, ...]:
        """The largest box, per axis."""
        if not np.any(self.reached):
            return (0,) * len(self.shape)
        lengths = self.high[:, self.reached] - self.low[:, self.reached] + 1
        return tuple(int(length) for length in np.max(lengths, axis=1))

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Per axis how many indices of the largest box matter."""
        return tuple(max(0, length - 1) // gap + 1 for length, gap in zip(self.extent, self.gaps, strict=True))


def find_single_dependency(
    shape: tuple[int, ...], respond: Callable[[Array], Array], random: np.random.Generator
) -> Footprint | None:
    """Return the footprint where every output depends on one element at most, else ``None``; 2 passes.

    With ``v`` random, ``(J (v i))_j / (J v)_j`` is the index ``i`` that output ``j`` depends on, and a whole number
    for every output by accident only.

    Parameters
    ----------
    shape
        Of the input.
    respond
        The derivative of every output along a direction, to rounding.
    random
        Stream for the direction.
    """
    size = prod(shape)
    direction = signed(shape, (0.5, 1), random)
    plain = respond(direction)
    reached = plain != 0
    coded = respond(direction * np.arange(1, size + 1).reshape(shape))
    place = np.divide(coded, plain, out=np.ones_like(plain), where=reached)
    whole = np.round(place)
    if not np.all(np.abs(place - whole) <= _WHOLE) or np.any(coded[~reached]):
        return None
    if not np.all((whole >= 1) & (whole <= size)):
        return None
    index = np.array(np.unravel_index(whole.astype(np.int64) - 1, shape)).reshape(len(shape), -1)
    return Footprint(shape, index, index, reached, (1,) * len(shape))


def find_footprint(shape: tuple[int, ...], outputs: int, prober: Prober) -> Footprint:
    """Return the footprint of an input.

    Parameters
    ----------
    shape
        Of the input.
    outputs
        How many outputs there are.
    prober
        Answers which part of the input each output depends on.

    Raises
    ------
    AmbiguousProbeError
        The prober cannot tell.
    """
    search = _Search.over(shape, outputs, prober)
    search.run()
    found = Footprint(shape, search.low, search.high, search.reached, (1,) * len(shape))
    return Footprint(shape, found.low, found.high, found.reached, _gaps(found, prober))


@dataclass(slots=True)
class _Search:
    """Blocks that hold the first and the last index of every output's box; their lengths are powers of two.

    Attributes
    ----------
    block
        Length of the blocks, per axis.
    low, high
        First index of the block, (axes, outputs).
    """

    shape: tuple[int, ...]
    prober: Prober
    block: list[int]
    low: Array
    high: Array
    reached: Array
    started: bool = field(default=False)

    @classmethod
    def over(cls, shape: tuple[int, ...], outputs: int, prober: Prober) -> _Search:
        block = [1 << (length - 1).bit_length() for length in shape]
        ends = np.zeros((2, len(shape), outputs), dtype=np.int64)
        return cls(shape, prober, block, ends[0], ends[1], np.ones(outputs, dtype=bool))

    def run(self) -> None:
        self._find_reached()
        while open_axes := [axis for axis, length in enumerate(self.block) if length > 1]:
            for pack in self._packs(open_axes):
                self._refine(pack)
                self._close_full_axes()
            self.started = True

    def _find_reached(self) -> None:
        """One probe of everything, where later ones would not tell an output that depends on nothing."""
        if self.prober.levels == 2 or max(self.block, default=1) == 1:
            self.reached = self.prober.top(np.zeros(self.shape, dtype=np.int64), 1) == 0

    def _packs(self, axes: list[int]) -> list[dict[int, int]]:
        """Return which axes are refined together, and to what length of block."""
        levels = self.prober.levels
        if not self.started and all(self.shape[axis] <= levels for axis in axes):
            return [dict.fromkeys(chosen, 1) for chosen in _packed({axis: self.shape[axis] for axis in axes}, levels)]
        if not self.started and levels >= 2 ** len(axes):
            parts = 1 << (levels.bit_length() - 1) // len(axes)
            return [{axis: max(1, self.block[axis] // parts) for axis in axes}]
        wide = [axis for axis in axes if self._blocks_across(axis) > 1]
        narrow = {axis: min(self.block[axis], levels) for axis in axes if axis not in wide}
        packs: list[Iterable[int]] = [*_packed(narrow, levels), *([axis] for axis in wide)]
        return [{axis: _block_within(self.block[axis], levels) for axis in chosen} for chosen in packs]

    def _blocks_across(self, axis: int) -> int:
        """Return over how many blocks the widest box stretches."""
        if not np.any(self.reached):
            return 1
        return int(np.max((self.high[axis] - self.low[axis])[self.reached]) // self.block[axis]) + 1

    def _refine(self, pack: dict[int, int]) -> None:
        """Replace blocks by the shorter blocks within them that hold the ends of the boxes.

        Only every ``q``-th block is probed at a time, where boxes stretch over ``q``: then the only block of a box
        that is probed is the one at its end.
        """
        apart = {axis: self._blocks_across(axis) for axis in pack}
        for turn in product(*(range(count) for count in apart.values())):
            classes = {axis: (apart[axis], place) for axis, place in zip(pack, turn, strict=True)}
            for ends, flip in ((self.high, False), (self.low, True)):
                self._probe(pack, classes, ends, flip)
        for axis, length in pack.items():
            self.block[axis] = length

    def _probe(self, pack: dict[int, int], classes: dict[int, tuple[int, int]], ends: Array, flip: bool) -> None:
        labels, counts = np.zeros(self.shape, dtype=np.int64), []
        for axis, length in pack.items():
            index = np.arange(self.shape[axis])
            count = -(-min(self.block[axis], self.shape[axis]) // length)
            digit = index % self.block[axis] // length
            digit = count - 1 - digit if flip else digit
            apart, place = classes[axis]
            other = index // self.block[axis] % apart != place
            along = [-1 if other_axis == axis else 1 for other_axis in range(len(self.shape))]
            labels = np.where(other.reshape(along) | (labels < 0), -1, labels * count + digit.reshape(along))
            counts.append(count)
        self._update(self.prober.top(labels, prod(counts)), pack, counts, (classes, ends, flip))

    def _update(
        self,
        top: Array,
        pack: dict[int, int],
        counts: list[int],
        probed: tuple[dict[int, tuple[int, int]], Array, bool],
    ) -> None:
        classes, ends, flip = probed
        asked = self.reached.copy()
        for axis, (apart, place) in classes.items():
            asked &= ends[axis] // self.block[axis] % apart == place
        if not self.started:
            self.reached &= ~(asked & (top < 0))
        digits = np.where(top < 0, prod(counts) - 1, top)
        for axis, count in reversed(list(zip(pack, counts, strict=True))):
            digit = digits % count
            digits = digits // count
            step = (count - 1 - digit if flip else digit) * pack[axis]
            ends[axis] = np.where(asked, ends[axis] + step, ends[axis])

    def _close_full_axes(self) -> None:
        """Take an axis for whole where every output depends on its first and its last index."""
        for axis, length in enumerate(self.block):
            last = (self.shape[axis] - 1) // length * length
            spans = (self.low[axis] == 0) & (self.high[axis] == last)
            if length > 1 and last > 0 and np.all(spans | ~self.reached) and self._reaches_both_ends(axis):
                self.block[axis] = 1
                self.high[axis] = self.shape[axis] - 1

    def _reaches_both_ends(self, axis: int) -> bool:
        for end in (0, self.shape[axis] - 1):
            labels = np.full(self.shape, -1, dtype=np.int64)
            labels[(slice(None),) * axis + (end,)] = 0
            if not np.all((self.prober.top(labels, 1) == 0) | ~self.reached):
                return False
        return True


def _block_within(block: int, levels: int) -> int:
    """Return the shortest power of two of which no more than ``levels`` make a block."""
    return 1 << (-(-block // levels) - 1).bit_length()


def _packed(sizes: dict[int, int], capacity: int) -> list[list[int]]:
    """Put axes together so that the product of their sizes fits; the largest first, each where it still fits."""
    packs: list[list[int]] = []
    for axis in sorted(sizes, key=lambda axis: -sizes[axis]):
        fitting = (pack for pack in packs if prod(sizes[other] for other in pack) * sizes[axis] <= capacity)
        pack = next(fitting, None)
        if pack is None:
            packs.append([axis])
        else:
            pack.append(axis)
    return packs


def _gaps(found: Footprint, prober: Prober) -> tuple[int, ...]:
    """Return per axis how far the indices that matter lie apart, read off one output whose box no border cuts."""
    gaps = [1] * len(found.shape)
    windowed = [axis for axis, length in enumerate(found.extent) if 2 < length < found.shape[axis]]
    whole = np.flatnonzero(
        np.all(found.high - found.low + 1 == np.array(found.extent)[:, None], axis=0) & found.reached
    )
    if not windowed or not len(whole):
        return tuple(gaps)
    if prober.levels > 2:  # an axis that a box fills may have holes as well, and is told in the same pass
        windowed += [
            axis for axis, length in enumerate(found.extent) if 2 < length == found.shape[axis] <= prober.levels
        ]
        windowed.sort()
    output = int(whole[0])
    if prober.levels == 2:
        for axis in windowed:
            gaps[axis] = _gap_by_divisors(found, prober, output, axis)
        return tuple(gaps)
    for chosen in _packed({axis: found.extent[axis] - 1 for axis in windowed}, prober.levels):
        pack = sorted(chosen)
        for axis, gap in zip(pack, _gaps_by_code(found, prober, output, pack), strict=True):
            gaps[axis] = gap
    return tuple(gaps)


def _gap_by_divisors(found: Footprint, prober: Prober, output: int, axis: int) -> int:
    """Return the largest gap such that nothing of the box but every gap-th index matters."""
    reach = found.extent[axis] - 1
    offset = np.arange(found.shape[axis]) - found.low[axis, output]
    for gap in (gap for gap in range(reach, 1, -1) if reach % gap == 0):
        between = (offset >= 0) & (offset <= reach) & (offset % gap != 0)
        along = [-1 if other == axis else 1 for other in range(len(found.shape))]
        labels = np.broadcast_to(between.reshape(along), found.shape) * 1
        if prober.top(labels, 2)[output] != 1:
            return gap
    return 1


def _gaps_by_code(found: Footprint, prober: Prober, output: int, pack: list[int]) -> list[int]:
    """Return the gaps of several axes from the last index but one that matters; 1 pass."""
    labels, counts = np.zeros(found.shape, dtype=np.int64), [found.extent[axis] - 1 for axis in pack]
    for axis in range(len(found.shape)):
        offset = np.arange(found.shape[axis]) - found.low[axis, output]
        along = [-1 if other == axis else 1 for other in range(len(found.shape))]
        inside = (offset >= 0) & (offset < found.extent[axis] - (axis in pack))
        digit = offset if axis in pack else np.zeros_like(offset)
        count = found.extent[axis] - 1 if axis in pack else 1
        labels = np.where(inside.reshape(along) & (labels >= 0), labels * count + digit.reshape(along), -1)
    top = int(prober.top(labels, prod(counts))[output])
    gaps = []
    for axis, count in sorted(zip(pack, counts, strict=True), reverse=True):
        last = top % count if top >= 0 else 0
        top = top // count if top >= 0 else top
        gaps.append((axis, found.extent[axis] - 1 - last))
    return [dict(gaps)[axis] for axis in pack]
