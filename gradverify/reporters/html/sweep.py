"""Sweeps as heat maps: a table of verdicts and errors, shaded by how large the worst error is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradverify.reporters.html.drawing import swatch
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.verdicts import SIGNS, anchor
from gradverify.reporters.sweep_grid import SweepCell, SweepGrid, own_grid, sweep_grids
from gradverify.reporters.words import count, number
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.results import CaseResult, Report

__all__ = ["sweep_section"]

_MARKS = {True: ("=", "size identity holds"), False: ("≠", "size identity violated")}
# Passing cells are the darker the larger their error is, four decades a shade.
_DECADES, _SMALLEST, _DARKEST = 4, -16, 3


def sweep_section(report: Report, keys: tuple[str, ...]) -> Markup | None:
    """Return a map for each sweep over the keys, and for each other one over two keys of its own."""
    numbers = {id(case): place for place, case in enumerate(report.cases, 1)}
    grids = list(_grids(report.cases, keys))
    if not grids:
        return None
    cells = [cell for grid in grids for cell in grid.cells.values()]
    return tag("section", tag("h2", "Sweeps"), *(_map(grid, numbers) for grid in grids), _legend(cells))


def _grids(cases: tuple[CaseResult, ...], keys: tuple[str, ...]) -> Iterator[SweepGrid]:
    asked = {(grid.spec, grid.name): grid for grid in sweep_grids(cases, keys)}
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for case in cases:
        groups.setdefault((case.spec, case.name), []).append(case)
    for key, group in groups.items():
        grid = asked.get(key) or own_grid(group)
        if grid is not None:
            yield grid


def _map(grid: SweepGrid, numbers: Mapping[int, int]) -> Markup:
    corner = f"{grid.keys[0]} ↓" + (f" {grid.keys[1]} →" if len(grid.keys) > 1 else "")
    columns = (tag("th", column or "all", scope="col") for column in grid.columns)
    head = tag("tr", tag("th", corner, scope="col"), *columns)
    rows = (tag("tr", tag("th", row, scope="row"), *_cells(grid, row, numbers)) for row in grid.rows)
    across = f" by {grid.keys[1]}" if len(grid.keys) > 1 else ""
    caption = tag("caption", f"{grid.name}: {grid.keys[0]}{across}, worst verdict and relative error of each cell")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="heat")
    return tag("div", table, class_="wide", role="region", aria_label=f"Map of {grid.name}", tabindex="0")


def _cells(grid: SweepGrid, row: str, numbers: Mapping[int, int]) -> Iterator[Markup]:
    for column in grid.columns:
        cell = grid.cells.get((row, column))
        yield tag("td", "") if cell is None else _cell(cell, numbers)


def _cell(cell: SweepCell, numbers: Mapping[int, int]) -> Markup:
    sign = tag("span", SIGNS[cell.verdict], aria_hidden="true")
    verdict = tag("b", sign, " ", cell.verdict.value)
    error = tag("span", number(cell.error), class_="number") if cell.error is not None else None
    mark = None
    if cell.identity is not None:
        symbol, words = _MARKS[cell.identity]
        mark = tag("span", symbol, title=words, role="img", aria_label=words)
    more = tag("small", count(len(cell.cases), "case")) if len(cell.cases) > 1 else None
    link = tag("a", verdict, error, mark, more, href=f"#{anchor(numbers[id(cell.cases[0])])}")
    return tag("td", link, class_=f"h-{cell.verdict}{_shade(cell)}")


def _shade(cell: SweepCell) -> str:
    """Return the class of a passing cell's shade, by the order of magnitude of its error."""
    if cell.verdict is not Verdict.PASS or not cell.error or not math.isfinite(cell.error):
        return ""
    shade = (math.log10(cell.error) - _SMALLEST) // _DECADES
    return f" s{int(min(max(shade, 0), _DARKEST))}"


def _legend(cells: list[SweepCell]) -> Markup:
    """Return what shades mean, and those marks that occur."""
    shades = [
        swatch(f"h-pass s{shade}", f"from {number(10.0 ** (_SMALLEST + _DECADES * shade))}")
        for shade in range(1, _DARKEST + 1)
    ]
    shown = {cell.identity for cell in cells}
    marks = [tag("li", f"{symbol} {words}") for identity, (symbol, words) in _MARKS.items() if identity in shown]
    first = swatch("h-pass s0", f"passing, error below {number(10.0 ** (_SMALLEST + _DECADES))}")
    return tag("ul", first, *shades, swatch("h-fail", "failing"), *marks, class_="legend")
