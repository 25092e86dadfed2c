"""The executor of the product: worker processes, and a supervisor that loses one job to a crash."""

from __future__ import annotations

import pickle
from collections import deque
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from gradverify.errors import describe_error
from gradverify.execution.child import Child
from gradverify.execution.jobs import Done, Job, Lost

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["Processes"]

_LONGEST_WAIT = 0.5


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
        outcomes = _outcomes(_Supervisor(function, jobs), self._workers)
        next(outcomes)
        return outcomes


def _outcomes(supervisor: _Supervisor, workers: int) -> Generator[Done | Lost, None, None]:
    """Yield one placeholder once the first worker starts, then every outcome."""
    try:
        supervisor.staff(1)
        yield Lost("not begun", 0.0, "")
        for position in range(len(supervisor.jobs)):
            while position not in supervisor.outcomes:
                supervisor.staff(workers)
                supervisor.step()
            yield supervisor.outcomes.pop(position)
    finally:
        supervisor.stop()


class _Supervisor:
    """What is waiting, who is working, and what has come back.

    Parameters
    ----------
    function
        ``module:callable``.
    jobs
        The calls to make.
    """

    def __init__(self, function: str, jobs: Sequence[Job]) -> None:
        self.function = function
        self.jobs = jobs
        self.outcomes: dict[int, Done | Lost] = {}
        self._inbox: SimpleQueue[tuple[Child, bytes | None]] = SimpleQueue()
        self._children: list[Child] = []
        # Positions by search path; a path leaves when nothing waits for it.
        self._waiting: dict[tuple[str, ...], deque[int]] = {}
        for position, job in enumerate(jobs):
            self._waiting.setdefault(job.search_path, deque()).append(position)

    def staff(self, workers: int) -> None:
        """Start workers while jobs wait for one."""
        while len(self._children) < workers and (path := self._understaffed()) is not None:
            self._children.append(Child(self.function, path, self._inbox))

    def step(self) -> None:
        """Wait for the next thing to happen, and deal with it."""
        nearest = min(child.deadline for child in self._children) - monotonic()
        try:
            self._receive(*self._inbox.get(timeout=min(max(nearest, 0.0), _LONGEST_WAIT)))
        except Empty:
            self._bury()
        # Who answered in time is not late, however long the caller took to come back for the outcome.
        while not self._inbox.empty():
            self._receive(*self._inbox.get())
        self._stop_late()

    def stop(self) -> None:
        """Kill every worker."""
        for child in self._children[:]:
            self._dismiss(child)

    def _understaffed(self) -> tuple[str, ...] | None:
        """Return the first search path with more jobs waiting than workers booting."""
        for path, positions in self._waiting.items():
            booting = sum(1 for child in self._children if child.search_path == path and not child.ready)
            if len(positions) > booting:
                return path
        return None

    def _receive(self, child: Child, frame: bytes | None) -> None:
        """Deal with what a worker said, unless it was killed meanwhile."""
        if child not in self._children:
            return
        if frame is None:
            self._lose(child, child.end())
            return
        if child.position is None:
            child.ready = True
        else:
            self.outcomes[child.position] = _outcome(frame, child)
        self._feed(child)

    def _feed(self, child: Child) -> None:
        """Give a worker its next job, or dismiss it."""
        while (position := self._take(child.search_path)) is not None:
            job = self.jobs[position]
            try:
                content = pickle.dumps(job.payload)
            except Exception as error:  # noqa: BLE001  __reduce__ may raise anything
                reason = f"the job cannot be sent: {describe_error(error)}"
                self.outcomes[position] = Lost(reason, 0.0, "")
                continue
            child.begin(position, content, job.timeout)
            return
        self._dismiss(child)

    def _take(self, path: tuple[str, ...]) -> int | None:
        """Take the next position that waits for a search path."""
        positions = self._waiting.get(path)
        if positions is None:
            return None
        position = positions.popleft()
        if not positions:
            del self._waiting[path]
        return position

    def _bury(self) -> None:
        """Find the dead whose pipe a process of theirs still holds open."""
        for child in self._children[:]:
            if child.is_dead():
                self._lose(child, child.end())

    def _stop_late(self) -> None:
        """Kill the workers that are past their deadline."""
        now = monotonic()
        for child in self._children[:]:
            if now >= child.deadline:
                child.dump_stack()
                self._lose(child, _lateness(child))

    def _lose(self, child: Child, reason: str) -> None:
        """Give up a worker and its job; one that never got ready takes the next job, or there is no end."""
        seconds = monotonic() - child.begun
        position = self._take(child.search_path) if child.position is None else child.position
        if position is not None:
            self.outcomes[position] = Lost(reason, seconds, child.output())
        self._dismiss(child)

    def _dismiss(self, child: Child) -> None:
        """Kill a worker."""
        child.stop()
        self._children.remove(child)


def _lateness(child: Child) -> str:
    """Say what a worker is late with."""
    if child.ready:
        return f"timed out after {child.limit:g} s"
    return f"a worker process was not ready within {child.limit:g} s"


def _outcome(frame: bytes, child: Child) -> Done | Lost:
    """Read the answer of a worker."""
    try:
        returned, value, seconds = pickle.loads(frame)  # noqa: S301  from a process of our own
    except Exception as error:  # noqa: BLE001  the value may need what only the worker has
        reason = f"its answer cannot be read: {describe_error(error)}"
        return Lost(reason, monotonic() - child.begun, child.output())
    return Done(value, seconds) if returned else Lost(value, seconds, child.output())
