"""The executor of the product: worker processes, for jobs that are known at once or come one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.execution.jobs import Done, Interrupted, Job, Lost
from gradverify.execution.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["OnCall", "Processes"]


class Processes:
    """Run the jobs in other processes.

    Parameters
    ----------
    workers
        The largest number of processes at a time.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(self, function: str, jobs: Sequence[Job]) -> Generator[Done | Lost, None, None]:
        """Call the function with the payload of every job, each job in one of the worker processes.

        The first worker starts now, the others when the first outcome is asked for.

        Parameters
        ----------
        function
            ``module:callable``, imported by the workers only.
        jobs
            The calls to make.
        """
        workers = min(self._workers, max(1, len(jobs)))
        supervisor = Supervisor(function, workers, sharers=workers)
        for position, job in enumerate(jobs):
            supervisor.add(position, job)
        outcomes = _outcomes(supervisor, len(jobs))
        next(outcomes)
        return outcomes


def _outcomes(supervisor: Supervisor, many: int) -> Generator[Done | Lost, None, None]:
    """Yield one placeholder once the first worker starts, then every outcome."""
    try:
        supervisor.staff(1)
        yield Lost("not begun", 0.0, "")
        for position in range(many):
            yield supervisor.outcome(position)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(supervisor.outcomes) from interrupt
    finally:
        supervisor.stop()


class OnCall:
    """Workers that stay from one job to the next, where not all jobs are known from the start.

    Parameters
    ----------
    function
        ``module:callable``, as above.
    workers
        The largest number of processes at a time.
    sharers
        How many processes share the memory of the machine, those of others included.
    """

    def __init__(self, function: str, workers: int, sharers: int) -> None:
        self._supervisor = Supervisor(function, workers, sharers, lasting=True)
        self._asked = 0

    def ask(self, job: Job) -> int:
        """Let a job wait for a worker, and return its number; it begins when an outcome is waited for."""
        self._asked += 1
        self._supervisor.add(self._asked, job)
        return self._asked

    def outcome(self, number: int) -> Done | Lost:
        """Wait for the outcome of a job, and hand it out once; other jobs go on meanwhile."""
        return self._supervisor.outcome(number)

    def close(self) -> None:
        """Abandon what waits or runs, and leave no process."""
        self._supervisor.stop()
