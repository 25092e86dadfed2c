"""Networks and models as tables: every layer with its window and its receptive field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.network_table import LEFT, OF_WINDOWS, NetworkRows, Row, network_rows, said_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import Report

__all__ = ["networks_section"]


def networks_section(report: Report) -> Markup | None:
    """Return a table for each network, or ``None`` where there is none."""
    tables = [_network(network) for network in network_rows(report)]
    return tag("section", tag("h2", "Networks"), *tables) if tables else None


def _network(network: NetworkRows) -> Markup:
    columns = said_columns(network.rows)
    head = tag("tr", *(tag("th", name, scope="col", class_=_kind(name)) for name in columns))
    rows = (tag("tr", *_cells(row, columns)) for row in network.rows)
    caption = tag("caption", f"{network.title} ({network.spec})")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="plain network")
    remarks = tag("ul", *(tag("li", line) for line in network.notes)) if network.notes else None
    label = f"Layers of {network.title}"
    return tag("div", tag("div", table, class_="wide", role="region", aria_label=label, tabindex="0"), remarks)


def _kind(name: str) -> str | None:
    return None if name in LEFT else "number"


def _cells(row: Row, columns: list[str]) -> Iterator[Markup]:
    """Yield the cells of a row; what spans the columns of a window stands in one cell."""
    spanned = [name for name in columns if name in OF_WINDOWS]
    for name in columns:
        if "span" in row and name in spanned:
            if name == spanned[0]:
                yield tag("td", row["span"], colspan=str(len(spanned)))
        elif name == columns[0]:
            yield tag("th", row.get(name, ""), scope="row")
        else:
            yield tag("td", row.get(name, ""), class_=_kind(name))
