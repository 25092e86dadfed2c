"""The report as Markdown, for step summaries and merge requests: what does not pass first, the rest folded away."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TextIO

from gradverify.reporters.explanation import readable
from gradverify.reporters.findings import Level, findings_of, findings_of_case
from gradverify.reporters.likeness import alike
from gradverify.reporters.markdown_sections import Section, fitted
from gradverify.reporters.markdown_text import FOLD_END, code, fenced, fold_start, table_head, table_row
from gradverify.reporters.network_table import NetworkRows, network_rows, said_columns
from gradverify.reporters.sweep_grid import SweepGrid, sweep_grids
from gradverify.reporters.sweep_map import LEGEND, cell_words
from gradverify.reporters.words import count, number, summary, worst_error
from gradverify.results import WORST_FIRST, CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gradverify.reporters import Appearance
    from gradverify.results import Plan, Report

__all__ = ["MarkdownReporter"]

_PROBLEMS = ("rule", "place", "problem")
_CASES = ("verdict", "case", "error", "findings")
_BAD = {Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR}


class MarkdownReporter:
    """Writes one document when the run is finished.

    Parameters
    ----------
    stream
        Where it goes.
    appearance
        How long it may be, and the keys of the map.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._stream = stream
        self._appearance = appearance

    def start(self, plan: Plan) -> None:
        """Write nothing yet."""

    def case(self, result: CaseResult) -> None:
        """Write nothing yet."""

    def finish(self, report: Report) -> None:
        """Write the document."""
        sections = _sections(report, self._appearance.map_keys)
        self._stream.write(fitted(tuple(sections), self._appearance.most_bytes))


def _sections(report: Report, keys: tuple[str, ...]) -> Iterator[Section]:
    """Yield the sections; rows of passing cases are left out first, then explanations, then tables."""
    cases = sorted(report.cases, key=_badness)
    bad = [case for case in cases if case.verdict in _BAD]
    many = len({case.spec for case in cases}) > 1
    run = f"gradverify {report.version}, `{report.command}`, seed {report.seed}"
    yield Section(rank=0, what="", items=(f"## {summary(report)}", run))
    yield _table(1, "problem", _PROBLEMS, _problems(report))
    yield _table(2, "case", _CASES, (_cells(case, many) for case in bad))
    yield Section(rank=3, what="condition", items=tuple(_conditions(report, many)), between="\n")
    yield Section(rank=4, what="map", items=tuple(_map(grid) for grid in sweep_grids(report.cases, keys)))
    yield Section(rank=5, what="network", items=tuple(_network(rows) for rows in network_rows(report)))
    yield Section(rank=6, what="explanation", items=tuple(_explained(*group) for group in alike(bad)))
    yield _others([case for case in cases if case.verdict not in _BAD], many)


def _badness(case: CaseResult) -> tuple[int, int]:
    """Return how bad a case is, 0 for the worst: by its verdict, then by its worst finding."""
    levels = [found.level.rank for found in findings_of_case(case)]
    return WORST_FIRST.index(case.verdict), min(levels, default=len(Level))


def _table(rank: int, what: str, columns: Sequence[str], rows: Iterable[Iterable[str]]) -> Section:
    items = tuple(table_row(row) for row in rows)
    return Section(rank=rank, what=what, items=items, before=f"{table_head(columns)}\n", between="\n")


def _problems(report: Report) -> Iterator[tuple[str, ...]]:
    for found in findings_of(report):
        if found.case is None:
            place = f"{found.file}:{found.line}:{found.column}" if found.line else found.file
            yield found.rule.id, code(place), code(found.message)


def _cells(case: CaseResult, many: bool) -> tuple[str, ...]:
    """Return the cells of a case, with its spec where there are many."""
    name = code(f"{case.spec}: {case.id}" if many else case.id)
    if case.verdict is Verdict.SKIP:
        return "SKIP", name, "", code(case.reason or "")
    error = worst_error(case)
    found = sorted(findings_of_case(case), key=lambda part: part.level.rank)
    rules = dict.fromkeys(part.rule.id for part in found)
    return case.verdict.upper(), name, "" if error is None else number(error), ", ".join(rules)


def _conditions(report: Report, many: bool) -> Iterator[str]:
    for condition in report.conditions:
        name = f"{condition.spec}: {condition.name}" if many else condition.name
        yield f"- {code(name)} {code(condition.text)} ({count(condition.cases, 'case')})"


def _map(grid: SweepGrid) -> str:
    """Return a map as a table with the values of one key in its head."""
    head = table_head((code(grid.keys[0]), *(_coded(column) for column in grid.columns)))
    rows = (table_row((code(row), *(cell_words(grid, row, column) for column in grid.columns))) for row in grid.rows)
    legend = ", ".join(f"`{mark}` {meaning}" for mark, meaning in LEGEND.items())
    return "\n".join((code(grid.title), "", head, *rows, "", legend))


def _network(network: NetworkRows) -> str:
    """Return the table of a network, with what is noted below it."""
    columns = said_columns(network.rows)
    rows = (table_row(_coded(_said(row, column)) for column in columns) for row in network.rows)
    table = ["", table_head(columns), *rows] if columns else []
    notes = ["", *(f"- {code(note)}" for note in network.notes)] if network.notes else []
    return "\n".join((code(f"{network.spec} {network.title}"), *table, *notes))


def _said(row: Mapping[str, str], column: str) -> str:
    """Return a cell; what spans the columns of a window stands in the column of sizes."""
    return row.get(column, "") or (row.get("span", "") if column == "size" else "")


def _coded(text: str) -> str:
    return code(text) if text else ""


def _explained(first: CaseResult, *others: CaseResult) -> str:
    """Return the explanation of one case for all that say the same."""
    lines = [readable(first)]
    title = f"{first.verdict.upper()} {code(first.id)}"
    if others:
        more = count(len(others), "more case")
        title = f"{title} and {more} alike"
        lines.append(f"the same in {more}:")
    lines.extend(f"  {case.reproduce or case.id}" for case in others)
    return "\n\n".join((fold_start(title), fenced("\n".join(lines)), FOLD_END))


def _others(cases: list[CaseResult], many: bool) -> Section:
    """Return the folded table of what passes or was not run."""
    skipped = sum(case.verdict is Verdict.SKIP for case in cases)
    noted = sum(bool(findings_of_case(case)) for case in cases)
    title = count(len(cases) - skipped, "passing case")
    title += f", {skipped} skipped" if skipped else ""
    title += f", {noted} with findings" if noted else ""
    table = _table(7, "case", _CASES, (_cells(case, many) for case in cases))
    return replace(table, before=f"{fold_start(title)}\n\n{table.before}", after=f"\n\n{FOLD_END}")
