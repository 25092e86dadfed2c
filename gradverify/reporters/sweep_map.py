"""The map at the end of a sweep: stride down, padding across, the worst of each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.sweep_grid import SweepGrid, sweep_grids
from gradverify.reporters.words import number
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult

__all__ = ["LEGEND", "cell_words", "sweep_maps"]

_SHORT = {Verdict.INCONCLUSIVE: "UNSURE"}
_MARKS = {True: "=", False: "!", None: ""}
LEGEND = {"=": "the size identity holds", "!": "it is violated"}


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


def cell_words(grid: SweepGrid, row: str, column: str) -> str:
    """Return the worst verdict, the worst relative error and whether the identity holds; nothing without cases."""
    cell = grid.cells.get((row, column))
    if cell is None:
        return ""
    verdict = cell.verdict
    word = _SHORT.get(verdict, verdict.value if verdict in {Verdict.PASS, Verdict.SKIP} else verdict.upper())
    parts = [word, "" if cell.error is None else number(cell.error), _MARKS[cell.identity]]
    return " ".join(part for part in parts if part)


def _lines(grid: SweepGrid, width: int) -> list[str]:
    cells = {(row, column): cell_words(grid, row, column) for row in grid.rows for column in grid.columns}
    head = max(len(label) for label in [*grid.rows, grid.keys[0]])
    wide = max(len(text) for text in [*cells.values(), *grid.columns])
    block = max(1, (width - head - 7) // (wide + 2))
    lines: list[str] = []
    for first in range(0, len(grid.columns), block):
        part = grid.columns[first : first + block]
        table = [(grid.keys[0], list(part)), *((row, [cells[row, column] for column in part]) for row in grid.rows)]
        lines.extend(
            "  ".join([f"     {label:>{head}}", *(f"{text:<{wide}}" for text in texts)]) for label, texts in table
        )
    legend = "      ".join(f"{mark}  {meaning}" for mark, meaning in LEGEND.items())
    return [*(line.rstrip() for line in lines), f"     {legend}"]
