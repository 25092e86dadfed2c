"""The map at the end of a sweep: stride down, padding across, the worst of each cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gradverify.reporters.words import number, worst_error
from gradverify.results import WORST_FIRST, CaseResult, GeometrySeverity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LEGEND", "SweepGrid", "sweep_grids", "sweep_maps"]

_SHORT = {Verdict.INCONCLUSIVE: "UNSURE"}
LEGEND = {"=": "the size identity holds", "!": "it is violated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepGrid:
    """The cases of one name over two sweep keys.

    Attributes
    ----------
    name, keys
        Whose they are, and the sweep key of the rows, then that of the columns where there are two.
    rows, columns
        The values of the keys, as words.
    cells
        The worst of the cases with the values of a row and a column; empty where there are none.
    """

    name: str
    keys: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], str]

    @property
    def title(self) -> str:
        """What it shows."""
        across = f", {self.keys[1]} across" if len(self.keys) > 1 else ""
        return f"{self.name}: {self.keys[0]} down{across}; verdict and worst relative error"


def sweep_maps(cases: tuple[CaseResult, ...], keys: tuple[str, ...], width: int) -> Iterator[tuple[str, list[str]]]:
    """Yield a title and the lines of a map for every case name that sweeps the keys.

    Parameters
    ----------
    cases, keys
        As in ``sweep_grids``.
    width
        Columns of the terminal; wider maps are folded into blocks.
    """
    for grid in sweep_grids(cases, keys):
        yield grid.title, _lines(grid, width)


def sweep_grids(cases: tuple[CaseResult, ...], keys: tuple[str, ...]) -> Iterator[SweepGrid]:
    """Yield the map of every case name that sweeps the keys.

    Parameters
    ----------
    cases
        All results.
    keys
        Sweep key of the rows, then that of the columns; with one key there is one column.
    """
    swept = [case for case in cases if keys and all(key in case.sweep for key in keys)]
    for (_, name), group in groupby(swept, key=lambda case: (case.spec, case.name)):
        yield _grid(name, list(group), keys)


def _grid(name: str, cases: list[CaseResult], keys: tuple[str, ...]) -> SweepGrid:
    places = [_place(case, keys) for case in cases]
    rows, columns = (tuple(dict.fromkeys(place[axis] for place in places)) for axis in (0, 1))
    cells = {(row, column): "" for row in rows for column in columns}
    for place in dict.fromkeys(places):
        cells[place] = _cell([case for case, other in zip(cases, places, strict=True) if other == place])
    return SweepGrid(name=name, keys=keys, rows=rows, columns=columns, cells=cells)


def _lines(grid: SweepGrid, width: int) -> list[str]:
    head = max(len(label) for label in [*grid.rows, grid.keys[0]])
    wide = max(len(text) for text in [*grid.cells.values(), *grid.columns])
    block = max(1, (width - head - 7) // (wide + 2))
    lines: list[str] = []
    for first in range(0, len(grid.columns), block):
        part = grid.columns[first : first + block]
        table = [(grid.keys[0], part), *((row, [grid.cells[row, column] for column in part]) for row in grid.rows)]
        lines.extend(
            "  ".join([f"     {label:>{head}}", *(f"{text:<{wide}}" for text in texts)]) for label, texts in table
        )
    legend = "      ".join(f"{mark}  {meaning}" for mark, meaning in LEGEND.items())
    return [*(line.rstrip() for line in lines), f"     {legend}"]


def _place(case: CaseResult, keys: tuple[str, ...]) -> tuple[str, str]:
    row = _label(case.sweep[keys[0]])
    return row, _label(case.sweep[keys[1]]) if len(keys) > 1 else ""


def _label(value: Any) -> str:
    return "x".join(_label(item) for item in value) if isinstance(value, (list, tuple)) else str(value)


def _cell(cases: list[CaseResult]) -> str:
    """Return the worst verdict, the worst relative error and whether the identity holds."""
    verdict = next(verdict for verdict in WORST_FIRST if any(case.verdict is verdict for case in cases))
    errors = [error for case in cases if (error := worst_error(case)) is not None]
    word = _SHORT.get(verdict, verdict.value if verdict in {Verdict.PASS, Verdict.SKIP} else verdict.upper())
    parts = [word, number(max(errors)) if errors else "", _mark(cases)]
    return " ".join(part for part in parts if part)


def _mark(cases: list[CaseResult]) -> str:
    measured = [part for case in cases for part in case.geometry if part.severity is not GeometrySeverity.IMPOSSIBLE]
    if not measured:
        return ""
    return "=" if all(part.identity for part in measured) else "!"
