"""Elements that are moved together in one forward pass, and which of them each output follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.numerics.functional import Array

__all__ = ["Group", "Grouping", "Singles"]


@dataclass(frozen=True, slots=True)
class Group:
    """Elements of one input that no output shares: one forward pass moves them all.

    Attributes
    ----------
    members
        Their flat indices, ascending.
    owner
        For every output the position in ``members`` of the one it depends on, ``len(members)`` where there is none;
        ``None`` where there is one member and all outputs are its own.
    """

    members: Array
    owner: Array | None = None

    def collect(self, terms: Array) -> Array:
        """Return for every member the sum of the terms of the outputs it owns."""
        if self.owner is None:
            return np.array([np.sum(terms)])
        count = len(self.members)
        weights = terms.astype(np.float64, copy=False)
        return np.bincount(self.owner, weights=weights, minlength=count + 1)[:count]

    def stray(self, terms: Array) -> float:
        """Return the largest term of an output that no member should reach: 0 where the grouping is right."""
        if self.owner is None:
            return 0.0
        return float(np.max(np.abs(terms), initial=0.0, where=self.owner == len(self.members)))

    def kept(self, mask: Array) -> Group:
        """Return the group of those members that a mask over the members names."""
        if np.all(mask):
            return self
        count = int(np.sum(mask))
        if self.owner is None:
            return Group(self.members[mask], np.zeros(0, dtype=np.int64))
        position = np.append(np.where(mask, np.cumsum(mask) - 1, count), count)
        return Group(self.members[mask], position[self.owner])


class Grouping(Protocol):
    """A partition of an input's elements into groups."""

    @property
    def count(self) -> int:
        """How many groups there are."""

    def groups(self, wanted: Array | None = None) -> Iterator[Group]:
        """Yield the groups, restricted to a mask over flat indices; those left without a member are passed over."""


@dataclass(frozen=True, slots=True)
class Singles:
    """Every element by itself: the grouping that needs to know nothing.

    Attributes
    ----------
    size
        How many elements there are.
    """

    size: int

    @property
    def count(self) -> int:
        """How many groups there are."""
        return self.size

    def groups(self, wanted: Array | None = None) -> Iterator[Group]:
        """Yield one group an element."""
        for position in range(self.size) if wanted is None else np.flatnonzero(wanted):
            yield Group(np.array([position]))
