"""Verdicts as they are shown: a sign and a word, so that colour says nothing that they do not."""

from __future__ import annotations

from gradverify.reporters.html.markup import Markup, tag
from gradverify.results import Verdict

__all__ = ["SIGNS", "anchor", "verdict_word"]

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


def anchor(number: int) -> str:
    """Return the id of the section of a case, by its number in the report."""
    return f"case-{number}"
