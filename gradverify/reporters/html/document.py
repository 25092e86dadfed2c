"""The report as one page that opens without a network: every section, its style and a small script."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from gradverify.reporters.html.case import case_details
from gradverify.reporters.html.case_table import case_table
from gradverify.reporters.html.markup import Markup, joined, tag
from gradverify.reporters.html.networks import networks_section
from gradverify.reporters.html.overview import conditions, header, problems
from gradverify.reporters.html.reading import reading
from gradverify.reporters.html.rules import rules_section
from gradverify.reporters.html.sharing import shared
from gradverify.reporters.html.sweep import sweep_section
from gradverify.reporters.html.verdicts import outcome
from gradverify.reporters.likeness import alike
from gradverify.reporters.words import count
from gradverify.results import NOT_PASSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult, Report

__all__ = ["page_of"]

# Cases that are unfolded from the start: one of each sort.
_MOST_OPEN = 12
# Pictures anywhere in the page fill areas with these.
_PATTERNS = Markup(
    '<svg width="0" height="0" aria-hidden="true" class="patterns"><defs>'
    '<pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="5" height="5" class="hatch-ground"/><path d="M0 0V5" class="hatch-line"/></pattern>'
    '<pattern id="dotted" width="4" height="4" patternUnits="userSpaceOnUse">'
    '<rect width="4" height="4" class="dotted-ground"/><path d="M2 2h0" class="dotted-dot"/></pattern>'
    "</defs></svg>"
)


def page_of(report: Report, map_keys: tuple[str, ...]) -> str:
    """Return the page.

    Parameters
    ----------
    report
        The report.
    map_keys
        Sweep keys of the maps, rows first; other sweeps choose their own.
    """
    title = f"gradverify {report.command}: {outcome(report)}"
    body = tag(
        "body", _PATTERNS, tag("main", shared(joined(_sections(report, map_keys)))), tag("script", _asset("report.js"))
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(title), body, lang='en')}\n"


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("style", _asset("report.css")),
    )


def _policy() -> str:
    """Return what the page may load: nothing, and no script but its own."""
    digest = base64.b64encode(hashlib.sha256(_asset("report.js").encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


def _asset(name: str) -> Markup:
    return Markup((Path(__file__).parent / name).read_text(encoding="utf-8"))


def _sections(report: Report, map_keys: tuple[str, ...]) -> Iterator[Markup | None]:
    yield header(report)
    yield problems(report)
    yield conditions(report)
    yield sweep_section(report, map_keys)
    yield networks_section(report)
    yield case_table(report)
    yield reading(report)
    yield from _explained(report)
    yield rules_section(report)


def _explained(report: Report) -> Iterator[Markup]:
    """Yield the cases that do not pass, one of each sort unfolded, and then the others."""
    numbered = list(enumerate(report.cases, 1))
    bad = [(place, case) for place, case in numbered if case.verdict in NOT_PASSED]
    opened = {id(group[0]) for group in alike([case for _, case in bad])[:_MOST_OPEN]}
    good = [(place, case) for place, case in numbered if case.verdict not in NOT_PASSED]
    for title, cases in ((f"{count(len(bad), 'case')} to look at", bad), (f"{count(len(good), 'other case')}", good)):
        if cases:
            yield tag("section", tag("h2", title), _cases(cases, opened))


def _cases(cases: list[tuple[int, CaseResult]], opened: set[int]) -> Markup:
    return joined(case_details(case, place, opened=id(case) in opened) for place, case in cases)
