"""Run and report: the story of a command from its cases to its report, one named step a line."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from gradverify import __version__
from gradverify.checks.geometry import audit as audit_case
from gradverify.checks.geometry import known_geometry
from gradverify.execution import executor
from gradverify.execution.jobs import Done, Interrupted, Job, Lost
from gradverify.pipeline.baseline import account
from gradverify.pipeline.settling import Policy, policy_for, settle, violations
from gradverify.results import (
    NOT_RUN,
    BaselineUse,
    CaseResult,
    Condition,
    Plan,
    Report,
    Verdict,
    counts_of,
    exit_code_of,
    verdict_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from gradverify.pipeline.selecting import Selection
    from gradverify.spec.model import Case

    Results = Generator[tuple[Case, CaseResult], None, None]

__all__ = ["Listener", "Settings", "audit", "verify"]

INTERRUPTED = 130
# Named, not imported: the function runs in a worker, and this process need not load numpy for it.
_VERIFY_CASE = "gradverify.checks.case:verify"
_HARMLESS = {Verdict.PASS, Verdict.SKIP}


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
    update_baseline
        Whether the baseline of the policy is to hold what is found, in the place of what it holds.
    """

    command: str
    policy: Policy = field(default_factory=Policy)
    executor: str = "processes"
    workers: int = 1
    fail_fast: bool = False
    keep: bool = False
    reproduce: Callable[[Case], str] | None = None
    update_baseline: bool = False


class Listener(Protocol):
    """Hears what happens while it happens; every reporter is one."""

    def start(self, plan: Plan) -> None:
        """Hear what is about to run."""

    def case(self, result: CaseResult) -> None:
        """Hear about one finished case; they come in the order of the spec."""

    def finish(self, report: Report) -> None:
        """Hear the whole."""


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
    before = () if selection.before is None else tuple(_settled(_audited(selection.before), selection.before, settings))
    settings, used = _accounted(selection, settings)
    return _report(_audited(selection), selection, settings, listen(), before=before, baseline=used)


def _audited(selection: Selection) -> Results:
    return ((case, audit_case(case)) for case in selection.cases)


def _accounted(selection: Selection, settings: Settings) -> tuple[Settings, BaselineUse | None]:
    """Return settings whose baseline is up to date, where that is asked for, and how the cases compare with it."""
    policy = settings.policy
    if policy.baseline is None:
        return settings, None
    judged = [(result, tuple(violations(result, policy_for(case, policy)))) for case, result in _audited(selection)]
    baseline, used = account(judged, policy.baseline, whole=selection.whole, update=settings.update_baseline)
    return replace(settings, policy=replace(policy, baseline=baseline)), used


def _report(results: Results, selection: Selection, settings: Settings, listener: Listener, **compared: Any) -> Report:
    """Settle results, let the listener hear them, and return the whole; ``compared`` is what it stands beside."""
    started = time.perf_counter()
    ids = tuple(case.id for case in selection.cases)
    listener.start(Plan(version=__version__, command=settings.command, seed=selection.seed, cases=ids))
    found: list[CaseResult] = []
    interrupted = False
    try:
        with closing(_settled(results, selection, settings)) as settled:
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
        networks=selection.networks,
        tried=selection.tried,
        **compared,
    )
    listener.finish(report)
    return report


def _conditions(found: list[CaseResult]) -> tuple[Condition, ...]:
    """Return what separates failing from passing cases."""
    from gradverify.checks.conditions import conditions_of  # noqa: PLC0415  audit has none

    return conditions_of(found)


def _settled(results: Results, selection: Selection, settings: Settings) -> Generator[CaseResult, None, None]:
    """Yield final verdicts; after the first bad one with ``fail_fast``, the rest as skips."""
    ended = 0
    with closing(results) as incoming:
        for case, result in incoming:
            settled = _with_evidence(case, settle(result, policy_for(case, settings.policy)), settings)
            ended += 1
            yield settled
            if settings.fail_fast and settled.verdict not in _HARMLESS:
                break
    for case in selection.cases[ended:]:
        yield case.result(Verdict.SKIP, NOT_RUN)


def _with_evidence(case: Case, result: CaseResult, settings: Settings) -> CaseResult:
    """Return a result with the command that gives it again where it is bad, and without arrays where it is not."""
    if result.verdict in _HARMLESS:
        return replace(result, arrays={})
    return replace(result, reproduce=settings.reproduce(case) if settings.reproduce else None)


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
