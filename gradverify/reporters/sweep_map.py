"""The map at the end of a sweep: stride down, padding across, the worst of each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.sweep_grid import SweepCell, SweepGrid, sweep_grids
from gradverify.reporters.words import number
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult

__all__ = ["sweep_maps"]

_SHORT = {Verdict.INCONCLUSIVE: "UNSURE"}
_MARKS = {True: "=", False: "!", None: ""}
_LEGEND = "     =  the size identity holds      !  it is violated"


def sweep_maps(cases: tuple[CaseResult, ...], keys: tuple[str, ...], width: int) -> Iterator[tuple[str, list[str]]]:
    """Yield a title and the lines of a map for every case name that sweeps the keys.

    Parameters
    ----------
    cases
        All results.
    keys
        Sweep key of the rows, then that of the columns; with one key there is one column.
    width
        Columns of the terminal; wider maps are folded into blocks.
    """
    across = f", {keys[1]} across" if len(keys) > 1 else ""
    for grid in sweep_grids(cases, keys):
        yield f"{grid.name}: {keys[0]} down{across}; verdict and worst relative error", _map(grid, width)


def _map(grid: SweepGrid, width: int) -> list[str]:
    cells = {place: _cell(cell) for place, cell in grid.cells.items()}
    head = max(len(label) for label in [*grid.rows, grid.keys[0]])
    wide = max(len(text) for text in [*cells.values(), *grid.columns])
    block = max(1, (width - head - 7) // (wide + 2))
    lines: list[str] = []
    for first in range(0, len(grid.columns), block):
        part = grid.columns[first : first + block]
        body = [(row, [cells.get((row, column), "") for column in part]) for row in grid.rows]
        lines.extend(
            "  ".join([f"     {label:>{head}}", *(f"{text:<{wide}}" for text in texts)])
            for label, texts in [(grid.keys[0], list(part)), *body]
        )
    return [*(line.rstrip() for line in lines), _LEGEND]


def _cell(cell: SweepCell) -> str:
    """Return the worst verdict, the worst relative error and whether the identity holds."""
    verdict = cell.verdict
    word = _SHORT.get(verdict, verdict.value if verdict in {Verdict.PASS, Verdict.SKIP} else verdict.upper())
    parts = [word, "" if cell.error is None else number(cell.error), _MARKS[cell.identity]]
    return " ".join(part for part in parts if part)
