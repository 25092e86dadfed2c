"""The second look, at those elements alone that disagree or whose error bar is too wide.

Steps from large to small until kinks lie outside the stencil, and where none does, the one-sided slopes at a kink.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.comparison import compare
from gradverify.numerics.kinks import find_kinks, joint_slope
from gradverify.numerics.stencils import five_point

if TYPE_CHECKING:
    from gradverify.numerics.comparison import Bounds, Comparison
    from gradverify.numerics.differences import Estimate
    from gradverify.numerics.functional import Array, Functional
    from gradverify.numerics.grouping import Group, Grouping

__all__ = ["Judged", "Look", "judge"]

# Steps of the second look in units of the first one's.
_LADDER = (1.0, 2.0**-3, 2.0**-6, 2.0**-9, 2.0**-12, 2.0**-15, 2.0**5)
# Error bar, relative to the slope, at which no kink need be looked for, and that at which no other step is tried.
_SHARP, _SHARPEST = 1e-7, 1e-8
# Error bar, relative to the gap at a kink, beyond which the element cannot be told from the kink.
_BLUNT = 1e-3
# Elements looked at again at first, at least; when all of them still fail, the others are taken to fail as well. Where
# they do not, more are looked at in every turn. Those of a group cost what one of them does.
_CHUNK, _GROWTH = 16, 8
# Room for the order-2 slope along which all kinks move together, relative to what is added up.
_JOINT_ROOM = 1e-5


@dataclass(frozen=True, slots=True)
class Look:
    """Where the second look starts from.

    Attributes
    ----------
    functional, name, grouping
        What is differentiated, by which input, and which of its elements can be moved together.
    step
        Of the first look.
    """

    functional: Functional
    name: str
    grouping: Grouping
    step: float

    def narrow(self, estimate: Estimate, wanted: Array) -> None:
        """Put what this look sees of some elements, given by a flat mask, in place of what an estimate says of them."""
        for group in self.grouping.groups(wanted):
            here = group.members
            estimate.low[here], estimate.high[here], estimate.bar[here], estimate.taken[here] = self.again(
                group, estimate.noise[here]
            )

    def again(self, group: Group, noise: Array) -> tuple[Array, Array, Array, Array]:
        """Return low, high, bar and step of a group's members: the narrowest bar of the ladder, or slopes at a kink."""
        low, high, taken = self._kinks_here(group, noise)
        bar = np.zeros(low.shape)
        open_ones = np.isnan(low)
        if np.any(open_ones):
            narrowed = self._ladder(group.kept(open_ones), noise[open_ones])
            low[open_ones], high[open_ones], bar[open_ones], taken[open_ones] = narrowed
        return low, high, bar, taken

    def _kinks_here(self, group: Group, noise: Array) -> tuple[Array, Array, Array]:
        """Return the slopes on both sides of members that lie at a kink themselves, NaN for the others; and steps."""
        low, high = self._kinks(group, min(_LADDER), noise)
        taken = np.full(low.shape, self.step * min(_LADDER))
        found = ~np.isnan(low)
        if np.any(found):  # a larger step has less noise, unless another kink lies beside this one
            wider_low, wider_high = self._kinks(group.kept(found), 1.0, noise[found])
            inside = (low[found] <= wider_low) & (wider_high <= high[found])
            low[found], high[found], taken[found] = (
                np.where(inside, wider, here)
                for wider, here in ((wider_low, low[found]), (wider_high, high[found]), (self.step, taken[found]))
            )
        return low, high, taken

    def _kinks(self, group: Group, factor: float, noise: Array) -> tuple[Array, Array]:
        """Return the slopes on both sides of kinks at a step, with the room that noise asks for; 4 passes."""
        kinks = find_kinks(self.functional, self.name, group, self.step * factor, noise)
        width = 32 * noise / (self.step * factor)
        return kinks.low - width, kinks.high + width

    def _ladder(self, group: Group, noise: Array) -> tuple[Array, Array, Array, Array]:
        """Return the slope with the narrowest bar and its step, or the slopes of a kink too near for any step.

        A bar that a shorter step contradicts is none: a function that bends within the step looks smooth from afar.
        """
        value, bar, taken = np.zeros(noise.shape), np.full(noise.shape, np.inf), np.zeros(noise.shape)
        for place, factor in enumerate(_LADDER):
            wanted = ~(bar <= _SHARPEST * np.abs(value))
            if not np.any(wanted):
                break
            found, its_bar = self._at(group.kept(wanted), self.step * factor, noise[wanted])
            if factor > max(_LADDER[:place], default=factor):
                its_bar = _contradicted(found, its_bar, value[wanted], bar[wanted])
            else:
                bar[wanted] = _contradicted(value[wanted], bar[wanted], found, its_bar)
            better = its_bar < bar[wanted]
            seen = ((found, value[wanted]), (its_bar, bar[wanted]), (self.step * factor / 2, taken[wanted]))
            value[wanted], bar[wanted], taken[wanted] = (np.where(better, new, old) for new, old in seen)
        estimate = value, value.copy(), bar, taken
        self._near_kinks(group, noise, estimate)
        return estimate

    def _near_kinks(self, group: Group, noise: Array, estimate: tuple[Array, Array, Array, Array]) -> None:
        """Put the slopes of a kink where no step tells the element from it."""
        low, high, bar, taken = estimate
        unclear = ~(bar <= _SHARP * np.abs(low))
        for factor in sorted(_LADDER)[1:-1]:
            if not np.any(unclear):
                return
            left, right = self._kinks(group.kept(unclear), factor, noise[unclear])
            with np.errstate(invalid="ignore"):
                kinked = ~np.isnan(left) & ~(bar[unclear] < _BLUNT * (right - left))
            places = np.flatnonzero(unclear)[kinked]
            low[places], high[places], bar[places], taken[places] = left[kinked], right[kinked], 0.0, self.step * factor
            unclear[places] = False

    def _at(self, group: Group, step: float, noise: Array) -> tuple[Array, Array]:
        """Return slopes at a step and their bars: the change when the step is halved, and what a kink would do."""
        wide = five_point(self.functional, self.name, group, step)
        narrow = five_point(self.functional, self.name, group, step / 2)
        with np.errstate(invalid="ignore"):
            bar = np.abs(wide.value - narrow.value) + np.maximum(
                np.maximum(wide.corner, narrow.corner), 8 * noise / step
            )
        return narrow.value, np.where(np.isfinite(bar), bar, np.inf)


def _contradicted(value: Array, bar: Array, finer: Array, its_bar: Array) -> Array:
    """Return the bars of slopes, without end where the slope at a shorter step lies outside, also with some noise.

    Where a function saturates, a slope doubles when its step is halved, and the truth is further off than any bar. The
    bar of a short step is that of noise, of which it is likely to have a quarter at most.
    """
    with np.errstate(invalid="ignore"):
        apart = np.abs(finer - value)
        return np.where(np.isfinite(its_bar) & (apart > bar + its_bar / 4), np.inf, bar)


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison of all elements, flat, with what was learned on the way.

    Attributes
    ----------
    comparison, bar
        Per element.
    kinks
        How many elements were judged by the slopes on both sides of a kink.
    torn
        Whether the elements at kinks fail together: they do not add up to the slope when all of them move.
    """

    comparison: Comparison
    bar: Array
    kinks: int
    torn: bool


def judge(look: Look, estimate: Estimate, analytic: Array, bounds: Bounds) -> Judged:
    """Compare all elements, and look again at those that fail or whose bar is too wide, until that changes nothing.

    Parameters
    ----------
    look
        What is looked at.
    estimate
        From the first look; narrowed here.
    analytic
        The gradient under test, flat.
    bounds
        What is allowed beside the bars.
    """
    seen, chunk = np.zeros(analytic.shape, dtype=bool), _CHUNK
    while True:
        comparison = compare(analytic, estimate.low, estimate.high, estimate.bar, bounds)
        doubtful = (comparison.failed | comparison.inconclusive) & ~seen & np.isfinite(analytic)
        wanted = _chosen(look.grouping, _worst_first(comparison, doubtful), doubtful, chunk)
        look.narrow(estimate, wanted)
        seen |= wanted
        comparison = compare(analytic, estimate.low, estimate.high, estimate.bar, bounds)
        if np.all(comparison.failed[wanted]):
            return _found(look, estimate, analytic, comparison)
        chunk *= _GROWTH


def _chosen(grouping: Grouping, worst_first: Array, doubtful: Array, count: int) -> Array:
    """Return a mask of the groups of the worst elements, with all their doubtful members: so many elements or more.

    Parameters
    ----------
    grouping
        Which elements can be moved together.
    worst_first, doubtful
        Positions of the doubtful elements, and a mask of them.
    count
        How many are wanted.
    """
    if len(worst_first) <= count:
        return doubtful
    rank = np.full(doubtful.shape, len(worst_first))
    rank[worst_first] = np.arange(len(worst_first))
    members = sorted((group.members for group in grouping.groups(doubtful)), key=lambda group: int(np.min(rank[group])))
    wanted, taken = np.zeros(doubtful.shape, dtype=bool), 0
    for group in members:
        if taken >= count:
            break
        wanted[group] = True
        taken += len(group)
    return wanted


def _worst_first(comparison: Comparison, doubtful: Array) -> Array:
    """Return the positions of the doubtful elements, the furthest outside first."""
    positions = np.flatnonzero(doubtful)
    with np.errstate(over="ignore"):  # what is allowed may be nothing at all
        excess = comparison.difference[positions] / np.maximum(comparison.allowed[positions], np.finfo(np.float64).tiny)
    return positions[np.argsort(-excess, kind="stable")]


def _found(look: Look, estimate: Estimate, analytic: Array, comparison: Comparison) -> Judged:
    kinked = estimate.low < estimate.high
    torn = bool(np.any(kinked)) and _torn(look, estimate, analytic, comparison)
    failed = comparison.failed | kinked if torn else comparison.failed
    return Judged(replace(comparison, failed=failed), estimate.bar, int(np.sum(kinked)), torn)


def _torn(look: Look, estimate: Estimate, analytic: Array, comparison: Comparison) -> bool:
    """Return whether the elements at kinks do not add up to the slope along which all of them move."""
    kinked = estimate.low < estimate.high
    slope = joint_slope(look.functional, look.name, kinked.reshape(look.functional.inputs[look.name].shape), look.step)
    if slope is None:
        return False
    parts = analytic[kinked]
    noise = float(np.sqrt(np.sum(estimate.noise[kinked] ** 2)))
    room = _JOINT_ROOM * (abs(slope) + float(np.sum(np.abs(parts)))) + 8 * noise / look.step
    return not abs(float(np.sum(parts)) - slope) <= float(np.sum(comparison.allowed[kinked])) + room
