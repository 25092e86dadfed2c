"""Why no length is exact: the fewest layers of which at every length one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.numerics.geometry import axis_names, describe_impossible, describe_loss, measure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradverify.models.groups import Group
    from gradverify.models.periods import Step, Track

__all__ = ["describe_contradiction"]

_MOST_STEPS = 100_000


def describe_contradiction(group: Group) -> str:
    """Say which layers are to blame that no length is exact.

    Parameters
    ----------
    group
        The axes that have this length. No length from the given one on is exact, to the end of the first period in
        which all windows fit.

    Where there is too much to look at, the first that is not exact at each length are blamed; they may be more.
    """
    name, lengths = group.name, group.period
    thorough = len(lengths) * sum(len(track.layers) for track in group.tracks) <= _MOST_STEPS
    failing = {length: _failing(group.tracks, length, thorough=thorough) for length in lengths}
    blamed = _fewest(failing.values())
    order = dict.fromkeys(str(layer.name) for track in group.tracks for layer in track.layers)
    names = [layer for layer in order if layer in blamed]
    returns = all(track.periodic for track in group.tracks)
    end = f"on (what is left over returns every {len(lengths)})" if returns else f"to {lengths[-1]}"
    searched = f"from {name} = {group.given} {end}"
    if len(names) == 1:
        return f"{names[0]} is exact at no length {searched}: {_at(names[0], failing, lengths[0])}"
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{listed} contradict each other: no length {searched} leaves all of them exact"


def _failing(tracks: tuple[Track, ...], length: int, *, thorough: bool) -> dict[str, tuple[Track, Step]]:
    """Return the layers that are not exact at a length, by name."""
    found: dict[str, tuple[Track, Step]] = {}
    for track in tracks:
        for step in track.steps(length):
            if not step.exact:
                found.setdefault(str(step.layer.name), (track, step))
                if not thorough:
                    return found
    return found


def _fewest(failing: Iterable[dict[str, tuple[Track, Step]]]) -> tuple[str, ...]:
    """Return layers of which one fails at every length, and of which none can be left out."""
    sets = {frozenset(names) for names in failing}
    kept = list(dict.fromkeys(name for names in sets for name in sorted(names)))
    for name in list(kept):
        rest = set(kept) - {name}
        if all(names & rest for names in sets):
            kept.remove(name)
    return tuple(kept)


def _at(name: str, failing: dict[int, dict[str, tuple[Track, Step]]], length: int) -> str:
    """Say what a layer leaves unread, or why it is impossible, at one length."""
    track, step = failing[length][name]
    impossible = None if step.window is None else describe_impossible(step.window)
    if impossible is not None:
        return impossible
    if step.window is None or step.made is None:
        return "no rows, or more than 2^63, come out"
    return describe_loss(measure(axis_names(track.axis + 1)[track.axis], step.window))
