"""Networks and models as tables: a row for each layer and each of its axes that differ, before and after a change."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.results import GeometrySeverity, Network, NetworkLayer, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradverify.results import CaseResult, Geometry, Report

__all__ = ["LEFT", "OF_WINDOWS", "NetworkRows", "Row", "network_rows", "network_tables", "said_columns", "solved"]

_INDENT = "  "
# Names of layers and operators are cut to the first of these with which a table fits.
_LONGEST_NAMES = (24, 20, 16, 12)
_WINDOW = ("HH", "S", "P", "D")
_FIELD = ("field", "total S", "offset")
_NAMES = ("layer", "op", "axis", "size", *_WINDOW, "r", "identity", "before", "after")
_COLUMNS = (*_NAMES, *_FIELD)
OF_WINDOWS = ("axis", "size", *_WINDOW, "r")
# Columns of text; numbers stand at the right.
LEFT = {"layer", "op", "axis", "identity", "before", "after"}

Row = dict[str, str]
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRows:
    """One network before it is laid out: its rows by column, and the sentences below them."""

    spec: str
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def network_tables(report: Report, width: int) -> Iterator[tuple[str, str, list[str]]]:
    """Yield spec, title and lines of a table for each network of a report.

    Parameters
    ----------
    report
        The report.
    width
        Columns; where one table is wider, receptive fields have one of their own.
    """
    for network in network_rows(report):
        lines = [*_fitted(list(network.rows), width - len(_INDENT)), *network.notes]
        yield network.spec, network.title, [f"{_INDENT}{line}".rstrip() for line in lines]


def network_rows(report: Report) -> Iterator[NetworkRows]:
    """Yield the rows of each network of a report, before and after a change where there is one."""
    cases, before = _placed(report.cases), _placed(report.before)
    for network in (*report.networks, *(_of_their_own(report) if before else ())):
        shapes = ", ".join(f"{name} {_lengths(shape)}".strip() for name, shape in network.inputs)
        yield NetworkRows(
            spec=network.spec,
            title=f"{network.id}: {shapes}" if shapes else network.id or "cases",
            rows=tuple(_compared(network, before, cases) if before else _rows(network, cases)),
            notes=(*_noted(network, cases), *solved(network)),
        )


def _of_their_own(report: Report) -> Iterator[Network]:
    """Yield the cases that are no layers of a network as if they were, those of each spec together."""
    alone = [case for case in report.cases if case.network is None and case.geometry]
    for spec in dict.fromkeys(case.spec for case in alone):
        layers = (NetworkLayer(name=case.id, op=case.target, case=case.id) for case in alone if case.spec == spec)
        yield Network(id="", spec=spec, inputs=(), layers=tuple(layers))


def _placed(cases: Sequence[CaseResult]) -> dict[Place, CaseResult]:
    """Return cases by their spec, their network and the layer there; one that is no layer by its id."""
    return {(case.spec, case.network or "", case.id if case.network is None else case.name): case for case in cases}


def _rows(network: Network, cases: Mapping[Place, CaseResult]) -> Iterator[Row]:
    for layer in network.layers:
        case = cases.get((network.spec, network.id, layer.name))
        if layer.case is not None and case is None:
            continue  # not selected
        parts = _grouped(layer, case.geometry if case else ())
        if not parts:
            yield {**_named(layer), "span": _change(layer), "identity": _without_window(case)}
        for geometry, axes, field in parts:
            yield {**_named(layer), "axis": axes, **_window(geometry, case), **field}


def _compared(
    network: Network,
    before: Mapping[Place, CaseResult],
    after: Mapping[Place, CaseResult],
) -> Iterator[Row]:
    for layer in network.layers:
        cases = [found.get((network.spec, network.id, layer.name)) for found in (before, after)]
        axes = dict.fromkeys(part.axis for case in cases if case for part in case.geometry)
        told = {axis: [_told(case, axis) for case in cases] for axis in axes}
        alike: dict[tuple[str, ...], list[str]] = {}
        for axis, words in told.items():
            alike.setdefault(tuple(words), []).append(axis)
        for (old, new), names in alike.items():
            yield {**_named(layer), "axis": " ".join(names), "before": old, "after": new}
        if not axes and any(cases):
            yield {
                **_named(layer),
                **{name: _without_window(case) for name, case in zip(("before", "after"), cases, strict=True)},
            }


def _named(layer: NetworkLayer) -> Row:
    return {"layer": layer.name, "op": layer.op}


def _cut(name: str, longest: int) -> str:
    """Return a name without its middle where it is too long: beginning and end tell it from its neighbours."""
    if len(name) <= longest:
        return name
    begins = longest // 2 - 1
    return f"{name[:begins]}..{name[begins + 2 - longest :]}"


def _told(case: CaseResult | None, axis: str) -> str:
    """Say what became of one axis of a layer, in a few words."""
    part = next((part for part in case.geometry if part.axis == axis), None) if case else None
    if part is None or case is None:
        return "" if case is None else _without_window(case)
    return f"{_sizes(part)}  {_severity(part, case)}"


def _window(geometry: Geometry, case: CaseResult | None) -> Row:
    low, high = geometry.padding
    return {
        "size": _sizes(geometry),
        "HH": str(geometry.kernel),
        "S": str(geometry.stride),
        "P": str(low) if low == high else f"{low}+{high}",
        "D": str(geometry.dilation),
        "r": str(geometry.residual),
        "identity": _severity(geometry, case),
    }


def _sizes(geometry: Geometry) -> str:
    made = "none" if geometry.severity is GeometrySeverity.IMPOSSIBLE else str(geometry.output)
    return f"{geometry.input} -> {made}"


def _severity(geometry: Geometry, case: CaseResult | None) -> str:
    word = f"gap {geometry.gap}" if geometry.severity is GeometrySeverity.GAP else geometry.severity.value
    if geometry.overhang:
        word += f", overhang {geometry.overhang}"
    if case is not None and case.verdict is Verdict.ERROR:
        return f"{word}, error"
    accepted = case is not None and case.verdict is Verdict.PASS and bool(case.reason) and not geometry.identity
    return f"{word}, accepted" if accepted else word


def _without_window(case: CaseResult | None) -> str:
    words = {Verdict.ERROR: "error", Verdict.SKIP: "not judged"}
    return words.get(case.verdict, "") if case is not None else ""


def _grouped(layer: NetworkLayer, geometry: Sequence[Geometry]) -> list[tuple[Geometry, str, Row]]:
    """Return each different geometry of a layer once, with the names of its axes and what the network makes of it."""
    alike: dict[tuple[Geometry, tuple[str, ...]], list[str]] = {}
    for place, part in enumerate(geometry):
        alike.setdefault((replace(part, axis="", notes=()), _field(layer, place)), []).append(part.axis)
    return [(part, " ".join(axes), dict(zip(_FIELD, field, strict=False))) for (part, field), axes in alike.items()]


def _field(layer: NetworkLayer, place: int) -> tuple[str, ...]:
    columns = (layer.receptive_field, layer.total_stride, layer.offset)
    found = [column[place] for column in columns if place < len(column)]
    return tuple("" if value is None else str(value) for value in found)


def _change(layer: NetworkLayer) -> str:
    """Say what becomes of the shape of a sample in a layer without a window."""
    old, new = (_lengths(shape[1:]) if shape else "" for shape in (layer.input_shape, layer.output_shape))
    return new if old == new else f"{old} -> {new or '?'}"


def _lengths(shape: tuple[int | None, ...] | None) -> str:
    return "" if shape is None else "x".join("?" if length is None else str(length) for length in shape)


def _fitted(rows: list[Row], width: int) -> list[str]:
    """Return the lines of a table; where they would be too wide, those of two, with names as short as they must be."""
    for longest in _LONGEST_NAMES:
        cut = [row | {name: _cut(row[name], longest) for name in ("layer", "op") if name in row} for row in rows]
        for lines in (_in_one(cut), _in_two(cut)):
            if max(map(len, lines), default=0) <= width:
                return lines
    return lines


def _in_one(rows: list[Row]) -> list[str]:
    return list(_laid_out(rows, _COLUMNS))


def _in_two(rows: list[Row]) -> list[str]:
    """Return a table, and one of receptive fields below it where there are any."""
    fields = [row for row in rows if "field" in row]
    two = list(_laid_out(fields, ("layer", "axis", *_FIELD))) if fields else []
    return [*_laid_out(rows, _NAMES), *([""] if two else []), *two]


def said_columns(rows: Sequence[Row], columns: Sequence[str] = _COLUMNS) -> list[str]:
    """Return the columns of a table that say something."""
    said = {name for name in columns if any(row.get(name) for row in rows)}
    if {row.get("D", "1") for row in rows} == {"1"}:
        said.discard("D")
    if said.isdisjoint(OF_WINDOWS) and any("span" in row for row in rows):
        said.add("size")  # what spans the columns of a window needs one at least
    return [name for name in columns if name in said]


def _laid_out(rows: list[Row], columns: tuple[str, ...]) -> Iterator[str]:
    """Yield a table without the columns that say nothing."""
    shown = said_columns(rows, columns)
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


def _noted(network: Network, cases: Mapping[Place, CaseResult]) -> Iterator[str]:
    """Yield what is noted about layers, also those that pass: a decoder may come to another length and be exact."""
    for layer in network.layers:
        if layer.case is None or (network.spec, network.id, layer.name) in cases:
            yield from (f"{layer.name} {note}" for note in layer.notes)


def solved(network: Network) -> Iterator[str]:
    """Say which sizes leave nothing unread."""
    solution = network.solution
    if solution is None:
        return
    given, found = (
        ", ".join(f"{name} = {length}" for name, length in sizes or ()) for sizes in (solution.given, solution.found)
    )
    if solution.found is None and solution.proved:
        yield f"no sizes from {given} on make every layer exact: {solution.reason}"
    elif solution.found is None:  # claims nothing of what was not looked at
        since = f" from {given} on" if given else ""
        yield f"no sizes found{since} at which every layer is exact: {solution.reason}"
    elif solution.found == solution.given:
        yield f"every layer is exact at {given}"
    else:
        yield f"the smallest sizes from {given} on at which every layer is exact: {found}"
