"""What stands above everything: the verdict and counts, what is wrong with files, what separates failing cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.html.case import rule_link
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.verdicts import SIGNS, outcome_word
from gradverify.reporters.words import count, summary
from gradverify.rules import RULES, rule_of_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.problems import Problem
    from gradverify.results import Report, Verdict

__all__ = ["conditions", "header", "problems"]


def header(report: Report) -> Markup:
    """Return the verdict of the whole, how many cases have which, and what was run."""
    title = tag("h1", "gradverify ", tag("span", report.command), " ", outcome_word(report))
    counted = (_counted(verdict, report.counts.get(verdict.value, 0)) for verdict in SIGNS)
    facts = (tag("div", tag("dt", name), tag("dd", value)) for name, value in _facts(report))
    return tag(
        "header",
        title,
        tag("p", summary(report), class_="summary"),
        tag("p", "Interrupted: what follows had finished.") if report.interrupted else None,
        tag("ul", *counted, class_="counts") if report.cases else None,
        tag("dl", *facts),
    )


def _counted(verdict: Verdict, many: int) -> Markup | None:
    sign = tag("span", SIGNS[verdict], aria_hidden="true")
    return tag("li", sign, " ", tag("b", str(many)), " ", verdict, class_=f"v-{verdict}") if many else None


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "version", report.version
    yield "seed", str(report.seed)
    yield "time", f"{report.seconds:.2f} s"
    yield "exit code", str(report.exit_code)
    if report.baseline is not None:
        used = report.baseline
        yield "baseline", f"{used.file}: {used.accepted} accepted, {used.new} new or worse, {used.gone} gone"
    if report.tried:
        sizes = (f"{name} = {'×'.join(map(str, lengths))}" for name, lengths in report.tried.items())
        yield "tried", ", ".join(sizes)


def problems(report: Report) -> Markup | None:
    """Return what is wrong with specs and models, or ``None`` where nothing is."""
    if not report.problems:
        return None
    many = count(len(report.problems), "problem")
    return tag("section", tag("h2", many), tag("ul", *map(_problem, report.problems), class_="findings"))


def _problem(problem: Problem) -> Markup:
    rule = RULES[rule_of_problem(problem)]
    message = tag("span", problem.message, class_="message")
    return tag("li", tag("code", problem.place), " ", rule_link(rule.id), " ", message)


def conditions(report: Report) -> Markup | None:
    """Return what separates failing cases from passing ones, or ``None`` where nothing does."""
    if not report.conditions:
        return None
    lines = (
        tag("li", tag("b", item.name), ": ", item.text, " ", tag("span", _of(item.spec, item.cases), class_="quiet"))
        for item in report.conditions
    )
    return tag("section", tag("h2", "What separates failing from passing cases"), tag("ul", *lines))


def _of(spec: str, cases: int) -> str:
    return f"({spec}, {count(cases, 'case')})"
