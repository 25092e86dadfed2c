"""What was found, one thing after the other: each with its rule, its place and a sentence. What CI formats list."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from gradverify.numerics.geometry import describe_loss, describe_violation
from gradverify.problems import place_of
from gradverify.reporters.error_pattern import pattern
from gradverify.reporters.words import number
from gradverify.results import NOT_PASSED, CaseResult, Geometry, GeometrySeverity, GradientCheck, Severity, Verdict
from gradverify.rules import (
    RULES,
    Rule,
    rule_of_case,
    rule_of_contract,
    rule_of_geometry,
    rule_of_gradient,
    rule_of_problem,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.problems import Problem
    from gradverify.results import Report

__all__ = ["Finding", "Level", "findings_of", "findings_of_case", "findings_of_files"]

# What a case that does not pass is called where none of its parts says why.
_ELSE = {Verdict.FAIL: "GV101", Verdict.INCONCLUSIVE: "GV104", Verdict.ERROR: "GV901"}


class Level(StrEnum):
    """Whether a finding keeps its case from passing, is worth a look, or is accepted or harmless."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return tuple(Level).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    rule
        What it is.
    level
        How bad it is.
    message
        A sentence that stands alone; on one line.
    file, line, column
        Where, from 1; line and column are 0 where a file has none, as a model.
    about
        The input, axis or contract; empty where it is the case or file as a whole.
    case
        What it was found of; ``None`` for what is wrong with a file.
    """

    rule: Rule
    level: Level
    message: str
    file: str
    line: int
    column: int
    about: str = ""
    case: CaseResult | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from others of one report and stays when lines move or numbers change."""
        case = "" if self.case is None else self.case.id
        return self.file, case, self.rule.id, self.about or ("" if self.case else self.message)

    def __str__(self) -> str:
        return f"{self.rule.id} {self.message}"

    @property
    def of_case(self) -> str:
        """The message behind the id of its case, for lists of findings of many."""
        return self.message if self.case is None else f"{self.case.id}: {self.message}"

    @property
    def place(self) -> str:
        """``file:line:column``, as editors read it."""
        return place_of(self.file, self.line, self.column)

    @property
    def accepted(self) -> bool:
        """Whether it is a violation that its case allows or a baseline holds."""
        accepted = () if self.case is None else self.case.judgement.accepted_axes
        return self.level is Level.NOTE and self.about in accepted


def findings_of(report: Report) -> tuple[Finding, ...]:
    """Return everything that was found, in the order of the report."""
    return (*findings_of_files(report), *(finding for case in report.cases for finding in findings_of_case(case)))


def findings_of_files(report: Report) -> tuple[Finding, ...]:
    """Return what is wrong with specs and models: where there is something, nothing was run."""
    return tuple(_of_problem(problem) for problem in report.problems)


def findings_of_case(case: CaseResult) -> tuple[Finding, ...]:
    """Return what was found about one case: nothing of a skipped one, or one that failed as its spec expects.

    A case that does not pass has at least one error.
    """
    if case.verdict is Verdict.SKIP or (case.verdict is Verdict.PASS and case.expect is Verdict.FAIL):
        return ()
    found = (*_of_case(case), *_of_contracts(case), *_of_gradients(case), *_of_geometry(case))
    if case.verdict in NOT_PASSED and all(finding.level is not Level.ERROR for finding in found):
        return (
            _finding(case, _ELSE[case.verdict], Level.ERROR, case.reason or f"the verdict is {case.verdict}"),
            *found,
        )
    return found


def _finding(case: CaseResult, rule: str, level: Level, message: str, about: str = "") -> Finding:
    return Finding(
        rule=RULES[rule],
        level=level,
        message=_sentence(message, rule),
        file=case.spec,
        line=case.line,
        column=case.column,
        about=about,
        case=case,
    )


def _sentence(message: str, rule: str) -> str:
    """Return the first line of a message; what the rule says where there is none."""
    return " ".join(message.split("\n", 1)[0].split()) or RULES[rule].title


def _of_problem(problem: Problem) -> Finding:
    rule = rule_of_problem(problem)
    return Finding(
        rule=RULES[rule],
        level=Level.ERROR,
        message=_sentence(problem.message, rule),
        file=problem.file,
        line=problem.line,
        column=problem.column,
    )


def _of_case(case: CaseResult) -> Iterator[Finding]:
    rule = rule_of_case(case)
    said = any(rule_of_geometry(part) == rule for part in case.geometry)  # an impossible window says more itself
    if rule is not None and not said:
        yield _finding(case, rule, Level.ERROR, case.reason or RULES[rule].title)


def _of_contracts(case: CaseResult) -> Iterator[Finding]:
    for part in case.contracts:
        rule = rule_of_contract(part)
        if rule is not None:
            fails = part.severity is Severity.FAILURE or part.code in case.judgement.failing_warnings
            level = Level.ERROR if fails else Level.WARNING
            yield _finding(case, rule, level, f"contract {part.code}: {part.message}", part.code)


def _of_gradients(case: CaseResult) -> Iterator[Finding]:
    for part in case.gradients:
        rule = rule_of_gradient(part)
        if rule is not None:
            yield _finding(case, rule, Level.ERROR, "; ".join(_gradient(part)), part.input)


def _gradient(gradient: GradientCheck) -> Iterator[str]:
    """Yield what is wrong with a gradient, the most important first."""
    yield f"d{gradient.input}: {gradient.reason or gradient.verdict.value}"
    if gradient.error_map is not None:
        yield f"errors: {pattern(gradient.error_map)}"
    if gradient.worst is not None:
        index = ", ".join(map(str, gradient.worst.index))
        values = f"analytic {gradient.worst.analytic:.10g}, numerical {gradient.worst.numerical:.10g}"
        yield f"worst entry [{index}]: {values}"
    if gradient.max_relative_error is not None:
        yield f"largest relative error {number(gradient.max_relative_error)}"


def _of_geometry(case: CaseResult) -> Iterator[Finding]:
    """Yield what windows lose; a battery's are those of no network, and count only where they fail the case."""
    for part in case.geometry:
        rule, level = rule_of_geometry(part), _level(part, case)
        if rule is not None and (case.battery is None or level is Level.ERROR):
            yield _finding(case, rule, level, _loss(part), part.axis)


def _level(geometry: Geometry, case: CaseResult) -> Level:
    impossible = geometry.severity is GeometrySeverity.IMPOSSIBLE and case.verdict in NOT_PASSED
    if impossible or geometry.axis in case.judgement.failing_axes:
        return Level.ERROR
    harmless = geometry.severity is GeometrySeverity.GAP or geometry.axis in case.judgement.accepted_axes
    return Level.NOTE if harmless else Level.WARNING


def _loss(geometry: Geometry) -> str:
    loss = f"along {geometry.axis}: {describe_loss(geometry)}" if geometry.identity else describe_violation(geometry)
    return f"{loss}; holds with: {'; '.join(geometry.suggestions[:3])}" if geometry.suggestions else loss
