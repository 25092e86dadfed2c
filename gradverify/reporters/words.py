"""How findings read in a line: verdicts, numbers, counts."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context
from typing import TYPE_CHECKING

from gradverify.results import Verdict

if TYPE_CHECKING:
    from gradverify.results import CaseResult, Condition, Report

__all__ = ["bound", "condition_text", "count", "duration", "number", "printable", "summary", "worst_error"]


def printable(text: str) -> str:
    """Return text without control characters but newlines: names and messages come from anywhere."""
    if text.isprintable():
        return text
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


def condition_text(condition: Condition, *, of_many_specs: bool) -> str:
    """Return what separates the failing cases of a name, in a line; with their file where there are several."""
    name = f"{condition.spec}: {condition.name}" if of_many_specs else condition.name
    return f"{name}: {condition.text} ({count(condition.cases, 'case')})"


def worst_error(result: CaseResult) -> float | None:
    """Return the largest relative error of the gradients of a case, of the wrong ones where it fails; else ``None``."""
    fails = result.verdict is Verdict.FAIL
    counted = [part for part in result.gradients if not fails or part.verdict is Verdict.FAIL]
    errors = [part.max_relative_error for part in counted if part.max_relative_error is not None]
    return max(errors, default=None)


def summary(report: Report) -> str:
    """Return the last line: verdict, counts and time; or that nothing was run."""
    if report.problems:
        return f"{report.verdict.upper()}: {count(len(report.problems), 'problem')}, nothing was run"
    present = [f"{many} {name}" for name, many in report.counts.items() if many]
    counted = ", ".join(present) or ("no case had finished" if report.interrupted else "no case was selected")
    return f"{'INTERRUPTED' if report.interrupted else report.verdict.upper()}: {counted} in {report.seconds:.2f} s"
