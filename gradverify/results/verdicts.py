"""Words for what was found out, from a contract to the whole, and the exit codes that belong to them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from gradverify.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "NOT_PASSED",
    "NOT_RUN",
    "WORST_FIRST",
    "Cause",
    "FailOn",
    "GeometrySeverity",
    "Severity",
    "Verdict",
    "exit_code_of",
    "worst_verdict",
]

# Why a case is skipped that an earlier one kept from being looked at.
NOT_RUN = "not run"


class Verdict(StrEnum):
    """What was found out about a case, a contract, a gradient or the whole."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIP = "skip"
    EMPTY = "empty"


class Severity(StrEnum):
    """Whether a contract that is not met fails its case."""

    FAILURE = "failure"
    WARNING = "warning"


class GeometrySeverity(StrEnum):
    """How much a window loses along one axis, from nothing to everything."""

    EXACT = "exact"
    GAP = "gap"
    PADDING_UNREAD = "padding-unread"
    DATA_LOST = "data-lost"
    IMPOSSIBLE = "impossible"


class Cause(StrEnum):
    """Why a case has its verdict, where no contract, gradient or axis says it."""

    RAISED = "raised"
    UNUSABLE = "unusable"
    TIMED_OUT = "timed-out"
    DIED = "died"
    OUT_OF_MEMORY = "out-of-memory"
    SPOILED = "spoiled"
    NOT_JUDGED = "not-judged"
    IMPOSSIBLE = "impossible"
    UNEXPECTED_PASS = "unexpected-pass"  # noqa: S105  a cause, not a password


class FailOn(StrEnum):
    """Which geometry fails a case."""

    IDENTITY = "identity"
    DATA_LOSS = "data-loss"
    IMPOSSIBLE = "impossible"
    NEVER = "never"


# Verdicts of cases that were looked at and do not pass: they are explained, saved, and have findings that say why.
NOT_PASSED = frozenset({Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR})
# Verdicts of cases, as reports with room for a few list them, and maps choose what a cell shows.
WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.PASS, Verdict.SKIP)

# The first of these that some case has is the verdict of the whole, with its exit code.
_EXIT_CODES = {
    Verdict.FAIL: ExitCode.FAIL,
    Verdict.INCONCLUSIVE: ExitCode.FAIL,
    Verdict.ERROR: ExitCode.ERROR,
    Verdict.PASS: ExitCode.PASS,
    Verdict.EMPTY: ExitCode.EMPTY,
}


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a whole from those of its parts; ``EMPTY`` when there are only skips or none."""
    present = set(verdicts)
    return next((verdict for verdict in _EXIT_CODES if verdict in present), Verdict.EMPTY)


def exit_code_of(verdict: Verdict) -> ExitCode:
    """Return the exit code that belongs to a verdict of the whole."""
    return _EXIT_CODES[verdict]
