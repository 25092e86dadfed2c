"""Which rule a finding belongs to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradverify.problems import Problem, ProblemKind
from gradverify.results import (
    NOT_PASSED,
    CaseResult,
    Cause,
    Contract,
    Geometry,
    GeometrySeverity,
    GradientCheck,
    Verdict,
)
from gradverify.spec.contract_table import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["rule_of_case", "rule_of_contract", "rule_of_geometry", "rule_of_gradient", "rule_of_problem"]

_BY_CAUSE: Mapping[Cause, str] = {
    Cause.UNEXPECTED_PASS: "GV105",
    Cause.IMPOSSIBLE: "GV201",
    Cause.RAISED: "GV901",
    Cause.UNUSABLE: "GV902",
    Cause.TIMED_OUT: "GV903",
    Cause.DIED: "GV904",
    Cause.OUT_OF_MEMORY: "GV905",
    Cause.SPOILED: "GV906",
    Cause.NOT_JUDGED: "GV907",
}
_BY_SEVERITY: Mapping[GeometrySeverity, str] = {
    GeometrySeverity.IMPOSSIBLE: "GV201",
    GeometrySeverity.DATA_LOST: "GV202",
    GeometrySeverity.PADDING_UNREAD: "GV203",
    GeometrySeverity.GAP: "GV204",
}
_BY_KIND: Mapping[ProblemKind, str] = {
    ProblemKind.UNREADABLE: "GV301",
    ProblemKind.UNKNOWN_NAME: "GV302",
    ProblemKind.VALUE: "GV303",
    ProblemKind.REPEATED: "GV304",
    ProblemKind.MISSING: "GV305",
    ProblemKind.MODEL: "GV908",
}


def rule_of_case(case: CaseResult) -> str | None:
    """Return the rule by which a case has its verdict where no part of it has one, or ``None``."""
    return None if case.cause is None or case.verdict not in NOT_PASSED else _BY_CAUSE[case.cause]


def rule_of_contract(contract: Contract) -> str | None:
    """Return the rule that a contract is broken by, or ``None`` where it is kept or was not looked at."""
    return CONTRACTS[contract.code].rule if contract.verdict in NOT_PASSED else None


def rule_of_gradient(gradient: GradientCheck) -> str | None:
    """Return the rule by which a gradient does not pass, or ``None`` where it does."""
    if gradient.verdict is Verdict.INCONCLUSIVE:
        return "GV104"
    if gradient.verdict is not Verdict.FAIL:
        return None
    if not gradient.compared:
        return "GV102"
    return "GV101" if gradient.worst is None or math.isfinite(gradient.worst.analytic) else "GV103"


def rule_of_geometry(geometry: Geometry) -> str | None:
    """Return the rule that a window breaks along one axis, or ``None`` where nothing is lost."""
    return _BY_SEVERITY.get(geometry.severity)


def rule_of_problem(problem: Problem) -> str:
    """Return the rule that a file breaks before anything runs."""
    return _BY_KIND[problem.kind]
