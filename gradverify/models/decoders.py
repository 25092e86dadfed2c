"""Decoders: which layer undoes which, and whether it comes back to the length that was there.

A layer that makes an axis longer is matched with the nearest layer before it that made it shorter, has this length as
its output, and is not matched yet; as brackets are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.layers.network_kinds import KINDS, Family
from gradverify.numerics.geometry import (
    Window,
    axis_names,
    describe_impossible,
    describe_output_padding,
    edges,
    output_size,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.spec.site import Site

__all__ = ["describe_repair", "with_notes"]

_MOST_CHANGED = 64


@dataclass(frozen=True, slots=True)
class _Shortened:
    """A layer that made an axis shorter."""

    name: str
    before: int
    after: int


def with_notes(sites: tuple[Site, ...]) -> tuple[Site, ...]:
    """Return the layers of a network, with a note on each that does not come back to a length it undoes."""
    notes: dict[int, list[tuple[str, str]]] = {}
    for axis in range(3):
        for place, name, note in _along(sites, axis):
            notes.setdefault(place, []).append((name, note))
    return tuple(replace(site, notes=tuple(notes.get(place, ()))) for place, site in enumerate(sites))


def _along(sites: tuple[Site, ...], axis: int) -> Iterator[tuple[int, str, str]]:
    """Yield place, axis name and note for every layer that does not come back along one axis."""
    unmatched: list[_Shortened] = []
    rank = None
    for place, site in enumerate(sites):
        shapes = (site.input_shape or (), site.output_shape or ())
        if any(axis + 2 >= len(shape) for shape in shapes) or len(shapes[0]) != len(shapes[1]):
            unmatched.clear()  # the axes behind it are others
            continue
        rank = len(shapes[0]) - 2
        before, after = shapes[0][axis + 2], shapes[1][axis + 2]
        if before is None or after is None:
            continue
        name = axis_names(rank)[axis]
        window = dict(site.windows).get(name)
        if window is not None and not window.transposed and window.stride > 1:
            unmatched.append(_Shortened(site.name, before, after))
        elif _undoes(site, window):
            undone = _matched(unmatched, before)
            if undone is not None and undone.before != after:
                yield place, name, _said(undone, after, window)


def _undoes(site: Site, window: Window | None) -> bool:
    if window is not None:
        return window.transposed and window.stride > 1
    return KINDS[site.op].row.family is Family.UPSAMPLE


def _matched(unmatched: list[_Shortened], length: int) -> _Shortened | None:
    """Return the nearest layer that came to a length, and take it and those inside of it off the list."""
    for place in range(len(unmatched) - 1, -1, -1):
        if unmatched[place].after == length:
            found = unmatched[place]
            del unmatched[place:]
            return found
    return None


def _said(undone: _Shortened, made: int, window: Window | None) -> str:
    verb = "restores" if made < undone.before else "makes"
    said = f"{verb} {made} of the {undone.before} that {undone.name} had"
    repair = f"size {undone.before}" if window is None else describe_repair(window, undone.before)
    if repair is None:
        return said
    return f"{said}: {repair} {'restore' if ' and ' in repair else 'restores'} it"


def describe_repair(window: Window, wanted: int) -> str | None:
    """Return the nearest change by which a transposed window makes a length, or ``None``; each is computed.

    Parameters
    ----------
    window
        A transposed one.
    wanted
        The length.

    Its ``output_padding`` alone where that is enough, or else another kernel or padding, with what is then lacking.
    """
    low, high = edges(window)
    changes = [("", window)]
    changes += [(f"kernel_size {length}", replace(window, kernel=length)) for length in _around(window.kernel, 1)]
    if low == high:
        changes += [(f"padding {rows}", replace(window, padding=(rows, rows), mode=None)) for rows in _around(low, 0)]
    for said, changed in changes:
        lacking = _lacking(changed, wanted)
        if lacking is not None:
            more = f"output_padding {lacking}" if lacking or not said or window.output_padding else ""
            return " and ".join(filter(None, (said, more)))
    return None


def _lacking(window: Window, wanted: int) -> int | None:
    """Return the ``output_padding`` with which a window makes a length, where it is one that may be."""
    enough = sum(edges(window)) + 1  # for any rows at all
    lacking = wanted - output_size(replace(window, output_padding=enough)) + enough
    changed = replace(window, output_padding=lacking)
    if lacking < 0 or describe_output_padding("", changed) or describe_impossible(changed):
        return None
    return lacking if output_size(changed) == wanted else None


def _around(now: int, least: int) -> Iterator[int]:
    """Yield the numbers around one, nearest first."""
    for distance in range(1, _MOST_CHANGED + 1):
        yield now + distance
        if now - distance >= least:
            yield now - distance
