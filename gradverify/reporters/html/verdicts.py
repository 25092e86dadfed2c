"""Verdicts as they are shown: a sign and a word, so that colour says nothing that they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.exit_codes import ExitCode
from gradverify.reporters.html.markup import Markup, tag
from gradverify.results import Verdict

if TYPE_CHECKING:
    from gradverify.results import CaseResult, Report

__all__ = ["BAD", "SIGNS", "anchor", "outcome", "outcome_word", "place", "verdict_word"]

SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✕",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "!",
    Verdict.SKIP: "–",
    Verdict.EMPTY: "∅",
}
# Verdicts whose cases are explained.
BAD = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR)


def verdict_word(verdict: Verdict) -> Markup:
    """Return a verdict in its colour."""
    sign = tag("span", SIGNS[verdict], aria_hidden="true")
    return tag("span", sign, " ", verdict.value, class_=f"verdict v-{verdict}")


def outcome(report: Report) -> str:
    """Return the verdict of the whole, or that there is none: what had finished says nothing about the rest."""
    return "interrupted" if report.exit_code == ExitCode.INTERRUPTED else report.verdict.value


def outcome_word(report: Report) -> Markup:
    """Return the verdict of the whole in its colour, that of an error where the run was interrupted."""
    if report.exit_code != ExitCode.INTERRUPTED:
        return verdict_word(report.verdict)
    sign = tag("span", SIGNS[Verdict.ERROR], aria_hidden="true")
    return tag("span", sign, " ", outcome(report), class_=f"verdict v-{Verdict.ERROR}")


def anchor(number: int) -> str:
    """Return the id of the section of a case, by its number in the report."""
    return f"case-{number}"


def place(case: CaseResult) -> str:
    """Return where a case stands; a model has no lines."""
    return f"{case.spec}:{case.line}" if case.line else case.spec
