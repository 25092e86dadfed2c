"""The one line of a case in a terminal, with its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from gradverify.reporters.words import count, number, printable, worst_error
from gradverify.results import GeometrySeverity, Severity, Verdict

if TYPE_CHECKING:
    from gradverify.results import CaseResult

__all__ = ["STYLES", "headline"]

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "bold magenta",
    Verdict.SKIP: "dim",
    Verdict.EMPTY: "yellow",
}


def headline(result: CaseResult) -> Text:
    """Return the one line of a case: verdict, id, worst relative error, and marks."""
    line = Text("  ")
    line.append(f"{result.verdict.upper():<5}", style=STYLES[result.verdict])
    line.append(f" {printable(result.id)}")
    worst = worst_error(result)
    if worst is not None:
        line.append(f"  {number(worst)}", style="cyan")
    for mark in _marks(result):
        line.append(f"  {printable(mark)}", style="dim" if result.verdict is Verdict.PASS else "")
    return line


def _marks(result: CaseResult) -> list[str]:
    marks = []
    if result.verdict is Verdict.SKIP and result.reason:
        marks.append(result.reason)
    elif result.verdict is Verdict.PASS and result.expect is Verdict.FAIL and result.reason:
        marks.append("caught, as expected")
    if result.verdict is Verdict.SKIP:
        return marks
    if result.battery is None:
        marks.extend(_geometry_marks(result))
    warnings = sum(part.severity is Severity.WARNING and part.verdict is Verdict.FAIL for part in result.contracts)
    if warnings:
        marks.append(count(warnings, "warning"))
    return marks


def _geometry_marks(result: CaseResult) -> list[str]:
    marks = []
    residuals = [f"{part.axis} r={part.residual}" for part in result.geometry if part.residual]
    if residuals:
        lost = any(part.severity is GeometrySeverity.DATA_LOST for part in result.geometry)
        marks.append(f"identity violated: {', '.join(residuals)} ({'data lost' if lost else 'padding only'})")
    gaps = [f"{part.axis} {part.gap}" for part in result.geometry if part.gap]
    if gaps:
        marks.append(f"gaps between windows: {', '.join(gaps)}")
    return marks
