"""The executor without processes: one job after the other, here."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from gradverify.errors import explain_error
from gradverify.execution.calling import resolve
from gradverify.execution.jobs import Done, Job, Lost
from gradverify.results import Cause

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

__all__ = ["Serial"]


class Serial:
    """Run the jobs in this process; for debugging and tests.

    Timeouts are not enforced, and a crash is everyone's.

    Parameters
    ----------
    workers
        Accepted for the sake of the table; there is one place to run.
    """

    def __init__(self, workers: int = 1) -> None:
        del workers

    def run(self, function: str, jobs: Sequence[Job]) -> Generator[Done | Lost, None, None]:
        """Call the function with the payload of every job, when its outcome is asked for.

        Parameters
        ----------
        function
            ``module:callable``.
        jobs
            The calls to make.
        """
        for job in jobs:
            yield _outcome(function, job)


def _outcome(function: str, job: Job) -> Done | Lost:
    """Run one job."""
    started = perf_counter()
    try:
        with _in_front(job.search_path):
            value = resolve(function)(job.payload)
    except (Exception, SystemExit) as error:  # noqa: BLE001  user code may raise anything; Ctrl-C is not its own
        return Lost(explain_error(error, job.search_path), perf_counter() - started, "", Cause.RAISED)
    return Done(value, perf_counter() - started)


@contextmanager
def _in_front(search_path: tuple[str, ...]) -> Iterator[None]:
    """Put folders in front of ``sys.path``; afterwards it is what it was."""
    before = sys.path[:]
    sys.path[:0] = search_path
    try:
        yield
    finally:
        sys.path[:] = before
