"""Run every case of a selection, in workers, and report."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.checks.geometry import known_geometry
from gradverify.execution import executor
from gradverify.execution.jobs import Done, Interrupted, Job, Lost
from gradverify.pipeline.running import reported
from gradverify.results import CaseResult, Report, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from gradverify.pipeline.running import Listener, Results, Settings
    from gradverify.pipeline.selecting import Selection
    from gradverify.spec.model import Case

__all__ = ["VERIFY_CASE", "job_of", "result_of", "verify"]

# Named, not imported: the function runs in a worker, and this process need not load numpy for it.
VERIFY_CASE = "gradverify.checks.case:verify"


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
    cases = [replace(case, keep=settings.keep, near=settings.near) for case in selection.cases]
    jobs = [job_of(case) for case in cases]
    outcomes = executor(settings.executor, settings.workers).run(VERIFY_CASE, jobs)
    return reported(_results(selection.cases, outcomes), selection, settings, listen())


def _results(cases: tuple[Case, ...], outcomes: Generator[Done | Lost, None, None]) -> Results:
    """Yield what became of every case; when that is interrupted, what has finished out of turn before going on."""
    with closing(outcomes):
        try:
            for case, outcome in zip(cases, outcomes, strict=True):
                yield case, result_of(case, outcome)
        except KeyboardInterrupt as interrupt:
            finished = interrupt.outcomes if isinstance(interrupt, Interrupted) else {}
            for position, outcome in sorted(finished.items()):
                yield cases[position], result_of(cases[position], outcome)
            raise


def job_of(case: Case) -> Job:
    """Return the verification of a case as a job."""
    return Job(case, case.search_path, case.timeout, case.memory, case.home)


def result_of(case: Case, outcome: Done | Lost) -> CaseResult:
    """Return what was found about a case; an error with the last lines that were printed."""
    if isinstance(outcome, Lost):
        known = {"seconds": outcome.seconds, "geometry": known_geometry(case), "cause": outcome.cause}
        found = case.result(Verdict.ERROR, outcome.reason, **known)
    else:
        found = outcome.value
    if found.verdict is not Verdict.ERROR or not outcome.output:
        return found
    return replace(found, reason=f"{found.reason}\n{outcome.output}")
