"""Everything found about one case, folded under its one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.explanation import says_it_all
from gradverify.reporters.findings import Finding, findings_of_case
from gradverify.reporters.html.geometry import geometry_section
from gradverify.reporters.html.gradient import gradients_section
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.verdicts import anchor, place, verdict_word
from gradverify.reporters.words import count, duration, number, worst_error
from gradverify.results import Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult, Contract

__all__ = ["case_details", "rule_link"]


def case_details(case: CaseResult, place_in_report: int, *, opened: bool) -> Markup:
    """Return a case, folded or not.

    The id is that of the folded part: who follows a link to it finds it unfolded.
    """
    error = worst_error(case)
    shown = f"relative error {number(error)}" if error is not None else ""
    title = tag("h3", verdict_word(case.verdict), " ", tag("span", case.id, class_="id"))
    summary = tag("summary", title, " ", tag("span", shown, class_="quiet"))
    body = tag("div", *_parts(case), id=anchor(place_in_report), class_="body")
    return tag("details", summary, body, open=opened, class_=f"case v-{case.verdict}")


def rule_link(rule: str) -> Markup:
    """Return the id of a rule as a link to its section."""
    return tag("a", rule, href=f"#{rule}")


def _parts(case: CaseResult) -> Iterator[Markup | None]:
    yield tag("p", _origin(case), class_="quiet")
    if case.battery is not None:
        yield tag("p", f"{case.battery.layer} battery: {case.battery.reason}")
    if case.reason and not says_it_all(case):
        yield tag("pre", case.reason, class_="reason")
    found = findings_of_case(case)
    yield tag("ul", *map(_finding, found), class_="findings") if found else None
    if case.reproduce is not None:
        yield tag("p", "Reproduce:", class_="before-code")
        yield tag("pre", tag("code", case.reproduce), tabindex="0", aria_label="Command that runs this case alone")
    yield gradients_section(case)
    yield geometry_section(case)
    yield _contracts(case)
    yield _parameters(case)


def _origin(case: CaseResult) -> str:
    passes = f"{case.forward_evaluations} forward pass{'' if case.forward_evaluations == 1 else 'es'}"
    expected = "; expected to fail" if case.expect is Verdict.FAIL else ""
    return f"{case.target}, {place(case)}; {passes}, {duration(case.seconds)}{expected}"


def _finding(finding: Finding) -> Markup:
    level = tag("b", finding.level.value, class_=f"level {finding.level}")
    return tag("li", level, " ", rule_link(finding.rule.id), " ", finding.message)


def _contracts(case: CaseResult) -> Markup | None:
    """Return the contracts that are not kept as a table, and the others by their names."""
    kept = [part.code for part in case.contracts if part.verdict is Verdict.PASS]
    others = [part for part in case.contracts if part.verdict is not Verdict.PASS]
    table = None
    if others:
        head = tag("tr", *(tag("th", name, scope="col") for name in ("contract", "verdict", "found")))
        rows = tag("tbody", *map(_contract, others))
        table = tag("table", tag("caption", "Contracts"), tag("thead", head), rows, class_="plain")
    known = tag("p", f"{count(len(kept), 'contract')} kept: {', '.join(kept)}", class_="quiet") if kept else None
    return tag("section", tag("h4", "Contracts"), table, known) if case.contracts else None


def _contract(contract: Contract) -> Markup:
    warns = contract.severity is Severity.WARNING and contract.verdict is Verdict.FAIL
    word = tag("span", "⚠ warning", class_="verdict v-inconclusive") if warns else verdict_word(contract.verdict)
    return tag(
        "tr",
        tag("th", contract.code, scope="row"),
        tag("td", word),
        tag("td", contract.message, class_="message"),
    )


def _parameters(case: CaseResult) -> Markup | None:
    if not case.params:
        return None
    given = (tag("div", tag("dt", str(name)), tag("dd", str(value))) for name, value in case.params.items())
    return tag("details", tag("summary", "Parameters"), tag("dl", *given))
