"""Networks and models as tables of text, as narrow as a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.network_rows import FIELD, LEFT, NAMES, OF_WINDOWS, Row, columns_of, compared_networks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import Report

__all__ = ["network_tables"]

_INDENT = "  "
# Names of layers and operators are cut to the first of these with which a table fits.
_LONGEST_NAMES = (24, 20, 16, 12)


def network_tables(report: Report, width: int) -> Iterator[tuple[str, str, list[str]]]:
    """Yield spec, title and lines of a table for each network of a report.

    Parameters
    ----------
    report
        The report.
    width
        Columns; where one table is wider, receptive fields have one of their own.
    """
    for network in compared_networks(report):
        lines = [*_fitted(list(network.rows), width - len(_INDENT)), *network.remarks]
        yield network.spec, network.title, [f"{_INDENT}{line}".rstrip() for line in lines]


def _cut(name: str, longest: int) -> str:
    """Return a name without its middle where it is too long: beginning and end tell it from its neighbours."""
    if len(name) <= longest:
        return name
    begins = longest // 2 - 1
    return f"{name[:begins]}..{name[begins + 2 - longest :]}"


def _fitted(rows: list[Row], width: int) -> list[str]:
    """Return the lines of a table; where they would be too wide, those of two, with names as short as they must be."""
    for longest in _LONGEST_NAMES:
        cut = [row | {name: _cut(row[name], longest) for name in ("layer", "op") if name in row} for row in rows]
        for lines in (_in_one(cut), _in_two(cut)):
            if max(map(len, lines), default=0) <= width:
                return lines
    return lines


def _in_one(rows: list[Row]) -> list[str]:
    return list(_laid_out(rows, (*NAMES, *FIELD)))


def _in_two(rows: list[Row]) -> list[str]:
    """Return a table, and one of receptive fields below it where there are any."""
    fields = [row for row in rows if "field" in row]
    two = list(_laid_out(fields, ("layer", "axis", *FIELD))) if fields else []
    return [*_laid_out(rows, NAMES), *([""] if two else []), *two]


def _laid_out(rows: list[Row], columns: tuple[str, ...]) -> Iterator[str]:
    """Yield a table without the columns that say nothing."""
    shown = columns_of(rows, columns)
    widths = {name: max(len(name), *(len(row.get(name, "")) for row in rows)) for name in shown}
    for row in ({name: name for name in shown}, *rows):
        cells = {
            name: row.get(name, "").ljust(widths[name]) if name in LEFT else row.get(name, "").rjust(widths[name])
            for name in shown
        }
        yield "  ".join(_spanned(cells, row.get("span", ""))).rstrip()


def _spanned(cells: dict[str, str], span: str) -> Iterator[str]:
    """Yield the cells of a row; what spans the columns of a window stands in the place of all of them."""
    inside = [cell for name, cell in cells.items() if name in OF_WINDOWS]
    for name, cell in cells.items():
        if not span or name not in OF_WINDOWS:
            yield cell
        elif cell is inside[0]:
            yield span.ljust(len("  ".join(inside)))
