"""All cases in one table, which is filtered by verdict without any script, and by text with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.findings import findings_of_case
from gradverify.reporters.html.case import rule_link
from gradverify.reporters.html.markup import Markup, joined, tag
from gradverify.reporters.html.verdicts import SIGNS, anchor, place, verdict_word
from gradverify.reporters.words import number, worst_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradverify.results import CaseResult, Report

__all__ = ["case_table"]

_COLUMNS = ("verdict", "case", "target", "place", "relative error", "rules")


def case_table(report: Report) -> Markup | None:
    """Return the table with its filter, or ``None`` where there are no cases."""
    if not report.cases:
        return None
    head = tag("tr", *(tag("th", name, scope="col", class_=_kind(name)) for name in _COLUMNS))
    rows = (_row(case, number_) for number_, case in enumerate(report.cases, 1))
    table = tag(
        "table",
        tag("caption", "Every case in the order of the report, its largest relative error and what was found"),
        tag("thead", head),
        tag("tbody", *rows),
        id="cases",
    )
    return tag("section", tag("h2", "Cases"), _filter(report), table)


def _kind(name: str) -> str:
    """Return the class of a column, by which narrow screens leave some out."""
    return f"c-{name.replace(' ', '-')}"


def _row(case: CaseResult, in_report: int) -> Markup:
    error = worst_error(case)
    rules = dict.fromkeys(finding.rule.id for finding in findings_of_case(case))
    cells: Sequence[str] = (
        tag("a", case.id, href=f"#{anchor(in_report)}"),
        case.target,
        place(case),
        "" if error is None else number(error),
        joined(_spaced(tuple(rules))),
    )
    shown = (tag("td", cell, class_=_kind(name)) for name, cell in zip(_COLUMNS[2:], cells[1:], strict=True))
    verdict = tag("td", verdict_word(case.verdict), class_=_kind("verdict"))
    return tag(
        "tr", verdict, tag("th", cells[0], scope="row", class_=_kind("case")), *shown, class_=f"v-{case.verdict}"
    )


def _spaced(rules: tuple[str, ...]) -> list[str]:
    return [part for rule in rules for part in (rule_link(rule), " ")]


def _filter(report: Report) -> Markup:
    """Return a button for each verdict that occurs, which the style sheet reads, and a field for which a script is."""
    present = [verdict for verdict in SIGNS if report.counts.get(verdict.value)]
    choices = [_choice("all", f"all {len(report.cases)}", checked=True)]
    choices += [_choice(verdict.value, f"{report.counts[verdict.value]} {verdict}") for verdict in present]
    return tag(
        "form",
        tag("fieldset", tag("legend", "Show"), *choices),
        tag(
            "label",
            "Search ",
            tag("input", type="search", id="search", autocomplete="off"),
            id="searching",
            hidden=True,
        ),
        tag("output", id="found", role="status", for_="search"),
        class_="filter",
    )


def _choice(name: str, words: str, *, checked: bool = False) -> Markup:
    button = tag("input", type="radio", name="show", id=f"show-{name}", value=name, checked=checked)
    return tag("label", button, " ", words, for_=f"show-{name}")
