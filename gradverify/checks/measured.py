"""What was measured about each case without its code: equal lengths, properties of windows, counts, lengths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gradverify.checks.quantities import Origin, Quantity, columns, difference
from gradverify.numerics.geometry import effective_kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from gradverify.results import CaseResult, Geometry

__all__ = ["AXIS_OF_INPUT", "measured"]

AXIS_OF_INPUT = re.compile(r"(?P<input>.+)\.shape\[(?P<axis>\d+)\]")
_SPATIAL = frozenset({"D", "H", "W", "L", "HH", "WW"})


def measured(cases: Sequence[CaseResult], own: Sequence[Quantity]) -> list[Quantity]:
    """Return what follows from the shapes and windows of cases, by origin.

    Parameters
    ----------
    cases
        Of one name.
    own
        What the user gave: what repeats it is not said again.
    """
    found = [*_shapes(cases, own), *_properties(cases), *_lengths(cases)]
    return sorted(found, key=lambda quantity: quantity.origin)


# -- equal lengths -----------------------------------------------------------------------------------------------------


def _shapes(cases: Sequence[CaseResult], own: Sequence[Quantity]) -> Iterator[Quantity]:
    """Yield which lengths are equal: of images, kernels and windows, else of the last two axes of each input."""
    along = _axes(cases)
    if len(along) == 2:
        yield from _equal_along_axes(along, own)
        return
    lengths = columns([case.lengths for case in cases])
    for names in (("H", "W"), ("HH", "WW")) if "H" in lengths else _last_axes(lengths):
        if all(name in lengths for name in names):
            yield difference(names, [lengths[name] for name in names])


def _equal_along_axes(along: Mapping[str, tuple[Geometry, ...]], own: Sequence[Quantity]) -> Iterator[Quantity]:
    """Yield which lengths are equal along both axes, but for those that are a pair among the parameters."""
    given = {quantity.name: quantity.values for quantity in own}
    known = [(values, given.get(f"{name[:-3]}[1]")) for name, values in given.items() if name.endswith("[0]")]
    for names, read in _pairs_of_axes(tuple(along)):
        pair = tuple(tuple(read(part) for part in parts) for parts in along.values())
        if pair not in known:
            yield difference(names, pair)


def _pairs_of_axes(axes: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Callable[[Geometry], int]]]:
    yield axes, lambda part: part.input
    yield tuple(axis * 2 for axis in axes), lambda part: part.kernel
    yield tuple(f"the stride along {axis}" for axis in axes), lambda part: part.stride
    yield tuple(f"the padding along {axis}" for axis in axes), lambda part: part.padding[0]


def _last_axes(names: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    ranks: dict[str, int] = {}
    for name in names:
        found = AXIS_OF_INPUT.fullmatch(name)
        if found:
            ranks[found["input"]] = max(ranks.get(found["input"], 0), int(found["axis"]))
    for name, last in ranks.items():
        yield f"{name}.shape[{last - 1}]", f"{name}.shape[{last}]"


# -- windows -----------------------------------------------------------------------------------------------------------


def _axes(cases: Sequence[CaseResult]) -> dict[str, tuple[Geometry, ...]]:
    """Return the geometry of all cases by axis; nothing where some case has none, or other axes."""
    names = tuple(part.axis for part in cases[0].geometry)
    if any(tuple(part.axis for part in case.geometry) != names for case in cases):
        return {}
    return {name: tuple(case.geometry[index] for case in cases) for index, name in enumerate(names)}


def _reach(part: Geometry) -> int:
    """Return the effective kernel."""
    return effective_kernel(part.kernel, part.dilation)


# What is said where it holds along some axis, what where it holds along none, and how it is read along one.
_PROPERTIES: tuple[tuple[str, str, Callable[[Geometry], bool]], ...] = (
    ("the identity is violated", "the identity holds", lambda part: not part.identity),
    ("windows overlap", "windows are disjoint", lambda part: part.output > 1 and part.stride < _reach(part)),
    ("data at the far end are unread", "all data at the far end are read", lambda part: part.unread_data > 0),
    ("padding at the far end is unread", "all padding at the far end is read", lambda part: part.unread_padding > 0),
    ("windows leave gaps", "windows are without gaps", lambda part: part.gap > 0),
    ("there is a single window", "there is more than one window", lambda part: part.output == 1),
    (
        "the padding exceeds the effective kernel - 1",
        "the padding is at most the effective kernel - 1",
        lambda part: max(part.padding) > _reach(part) - 1,
    ),
)


def _properties(cases: Sequence[CaseResult]) -> Iterator[Quantity]:
    """Yield each property of the windows: along some axis, and along each where the axes are not alike."""
    along = _axes(cases)
    for yes, no, holds in _PROPERTIES if along else ():
        columns = {axis: tuple(holds(part) for part in parts) for axis, parts in along.items()}
        anywhere = tuple(map(any, zip(*columns.values(), strict=True)))
        if len(set(columns.values())) == 1:
            yield Quantity(yes, Origin.WINDOW, anywhere, (yes, no))
            continue
        yield Quantity(yes, Origin.WINDOW, anywhere, (f"{yes} along some axis", f"{no} along every axis"))
        for axis, column in columns.items():
            if column != anywhere:
                words = f"{yes} along {axis}", f"{no} along {axis}"
                yield Quantity(words[0], Origin.WINDOW, column, words)


# -- counts and lengths ------------------------------------------------------------------------------------------------


def _lengths(cases: Sequence[CaseResult]) -> Iterator[Quantity]:
    along = _axes(cases)
    yield from _along_axes(along)
    known = {*along, *(axis * 2 for axis in along)}
    for name, values in columns([case.lengths for case in cases]).items():
        if name in known:
            continue
        axis = AXIS_OF_INPUT.fullmatch(name)
        counts = axis["axis"] == "0" if axis else name not in _SPATIAL
        yield Quantity(name, Origin.COUNT if counts else Origin.LENGTH, values)


_ALONG_AXES: tuple[tuple[str, Callable[[Geometry], int]], ...] = (
    ("{0}", lambda part: part.input),
    ("{0}{0}", lambda part: part.kernel),
    ("{0}'", lambda part: part.output),
    ("the stride along {0}", lambda part: part.stride),
    ("the padding along {0}", lambda part: part.padding[0]),
    ("the residual along {0}", lambda part: part.residual),
)


def _along_axes(along: Mapping[str, tuple[Geometry, ...]]) -> Iterator[Quantity]:
    """Yield the lengths along the axes, once for axes along which they are the same in all cases: ``H = W``."""
    for name, read in _ALONG_AXES:
        alike: dict[tuple[int, ...], list[str]] = {}
        for axis, parts in along.items():
            alike.setdefault(tuple(read(part) for part in parts), []).append(axis)
        for values, axes in alike.items():
            in_words = name.startswith("the ")
            whole = name.format(" and ".join(axes)) if in_words else " = ".join(map(name.format, axes))
            yield Quantity(whole, Origin.LENGTH, values)
