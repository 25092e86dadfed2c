"""Executors: ordered maps of "run this job", which know nothing of what a job is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.errors import UsageError, nearest_name

if TYPE_CHECKING:
    from gradverify.execution.jobs import Executor

__all__ = ["EXECUTORS", "executor"]

# Where each executor is, to load on use: a new one is one file and one row.
EXECUTORS = {
    "processes": "gradverify.execution.processes:Processes",
    "serial": "gradverify.execution.serial:Serial",
}


def executor(name: str, workers: int) -> Executor:
    """Make an executor.

    Parameters
    ----------
    name
        A name of the table EXECUTORS.
    workers
        The largest number of jobs to run at a time, at least 1.

    Raises
    ------
    UsageError
        There is no such executor, or fewer than one worker is asked for.
    """
    from gradverify.execution.calling import resolve  # noqa: PLC0415  the workers' boot goes without it

    if name not in EXECUTORS:
        raise UsageError(f"no executor is called {name!r}: {nearest_name(name, tuple(EXECUTORS))}")
    if workers < 1:
        raise UsageError(f"{workers} workers cannot run anything: expected at least 1")
    made: Executor = resolve(EXECUTORS[name])(workers)
    return made
