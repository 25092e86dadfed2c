"""Where the errors of a gradient sit: over two axes as a heat map, and along each axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradverify.reporters.error_pattern import axis_label, pattern
from gradverify.reporters.html.drawing import boxes, figure, label, picture, swatch
from gradverify.reporters.html.markup import Markup, measure, tag
from gradverify.reporters.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import AxisErrors, ErrorGrid, ErrorMap, GradientCheck

__all__ = ["grid_figure", "map_table"]

# Upper ends of the shades, as multiples of what is allowed; beyond the last is what is not finite.
_SHADES = (1e-3, 1.0, 10.0, 1e3)
_WORDS = ("up to 0.001 of what is allowed", "up to all of it", "up to 10 times it", "up to 1000 times", "more")
_NOT_FINITE = len(_WORDS)
_LEFT, _TOP, _WIDEST, _MOST = 46.0, 30.0, 20.0, 380.0
_STRIP = 22.0


def grid_figure(gradient: GradientCheck) -> Markup | None:
    """Return the errors over two axes, a shade for each cell and a cross where elements fail; ``None`` without any."""
    grid = gradient.error_grid
    if grid is None or not grid.excess or not grid.excess[0]:
        return None
    rows, columns = len(grid.excess), len(grid.excess[0])
    cell = min(_WIDEST, _MOST / max(rows, columns))
    down, across = _names(gradient, grid)
    failing = sum(many > 0 for row in grid.failed for many in row)
    drawing = picture(
        (max(_LEFT + columns * cell + 10, 220), _TOP + rows * cell + 8),
        f"Errors of d{gradient.input} over {' and '.join(filter(None, (down, across))) or 'its only element'}",
        f"{rows} by {columns} cells, {failing} of them with elements that fail.",
        *_shaded(grid, cell),
        *_labelled(grid, cell, (down, across)),
    )
    return figure(drawing, _reading(grid, (down, across)), _legend(grid), kind="grid")


def _names(gradient: GradientCheck, grid: ErrorGrid) -> tuple[str, str]:
    """Return what runs down and what runs across, nothing where no axis does; a vector is one row."""
    known = {axis.axis: axis_label(axis) for axis in gradient.error_map.axes} if gradient.error_map else {}
    first, second = ("" if axis is None else known.get(axis, f"axis {axis}") for axis in grid.axes)
    return (first, second) if second else ("", first)


def _together(grid: ErrorGrid) -> tuple[int, int]:
    """Return how many indices a cell has down and across."""
    return grid.together if grid.axes[1] is not None else (1, grid.together[0])


def _shaded(grid: ErrorGrid, cell: float) -> Iterator[Markup | None]:
    """Yield a path for every shade, and crosses over the cells with elements that fail."""
    shades: dict[int, list[tuple[float, float, float, float]]] = {}
    for i, row in enumerate(grid.excess):
        for j, excess in enumerate(row):
            place = (_LEFT + j * cell, _TOP + i * cell, cell, cell)
            shades.setdefault(_shade(excess), []).append(place)
    for shade in sorted(shades):
        yield boxes(shades[shade], f"shade e{shade}")
    wide = cell * 0.5
    crosses = "".join(
        f"M{measure(_LEFT + j * cell + wide / 2)} {measure(_TOP + i * cell + wide / 2)}"
        f"l{measure(wide)} {measure(wide)}m0 {measure(-wide)}l{measure(-wide)} {measure(wide)}"
        for i, row in enumerate(grid.failed)
        for j, many in enumerate(row)
        if many
    )
    if crosses:
        yield tag("path", class_="halo", d=crosses)
        yield tag("path", class_="cross", d=crosses)


def _shade(excess: float) -> int:
    if not math.isfinite(excess):
        return _NOT_FINITE
    return next((shade for shade, end in enumerate(_SHADES) if excess <= end), len(_SHADES))


def _labelled(grid: ErrorGrid, cell: float, names: tuple[str, str]) -> Iterator[Markup]:
    """Yield the names of both axes, and the indices where every few cells begin."""
    rows, columns = len(grid.excess), len(grid.excess[0])
    if names[0]:
        yield label((4, 11), f"{names[0]} ↓", kind="axis")
    if names[1]:  # beside the other, whose letters are about as wide
        yield label((max(_LEFT, 7 * len(names[0]) + 28), 11), f"{names[1]} →", kind="axis")
    for place in range(0, rows, math.ceil(13 / cell)) if names[0] else ():
        at = _TOP + (place + 0.5) * cell + 4
        yield label((_LEFT - 4, at), str(place * _together(grid)[0]), kind="tick end")
    for place in range(0, columns, math.ceil(26 / cell)) if names[1] else ():
        at = _LEFT + (place + 0.5) * cell
        yield label((at, _TOP - 5), str(place * _together(grid)[1]), kind="tick middle")


def _reading(grid: ErrorGrid, names: tuple[str, str]) -> str:
    """Say what one cell is."""
    parts = [
        f"{many} indices of {name}" for many, name in zip(_together(grid), names, strict=True) if many > 1 and name
    ]
    together = f" over {' and '.join(parts)}" if parts else ""
    return f"Each cell shows the largest |a − n| relative to what is allowed{together}, of all other axes together."


def _legend(grid: ErrorGrid) -> Markup:
    present = sorted({_shade(excess) for row in grid.excess for excess in row})
    rows = [swatch(f"e{shade}", "not finite" if shade == _NOT_FINITE else _WORDS[shade]) for shade in present]
    return tag("ul", *rows, swatch("crossed", "elements fail"), class_="legend")


def map_table(gradient: GradientCheck) -> Markup | None:
    """Return where failing elements sit: a sentence, and a row for each axis with as many bars as it has indices."""
    found = gradient.error_map
    if found is None:
        return None
    doubtful = f"; {count(gradient.inconclusive, 'element')} more in doubt" if gradient.inconclusive else ""
    sentence = tag("p", f"Errors: {pattern(found)}{doubtful}.")
    shown = [axis for axis in found.axes if axis.length > 1]
    if found.failed == found.elements or not shown:
        return sentence
    head = tag("tr", *(tag("th", name, scope="col") for name in ("axis", "share that fails by index", "with errors")))
    rows = (_axis(found, axis) for axis in shown)
    caption = tag("caption", f"Failing elements of d{gradient.input} along each axis")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="plain axes")
    return tag("div", sentence, table)


def _axis(found: ErrorMap, axis: AxisErrors) -> Markup:
    scale = f", {axis.together} a bar" if axis.together > 1 else ""
    return tag(
        "tr",
        tag("th", axis_label(axis), scope="row"),
        tag("td", _bars(found, axis)),
        tag("td", f"{axis.indices} of {axis.length}{scale}"),
    )


def _bars(found: ErrorMap, axis: AxisErrors) -> Markup:
    """Return a bar for each index, or for some together: as high as the share of its elements that fails."""
    wide = min(14.0, 300 / len(axis.failed))
    frames, bars = [], []
    for place, failed in enumerate(axis.failed):
        indices = min(axis.together, axis.length - place * axis.together)
        high = failed / (found.elements // axis.length * indices) * _STRIP
        frames.append((place * wide, 1.0, wide, _STRIP))
        if failed:
            high = max(high, 2.0)
            bars.append((place * wide, 1 + _STRIP - high, wide, high))
    return picture(
        (wide * len(axis.failed) + 1, _STRIP + 2),
        f"Errors along {axis_label(axis)}",
        f"Failing elements by index: {', '.join(map(str, axis.failed))}.",
        boxes(bars, "bar-failed"),
        boxes(frames, "frame"),
    )
