"""How a chain of layers along one axis depends on the length that enters it: exactness returns with a period.

A sliding window with stride ``S`` makes ``floor((L + c) / S) + 1`` rows: a length ``S`` longer makes one row more and
has the same residual. A transposed one makes ``S`` rows more of one more; an upsample by ``U`` makes ``U``. So a chain
whose lengths grow by the rates ``r_1, r_2, ...`` (``1/S`` and ``S`` and ``U``, multiplied) has the same residuals again
when its input is longer by the least common multiple of their denominators, once all windows fit. Behind a layer that
gives the length itself, nothing depends on the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, lcm
from typing import TYPE_CHECKING

from gradverify.layers.network_kinds import Family
from gradverify.models.lanes import Lane, advance, gives_length, pads, scale_of, window_of
from gradverify.numerics.geometry import PadMode, Window, axis_names, holds
from gradverify.spec.model import LARGEST_WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.spec.network_model import NetworkLayer

__all__ = ["Step", "Track", "track_of"]

_ENDS = {Family.FLATTEN, Family.LINEAR}


@dataclass(frozen=True, slots=True)
class Step:
    """One layer at one length: the window, where it has one, the length that comes out, and whether all is exact."""

    layer: NetworkLayer
    window: Window | None
    made: int | None
    exact: bool


@dataclass(frozen=True, slots=True)
class Track:
    """One spatial axis through the layers that change its length, up to where it ends in features or positions."""

    name: str
    axis: int
    layers: tuple[NetworkLayer, ...]

    def steps(self, length: int) -> Iterator[Step]:
        """Yield every layer at one length of the input, as far as there are lengths."""
        lane = Lane(length)
        for layer in self.layers:
            window, lane = advance(layer, self.axis, lane)
            exact = lane.length is not None and (window is None or holds(window))
            yield Step(layer, window, lane.length, exact)
            if lane.length is None:
                return

    def made(self, length: int) -> tuple[int | None, int]:
        """Return the length that comes out where all layers are exact, else ``None``; and how many were looked at."""
        looked = 1
        for step in self.steps(length):
            if not step.exact or step.made is None:
                return None, looked
            length, looked = step.made, looked + 1
        return length, looked

    @property
    def growing(self) -> tuple[NetworkLayer, ...]:
        """The layers whose length depends on the input: up to the first that gives it itself."""
        given = next((place for place, layer in enumerate(self.layers) if gives_length(layer)), len(self.layers))
        return self.layers[:given]

    @property
    def period(self) -> int:
        """By how much longer an input is at which the same layers are exact again."""
        rate, period = Fraction(1), 1
        for layer in self.growing:
            rate *= _rate(layer, self.axis)
            period = lcm(period, rate.denominator)
            if period > LARGEST_WHOLE:
                break  # longer than anything that is searched
        return period

    @property
    def fits_from(self) -> int:
        """The length from which on every window fits, that of layers that give their length themselves aside."""
        least = 1
        for layer in reversed(self.growing):
            least = max(1, _least_input(layer, self.axis, least))
            if least > LARGEST_WHOLE:
                break  # farther than anything that is searched
        return least

    @property
    def periodic(self) -> bool:
        """Whether exactness returns: not behind a fractional scale, whose products are rounded."""
        return not any(
            layer.options.get("size") is None and scale_of(layer, self.axis, 1).denominator > 1
            for layer in self.growing
            if layer.row.family is Family.UPSAMPLE
        )


def track_of(layers: tuple[NetworkLayer, ...], axis: int, rank: int) -> Track:
    """Return the way of one of ``rank`` axes through a network."""
    found = []
    for layer in layers:
        family = layer.row.family
        if family in _ENDS:
            break
        if family is not Family.KEEP:
            found.append(layer)
        if family is Family.UNFOLD:
            break
    return Track(axis_names(rank)[axis], axis, tuple(found))


def _rate(layer: NetworkLayer, axis: int) -> Fraction:
    """Return how many rows more come out where one more comes in, on average."""
    if layer.row.family is Family.UPSAMPLE:
        return scale_of(layer, axis, 1)
    if not layer.row.windowed:
        return Fraction(1)
    window = window_of(layer, axis, Lane(1))
    return Fraction(window.stride) if window.transposed else Fraction(1, window.stride)


def _least_input(layer: NetworkLayer, axis: int, made: int) -> int:
    """Return a length from which on a layer makes at least so many rows, whatever its rounding."""
    family = layer.row.family
    if family is Family.PAD:
        return made - sum(pads(layer, axis))
    if family is Family.UPSAMPLE:
        return ceil(made / scale_of(layer, axis, 1)) + 1
    window = window_of(layer, axis, Lane(1))
    if window.transposed:
        padding = 0 if window.mode else sum(window.padding)
        return -(-(made + padding) // window.stride) + 1
    if window.mode is None:
        return (made - 1) * window.stride + window.reach - sum(window.padding)
    return (made - 1) * window.stride + 1 + (window.reach if window.mode is PadMode.CAUSAL else 0)
