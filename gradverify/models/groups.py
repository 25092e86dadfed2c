"""The lengths that an input has: one for each axis, or for several whose length is one dim."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import lcm, prod
from typing import TYPE_CHECKING

from gradverify.models.network import input_shape, network_of
from gradverify.models.periods import Track, track_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradverify.spec.model import Case

__all__ = ["GivenUp", "Group", "Tally", "groups_of"]

# Layers looked at in one search: a few seconds.
_MOST_STEPS = 100_000


class GivenUp(Exception):  # noqa: N818  ends a search, its reason being told
    """The search has taken as long as it may."""


@dataclass(slots=True)
class Tally:
    """How many lengths a search has tried, and how many layers it has looked at."""

    tried: int = 0
    steps: int = 0

    def add(self, looked: int) -> None:
        """Count one length."""
        self.tried += 1
        self.steps += looked


@dataclass(frozen=True, slots=True)
class Group:
    """Axes that have one length.

    Attributes
    ----------
    name
        Of the axis, or of the dim.
    given
        Their length in the case.
    tracks
        Their ways through the network.
    """

    name: str
    given: int
    tracks: tuple[Track, ...]

    @property
    def period(self) -> range:
        """The lengths that stand for all: one period in which every window fits."""
        first = max(self.given, *(track.fits_from for track in self.tracks))
        return range(first, first + lcm(*(track.period for track in self.tracks)))

    @property
    def grows(self) -> bool:
        """Whether what comes out depends on what goes in."""
        return any(track.growing == track.layers for track in self.tracks)

    def exact(self, lengths: Iterable[int], tally: Tally) -> Iterator[tuple[int, int]]:
        """Yield the exact ones of some lengths, each with the number of rows that come out along all axes together.

        Raises
        ------
        GivenUp
            More than ``_MOST_STEPS`` layers were looked at.
        """
        for length in lengths:
            made, looked = zip(*(track.made(length) for track in self.tracks), strict=True)
            tally.add(sum(looked))
            if None not in made:
                yield length, prod(made)
            if tally.steps > _MOST_STEPS:
                raise GivenUp(f"given up at {self.name} = {length}, after {tally.tried} lengths")

    def nearest(self, tally: Tally) -> int | None:
        """Return the least exact length; ``None`` where a whole period has none."""
        return next((length for length, _ in self.exact(range(self.given, self.period.stop), tally)), None)


def groups_of(case: Case) -> tuple[Group, ...]:
    """Return the lengths of the input of a network, in the order of the axes."""
    network, places = network_of(case), defaultdict(list)
    for place, name in enumerate(network.axes):
        places[name].append(place)
    lengths = input_shape(case)[2:]
    return tuple(
        Group(name, lengths[axes[0]], tuple(track_of(network.layers, axis, len(lengths)) for axis in axes))
        for name, axes in places.items()
    )
