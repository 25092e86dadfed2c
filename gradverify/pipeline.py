"""Load, expand, run, report: the story of a command, one named step a line."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from gradverify import __version__
from gradverify.checks.geometry import audit as audit_case
from gradverify.checks.geometry import known_geometry
from gradverify.errors import UsageError, nearest_name
from gradverify.execution import executor
from gradverify.execution.jobs import Done, Interrupted, Job, Lost
from gradverify.numerics.geometry import describe_violation
from gradverify.results import (
    CaseResult,
    Condition,
    FailOn,
    GeometrySeverity,
    Plan,
    Report,
    Severity,
    Verdict,
    counts_of,
    exit_code_of,
    verdict_of,
)
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import find_specs, read_specs
from gradverify.spec.nodes import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from gradverify.spec.model import Case
    from gradverify.spec.overriding import Overrides

    Results = Generator[tuple[Case, CaseResult], None, None]

__all__ = ["FailOn", "Listener", "Policy", "Selection", "Settings", "audit", "policy_for", "select", "settle", "verify"]

INTERRUPTED = 130
# Named, not imported: the function runs in a worker, and this process need not load numpy for it.
_VERIFY_CASE = "gradverify.checks.case:verify"


_FAILING = {
    FailOn.IDENTITY: {
        GeometrySeverity.PADDING_UNREAD,
        GeometrySeverity.DATA_LOST,
        GeometrySeverity.IMPOSSIBLE,
    },
    FailOn.DATA_LOSS: {GeometrySeverity.DATA_LOST, GeometrySeverity.IMPOSSIBLE},
    FailOn.IMPOSSIBLE: {GeometrySeverity.IMPOSSIBLE},
    FailOn.NEVER: set(),
}
_HARMLESS = {Verdict.PASS, Verdict.SKIP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What turns a finding into a verdict.

    Attributes
    ----------
    fail_on
        Geometry that fails a case.
    strict
        Whether warnings fail a case.
    expectations
        Whether ``expect: fail`` turns a verdict round.
    """

    fail_on: FailOn = FailOn.NEVER
    strict: bool = False
    expectations: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The cases to run and the seed to report."""

    cases: tuple[Case, ...]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a command runs.

    Attributes
    ----------
    command
        ``run``, ``audit`` or ``sweep``.
    policy
        What fails.
    executor, workers
        Who runs the cases, and on how many processes.
    fail_fast
        Whether the first failing case ends the run.
    keep
        Whether results of cases that do not pass carry their arrays, for listeners alone: the report has none.
    reproduce
        Gives the command that runs a case alone.
    """

    command: str
    policy: Policy = Policy()
    executor: str = "processes"
    workers: int = 1
    fail_fast: bool = False
    keep: bool = False
    reproduce: Callable[[Case], str] | None = None


class Listener(Protocol):
    """Hears what happens while it happens; every reporter is one."""

    def start(self, plan: Plan) -> None:
        """Hear what is about to run."""

    def case(self, result: CaseResult) -> None:
        """Hear about one finished case; they come in the order of the spec."""

    def finish(self, report: Report) -> None:
        """Hear the whole."""


def select(
    names: tuple[str, ...], overrides: Overrides, keyword: str | None = None, ids: tuple[str, ...] = ()
) -> Selection:
    """Load and expand specs, and keep the cases whose id contains the keyword and, where ids are given, is one of them.

    Raises
    ------
    UsageError, SpecError
        Nothing was run.
    """
    specs = read_specs(find_specs(names))
    cases = _of_ids(expand_specs(specs, overrides), ids)
    chosen = tuple(case for case in cases if keyword is None or keyword in case.id)
    seed = overrides.seed if overrides.seed is not None else specs[0].seed if specs else 0
    return Selection(cases=chosen, seed=seed)


def _of_ids(cases: tuple[Case, ...], ids: tuple[str, ...]) -> tuple[Case, ...]:
    """Return the cases with one of these ids, as the spec has it or as a terminal shows it; without ids, all."""
    if not ids:
        return cases
    chosen = tuple(case for case in cases if case.id in ids or escaped(case.id) in ids)
    found = {name for case in chosen for name in (case.id, escaped(case.id))}
    for name in ids:
        if name not in found:
            known = tuple(case.id for case in cases)
            raise UsageError(f"--case '{name}': no case has this id, {nearest_name(name, known)}")
    return chosen


def verify(selection: Selection, settings: Settings, listen: Callable[[], Listener]) -> Report:
    """Run every case of a selection and report.

    Parameters
    ----------
    selection
        The cases.
    settings
        How they run.
    listen
        Makes the listener; called when the first worker is starting already, so that both take their time at once.
    """
    cases = [replace(case, keep=settings.keep) for case in selection.cases]
    jobs = [Job(case, case.search_path, case.timeout, case.memory, case.home) for case in cases]
    outcomes = executor(settings.executor, settings.workers).run(_VERIFY_CASE, jobs)
    return _report(_results(selection.cases, outcomes), selection, settings, listen())


def audit(selection: Selection, settings: Settings, listen: Callable[[], Listener]) -> Report:
    """Judge the geometry of every case of a selection, in this process and without its code, and report."""
    return _report(((case, audit_case(case)) for case in selection.cases), selection, settings, listen())


def _report(results: Results, selection: Selection, settings: Settings, listener: Listener) -> Report:
    started = time.perf_counter()
    ids = tuple(case.id for case in selection.cases)
    listener.start(Plan(version=__version__, command=settings.command, seed=selection.seed, cases=ids))
    found: list[CaseResult] = []
    interrupted = False
    try:
        with closing(_settled(results, selection.cases, settings)) as settled:
            for result in settled:
                found.append(replace(result, arrays={}))
                listener.case(result)
    except KeyboardInterrupt:
        interrupted = True
    verdict = verdict_of(found)
    report = Report(
        version=__version__,
        command=settings.command,
        verdict=verdict,
        exit_code=INTERRUPTED if interrupted else exit_code_of(verdict),
        seed=selection.seed,
        seconds=time.perf_counter() - started,
        counts=counts_of(found),
        conditions=() if settings.command == "audit" else _conditions(found),
        cases=tuple(found),
    )
    listener.finish(report)
    return report


def _conditions(found: list[CaseResult]) -> tuple[Condition, ...]:
    """Return what separates failing from passing cases."""
    from gradverify.checks.conditions import conditions_of  # noqa: PLC0415  audit has none

    return conditions_of(found)


def _settled(results: Results, cases: tuple[Case, ...], settings: Settings) -> Generator[CaseResult, None, None]:
    """Yield final verdicts; after the first bad one with ``fail_fast``, the rest as skips."""
    ended = 0
    with closing(results) as incoming:
        for case, result in incoming:
            settled = _with_evidence(case, settle(result, policy_for(case, settings.policy)), settings)
            ended += 1
            yield settled
            if settings.fail_fast and settled.verdict not in _HARMLESS:
                break
    for case in cases[ended:]:
        yield case.result(Verdict.SKIP, "not run")


def _with_evidence(case: Case, result: CaseResult, settings: Settings) -> CaseResult:
    """Return a result with the command that gives it again where it is bad, and without arrays where it is not."""
    if result.verdict in _HARMLESS:
        return replace(result, arrays={})
    return replace(result, reproduce=settings.reproduce(case) if settings.reproduce else None)


def policy_for(case: Case, policy: Policy) -> Policy:
    """Return the policy under which a case is judged: what it says itself, or else the command."""
    fail_on = policy.fail_on if case.fail_on is None else case.fail_on
    return replace(policy, strict=policy.strict or case.strict, fail_on=fail_on)


def settle(result: CaseResult, policy: Policy) -> CaseResult:
    """Return the result with its final verdict: warnings and geometry by the policy, then the expectation."""
    reason = _policy_reason(result, policy) if result.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE} else None
    if reason is not None:
        result = replace(result, verdict=Verdict.FAIL, reason=reason)
    if not policy.expectations or result.expect is not Verdict.FAIL:
        return result
    if result.verdict is Verdict.FAIL:
        return replace(result, verdict=Verdict.PASS, reason=f"caught as expected: {result.reason}")
    if result.verdict is Verdict.PASS:
        return replace(result, verdict=Verdict.FAIL, reason="expected to fail, but every check passed")
    return result


def _policy_reason(result: CaseResult, policy: Policy) -> str | None:
    for geometry in result.geometry:
        if geometry.severity in _FAILING[policy.fail_on]:
            return result.reason or describe_violation(geometry)
    warnings = [part for part in result.contracts if part.severity is Severity.WARNING and part.verdict is Verdict.FAIL]
    return f"warning, which --strict fails: {warnings[0].message}" if policy.strict and warnings else None


def _results(cases: tuple[Case, ...], outcomes: Generator[Done | Lost, None, None]) -> Results:
    """Yield what became of every case; when that is interrupted, what has finished out of turn before going on."""
    with closing(outcomes):
        try:
            for case, outcome in zip(cases, outcomes, strict=True):
                yield case, _result(case, outcome)
        except KeyboardInterrupt as interrupt:
            finished = interrupt.outcomes if isinstance(interrupt, Interrupted) else {}
            for position, outcome in sorted(finished.items()):
                yield cases[position], _result(cases[position], outcome)
            raise


def _result(case: Case, outcome: Done | Lost) -> CaseResult:
    """Return what was found about a case; an error with the last lines that were printed."""
    if isinstance(outcome, Lost):
        found = case.result(Verdict.ERROR, outcome.reason, seconds=outcome.seconds, geometry=known_geometry(case))
    else:
        found = outcome.value
    if found.verdict is not Verdict.ERROR or not outcome.output:
        return found
    return replace(found, reason=f"{found.reason}\n{outcome.output}")
