"""From results to a report: settled one by one, heard by a listener, and counted."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from gradverify import __version__
from gradverify.exit_codes import ExitCode
from gradverify.pipeline.settling import Policy, policy_for, settle
from gradverify.results import (
    NOT_PASSED,
    NOT_RUN,
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
    from gradverify.problems import Problem
    from gradverify.spec.model import Case

    Results = Generator[tuple[Case, CaseResult], None, None]

__all__ = ["Listener", "Settings", "judged", "refused", "reported", "settled"]


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
    near
        Whether results show their gradients from near by, which takes passes of its own.
    allow_empty
        Whether nothing to judge is as good as a pass for who reads the exit code.
    """

    command: str
    policy: Policy = field(default_factory=Policy)
    executor: str = "processes"
    workers: int = 1
    fail_fast: bool = False
    keep: bool = False
    reproduce: Callable[[Case], str] | None = None
    update_baseline: bool = False
    near: bool = False
    allow_empty: bool = False


class Listener(Protocol):
    """Hears what happens while it happens; every reporter is one."""

    def start(self, plan: Plan) -> None:
        """Hear what is about to run."""

    def case(self, result: CaseResult) -> None:
        """Hear about one finished case; they come in the order of the spec."""

    def finish(self, report: Report) -> None:
        """Hear the whole."""


def reported(results: Results, selection: Selection, settings: Settings, listener: Listener, **compared: Any) -> Report:
    """Settle results, let the listener hear them, and return the whole; ``compared`` is what it stands beside."""
    started = time.perf_counter()
    ids = tuple(case.id for case in selection.cases)
    listener.start(Plan(version=__version__, command=settings.command, seed=selection.seed, cases=ids))
    found: list[CaseResult] = []
    interrupted = False
    try:
        with closing(settled(results, selection, settings)) as results_settled:
            for result in results_settled:
                found.append(replace(result, arrays={}))
                listener.case(result)
    except KeyboardInterrupt:
        interrupted = True
    verdict = verdict_of(found)
    report = Report(
        version=__version__,
        command=settings.command,
        verdict=verdict,
        exit_code=ExitCode.INTERRUPTED if interrupted else _exit_code(verdict, settings),
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


def _exit_code(verdict: Verdict, settings: Settings) -> ExitCode:
    return ExitCode.PASS if verdict is Verdict.EMPTY and settings.allow_empty else exit_code_of(verdict)


def refused(problems: tuple[Problem, ...], command: str) -> Report:
    """Return the report on specs or models that are wrong: nothing was run."""
    return Report(
        version=__version__,
        command=command,
        verdict=Verdict.ERROR,
        exit_code=ExitCode.USAGE,
        seed=0,
        seconds=0.0,
        counts=counts_of(()),
        cases=(),
        problems=problems,
    )


def _conditions(found: list[CaseResult]) -> tuple[Condition, ...]:
    """Return what separates failing from passing cases."""
    from gradverify.checks.conditions import conditions_of  # noqa: PLC0415  audit has none

    return conditions_of(found)


def settled(results: Results, selection: Selection, settings: Settings) -> Generator[CaseResult, None, None]:
    """Yield final verdicts; after the first bad one with ``fail_fast``, the rest as skips."""
    ended = 0
    with closing(results) as incoming:
        for case, result in incoming:
            final = judged(case, result, settings)
            ended += 1
            yield final
            if settings.fail_fast and final.verdict in NOT_PASSED:
                break
    for case in selection.cases[ended:]:
        yield case.result(Verdict.SKIP, NOT_RUN)


def judged(case: Case, result: CaseResult, settings: Settings) -> CaseResult:
    """Return a result with its final verdict."""
    return _with_evidence(case, settle(result, policy_for(case, settings.policy)), settings)


def _with_evidence(case: Case, result: CaseResult, settings: Settings) -> CaseResult:
    """Return a result with the command that gives it again where it is bad, and without arrays where it is not."""
    if result.verdict not in NOT_PASSED:
        return replace(result, arrays={})
    return replace(result, reproduce=settings.reproduce(case) if settings.reproduce else None)
