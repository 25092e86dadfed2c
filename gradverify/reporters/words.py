"""How findings read in a line: verdicts, numbers, counts."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context
from typing import TYPE_CHECKING

from rich.text import Text

from gradverify.results import GeometrySeverity, Severity, Verdict

if TYPE_CHECKING:
    from gradverify.results import CaseResult, Report

__all__ = ["STYLES", "bound", "count", "duration", "headline", "number", "printable", "summary", "worst_error"]

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.ERROR: "bold magenta",
    Verdict.SKIP: "dim",
    Verdict.EMPTY: "yellow",
}


def printable(text: str) -> str:
    """Return text without control characters but newlines: names and messages come from anywhere."""
    return "".join(sign if sign == "\n" or sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def number(value: float | None) -> str:
    """Return a measured number in a few digits, ``-`` where it is not known."""
    return "-" if value is None else f"{value:.2g}"


def bound(value: float) -> str:
    """Return an upper bound in a few digits, rounded up: a bound that is rounded down may be false."""
    return number(float(Context(prec=2, rounding=ROUND_CEILING).create_decimal(str(float(value)))))


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def count(many: int, what: str) -> str:
    """Return ``1 case`` or ``3 cases``."""
    return f"{many} {what}" if many == 1 else f"{many} {what}s"


def worst_error(result: CaseResult) -> float | None:
    """Return the largest relative error of the gradients of a case, of the wrong ones where it fails; else ``None``."""
    fails = result.verdict is Verdict.FAIL
    counted = [part for part in result.gradients if not fails or part.verdict is Verdict.FAIL]
    errors = [part.max_relative_error for part in counted if part.max_relative_error is not None]
    return max(errors, default=None)


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


def summary(report: Report) -> str:
    """Return the last line: verdict, counts and time."""
    present = [f"{many} {name}" for name, many in report.counts.items() if many]
    counted = ", ".join(present) or "no case was selected"
    verdict = "INTERRUPTED" if report.exit_code == 130 else report.verdict.upper()
    return f"{verdict}: {counted} in {report.seconds:.2f} s"
