"""Verdicts as they are shown: a sign and a word, so that colour says nothing that they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.html.markup import Markup, tag
from gradverify.results import Verdict

if TYPE_CHECKING:
    from gradverify.results import Report

__all__ = ["SIGNS", "anchor", "outcome", "outcome_word", "verdict_word"]

SIGNS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✕",
    Verdict.INCONCLUSIVE: "?",
    Verdict.ERROR: "!",
    Verdict.SKIP: "–",
    Verdict.EMPTY: "∅",
}


def verdict_word(verdict: Verdict) -> Markup:
    """Return a verdict in its colour."""
    sign = tag("span", SIGNS[verdict], aria_hidden="true")
    return tag("span", sign, " ", verdict.value, class_=f"verdict v-{verdict}")


def outcome(report: Report) -> str:
    """Return the verdict of the whole, or that there is none: what had finished says nothing about the rest."""
    return "interrupted" if report.interrupted else report.verdict.value


def outcome_word(report: Report) -> Markup:
    """Return the verdict of the whole in its colour, that of an error where the run was interrupted."""
    if not report.interrupted:
        return verdict_word(report.verdict)
    sign = tag("span", SIGNS[Verdict.ERROR], aria_hidden="true")
    return tag("span", sign, " ", outcome(report), class_=f"verdict v-{Verdict.ERROR}")


def anchor(number: int) -> str:
    """Return the id of the section of a case, by its number in the report."""
    return f"case-{number}"
