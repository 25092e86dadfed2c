"""The smallest input of a network at which every layer is exact, or the proof that there is none."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from gradverify.layers.network_kinds import Family
from gradverify.models.contradictions import describe_contradiction
from gradverify.models.groups import GivenUp, Group, Tally, groups_of
from gradverify.models.network import chain, network_of, resized
from gradverify.numerics.geometry import holds
from gradverify.results import Solution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.model import Case

__all__ = ["smallest_exact"]

# Exact lengths of each axis, and walks through the whole network, where positions become one axis.
_MOST_OF_EACH = 32
_MOST_WALKS = 200

Lengths: TypeAlias = "dict[str, int]"


def smallest_exact(case: Case) -> Solution:
    """Search for the smallest input of a network at which every layer is exact.

    Exact is a layer whose size identity holds along every axis, whose window fits, and that has no other problem. A gap
    between windows does not stand in the way, as no size closes it; an allowance makes no layer exact. Axes are
    searched one by one, where no layer joins them, and each gets its least length; where a linear layer takes so many
    features, those of least sum that leave as many.

    Parameters
    ----------
    case
        A case with a network, at one point of its sweep.

    Raises
    ------
    ModelError
        The case has another target.
    """
    groups, tally = groups_of(case), Tally()
    given = tuple((group.name, group.given) for group in groups)
    try:
        found, reason = _searched(case, groups, tally)
    except GivenUp as error:
        return Solution(given=given, reason=str(error), tried=tally.tried)
    proved = found is None and all(track.periodic for group in groups for track in group.tracks)
    return Solution(
        given=given, found=tuple(found.items()) if found else None, reason=reason, proved=proved, tried=tally.tried
    )


def _searched(case: Case, groups: tuple[Group, ...], tally: Tally) -> tuple[Lengths | None, str | None]:
    """Return the lengths that are exact, or the reason why there are none."""
    nearest = {group.name: group.nearest(tally) for group in groups}
    missing = [group for group in groups if nearest[group.name] is None]
    if missing:
        return None, "; ".join(describe_contradiction(group) for group in missing)
    lengths = {name: length for name, length in nearest.items() if length is not None}
    wrong = _wrong(case, lengths)
    if wrong is None:
        return lengths, None
    if any(layer.row.family is Family.UNFOLD for layer in network_of(case).layers):
        return _with_positions(case, groups, tally), None
    wanted = _wanted(case, lengths)
    return (None, f"no length mends {wrong}") if wanted is None else _with_features(case, groups, wanted, tally)


def _wrong(case: Case, lengths: Mapping[str, int]) -> str | None:
    """Return the first layer that is not exact at some lengths, and why; ``None`` where all are."""
    for site in chain(resized(case, lengths)).sites:
        if site.problem is not None:
            return f"{site.name}: {site.problem}"
        inexact = next((axis for axis, window in site.windows if not holds(window)), None)
        if inexact is not None:
            return f"{site.name}: it is not exact along {inexact}"
    return None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A linear layer that does not get the features it takes, and what comes to be flattened for it."""

    layer: str
    features: int
    channels: int

    def __str__(self) -> str:
        return f"{self.layer} takes {self.features} features of {self.channels} channels"


def _wanted(case: Case, lengths: Mapping[str, int]) -> _Wanted | None:
    """Return the linear layer behind the first flatten, where it is one that another length may mend."""
    channels = None
    for layer, site in zip(network_of(case).layers, chain(resized(case, lengths)).sites, strict=True):
        family = layer.row.family
        if family is Family.FLATTEN and channels is None and site.input_shape is not None:
            channels = site.input_shape[1]
        if family is Family.LINEAR:
            features = layer.options.get("in_features")
            if site.problem is None or features is None or channels is None:
                return None
            return _Wanted(site.name, features, channels)
    return None


def _with_features(
    case: Case, groups: tuple[Group, ...], wanted: _Wanted, tally: Tally
) -> tuple[Lengths | None, str | None]:
    """Return the least lengths that leave a linear layer the features it takes, or the reason why none do."""
    positions, rest = divmod(wanted.features, wanted.channels)
    if rest:
        return None, f"{wanted}, which is no multiple of them"
    left = [_leaving(group, positions, tally) for group in groups]
    fitting = [
        {group.name: length for group, (_, length) in zip(groups, choice, strict=True)}
        for choice in itertools.product(*(rows.items() for rows in left))
        if prod(rows for rows, _ in choice) == positions
    ]
    least = min(fitting, key=lambda lengths: sum(lengths.values()), default=None)
    if least is None:
        from_given = ", ".join(f"{group.name} = {group.given}" for group in groups)
        return None, f"{wanted}, so {positions} positions: no exact lengths from {from_given} on leave as many"
    wrong = _wrong(case, least)
    return (least, None) if wrong is None else (None, f"no length mends {wrong}")


def _leaving(group: Group, positions: int, tally: Tally) -> dict[int, int]:
    """Return the numbers of rows that divide some positions and are left by exact lengths, with the least of these.

    More rows come out of a longer input, so that the search ends.
    """
    found: dict[int, int] = {}
    lengths = itertools.count(group.given) if group.grows else range(group.given, group.period.stop)
    for length, made in group.exact(lengths, tally):
        if made > positions:
            break
        if positions % made == 0:
            found.setdefault(made, length)
    return found


def _with_positions(case: Case, groups: tuple[Group, ...], tally: Tally) -> Lengths:
    """Return the least lengths at which the one axis that positions become is exact, too.

    Raises
    ------
    GivenUp
        Those that were looked at are not: nothing is known of others.
    """
    near = [
        [length for length, _ in itertools.islice(group.exact(itertools.count(group.given), tally), _MOST_OF_EACH)]
        for group in groups
    ]
    for choice in sorted(itertools.product(*near), key=sum)[:_MOST_WALKS]:
        lengths = {group.name: length for group, length in zip(groups, choice, strict=True)}
        if _wrong(case, lengths) is None:
            return lengths
    raise GivenUp(f"given up after {tally.tried} lengths: none fits what stands behind unfold")
