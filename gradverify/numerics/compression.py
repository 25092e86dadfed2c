"""Elements that no output shares, moved in one pass: the footprint's product of widths is the number of passes.

On every axis let ``g`` be the gap and ``K`` the width of the footprint. Elements whose ``floor(i / g) mod K`` agree on
all axes form a group; of group ``c``, output ``j`` with a box from ``lo`` depends on ``lo + g ((c - floor(lo / g))
mod K)`` alone, and on none where that lies past its box. No scheme that recovers every entry directly needs fewer
passes than the largest number of elements that one output depends on (Curtis, Powell & Reid, 1974), and this one meets
that bound.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.grouping import Group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.numerics.dependency import Footprint
    from gradverify.numerics.functional import Array

__all__ = ["Compressed"]

# Bytes that tables of owners may take; beyond, they are made anew for every group.
_TABLES = 2**28
# Position of elements that are no member: what follows them is nobody's, also where a footprint is nonsense.
_NOBODY = -1


class Compressed:
    """The grouping that belongs to a footprint.

    Parameters
    ----------
    footprint
        Of the input.
    """

    def __init__(self, footprint: Footprint) -> None:
        self._footprint = footprint
        self._size = prod(footprint.shape)
        self._strides = [prod(footprint.shape[axis + 1 :]) for axis in range(len(footprint.shape))]
        needed = 8 * sum(footprint.widths) * footprint.reached.size
        self._owners_along = lru_cache(maxsize=None if needed <= _TABLES else 0)(self._along)

    @property
    def count(self) -> int:
        """How many groups there are."""
        return prod(self._footprint.widths) if self._size else 0

    def groups(self, wanted: Array | None = None) -> Iterator[Group]:
        """Yield the groups; with a mask over flat indices those of its elements, as they are needed."""
        if wanted is not None and not np.any(wanted):
            return
        slot = np.full(self._size + 1, _NOBODY, dtype=np.int64)
        shares = [self._shares(axis) for axis in range(len(self._strides))]
        for colour in product(*(range(width) for width in self._footprint.widths)):
            members: Array = np.zeros((), dtype=np.int64)
            for axis, chosen in enumerate(colour):
                members = members[..., None] + shares[axis][chosen]
            members = members.reshape(-1)
            if not members.size or (wanted is not None and not np.any(wanted[members])):
                continue
            group = Group(members, self._owner(colour, members, slot))
            yield group if wanted is None else group.kept(wanted[members])

    def _shares(self, axis: int) -> list[Array]:
        """Return for every colour along an axis its indices' shares of flat indices."""
        index = np.arange(self._footprint.shape[axis])
        width, gap = self._footprint.widths[axis], self._footprint.gaps[axis]
        colours = index // gap % width
        return [index[colours == chosen] * self._strides[axis] for chosen in range(width)]

    def _owner(self, colour: tuple[int, ...], members: Array, slot: Array) -> Array:
        """Return for every output the position in ``members`` of the element it depends on."""
        owner = np.where(self._footprint.reached, 0, self._size)
        for axis, chosen in enumerate(colour):
            owner = owner + self._owners_along(axis, chosen)
        slot[members] = np.arange(len(members))
        found = slot[np.minimum(owner, self._size)]
        slot[members] = _NOBODY
        return np.where(found == _NOBODY, len(members), found)

    def _along(self, axis: int, chosen: int) -> Array:
        """Return each output's share of the flat index of its owner, or the size of the input where it has none."""
        low, high, gap = self._footprint.low[axis], self._footprint.high[axis], self._footprint.gaps[axis]
        index = low + gap * ((chosen - low // gap) % self._footprint.widths[axis])
        return np.where(index <= high, index * self._strides[axis], self._size)
