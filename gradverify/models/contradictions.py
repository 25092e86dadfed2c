"""Why no length is exact: the fewest layers of which at every length one is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.numerics.geometry import describe_impossible, describe_loss, measure

if TYPE_CHECKING:
    from gradverify.models.groups import Group
    from gradverify.models.periods import Step, Track
    from gradverify.spec.network_model import NetworkLayer

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
    order = dict.fromkeys(_called(layer, track, group.tracks) for track in group.tracks for layer in track.layers)
    names = _fewest(tuple(order), {frozenset(layers) for layers in failing.values()})
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
                found[_called(step.layer, track, tracks)] = (track, step)
                if not thorough:
                    return found
    return found


def _called(layer: NetworkLayer, track: Track, tracks: tuple[Track, ...]) -> str:
    """Return a layer's name, with the axis where there are several."""
    return f"{layer.name} along {track.name}" if len(tracks) > 1 else f"{layer.name}"


def _fewest(layers: tuple[str, ...], failing: set[frozenset[str]]) -> tuple[str, ...]:
    """Return layers, in their order, of which one fails at every length, and of which none can be left out."""
    kept = {name for names in failing for name in names}
    for name in layers:
        rest = kept - {name}
        if all(names & rest for names in failing):
            kept = rest
    return tuple(name for name in layers if name in kept)


def _at(name: str, failing: dict[int, dict[str, tuple[Track, Step]]], length: int) -> str:
    """Say what a layer leaves unread, or why it is impossible, at one length."""
    track, step = failing[length][name]
    impossible = None if step.window is None else describe_impossible(step.window)
    if impossible is not None:
        return impossible
    if step.window is None or step.made is None:
        return "no rows, or more than 2^63, come out"
    return describe_loss(measure(track.name, step.window))
