"""Keeps workers busy with jobs, and loses one job to a crash."""

from __future__ import annotations

import pickle
from collections import deque
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

from gradverify.errors import describe_error
from gradverify.execution.crew import Crew
from gradverify.execution.jobs import Done, Job, Lost
from gradverify.execution.memory import share, usage
from gradverify.execution.states import BOUND, WORN
from gradverify.results import Cause

if TYPE_CHECKING:
    from gradverify.execution.child import Child

__all__ = ["Supervisor"]

_LONGEST_WAIT = 0.2
# Seconds between two looks at the memory of the workers.
_LOOK = 0.2


class Supervisor:
    """What is waiting, who is working, and what has come back.

    Parameters
    ----------
    function
        ``module:callable``, imported by the workers only.
    workers
        The largest number of processes at a time.
    sharers
        How many processes share the memory of the machine: these workers, and those of others beside them.
    lasting
        Whether workers stay when no job waits for them, since more may come.
    """

    def __init__(self, function: str, workers: int, sharers: int, *, lasting: bool = False) -> None:
        self.outcomes: dict[int, Done | Lost] = {}
        self._function = function
        self._workers = workers
        self._sharers = sharers
        self._lasting = lasting
        self._jobs: dict[int, Job] = {}
        self._inbox: SimpleQueue[tuple[Child, bytes | None]] = SimpleQueue()
        self._crew = Crew()
        self._share: int | None = None
        self._looked = monotonic()
        # Positions by search path; a path leaves when nothing waits for it.
        self._waiting: dict[tuple[str, ...], deque[int]] = {}

    def add(self, position: int, job: Job) -> None:
        """Let a job wait for a worker; its outcome gets its position, which no other has."""
        self._jobs[position] = job
        self._waiting.setdefault(job.search_path, deque()).append(position)

    def outcome(self, position: int) -> Done | Lost:
        """Wait for the outcome of a job that was added, and hand it out; who is done meanwhile gets the next job."""
        self._receive_all()
        while position not in self.outcomes:
            self.staff()
            self.step()
        return self.outcomes.pop(position)

    def staff(self, most: int | None = None) -> None:
        """Let workers at rest begin what waits, and start others while jobs wait for one."""
        for child in [child for child in self._crew.children if child.at_rest]:
            self._feed(child)
        limit = self._workers if most is None else most
        while (path := self._understaffed()) is not None and self._has_room(limit):
            self._crew.hire(self._function, path, self._inbox)

    def _has_room(self, limit: int) -> bool:
        """Return whether one more worker may start, for which one at rest that nothing waits for may have to go."""
        resting = next((child for child in self._crew.children if child.at_rest), None)
        if len(self._crew.children) >= limit and resting is not None:
            self._crew.dismiss(resting)
        return len(self._crew.children) < limit

    def step(self) -> None:
        """Wait for the next thing to happen, and deal with it."""
        self._crew.watch_over()
        nearest = min(child.deadline for child in self._crew.children) - monotonic()
        try:
            self._receive(*self._inbox.get(timeout=min(max(nearest, 0.0), _LONGEST_WAIT)))
        except Empty:
            self._bury()
        # Who answered in time is not late, however long the caller took to come back for the outcome.
        self._receive_all()
        self._stop_late()
        self._stop_large()

    def stop(self) -> None:
        """Kill every worker."""
        self._crew.disband()

    def _understaffed(self) -> tuple[str, ...] | None:
        """Return the first search path with more jobs waiting than workers booting."""
        for path, positions in self._waiting.items():
            booting = sum(1 for child in self._crew.children if child.search_path == path and not child.ready)
            if len(positions) > booting:
                return path
        return None

    def _receive_all(self) -> None:
        """Deal with what workers have said already."""
        while not self._inbox.empty():
            self._receive(*self._inbox.get())

    def _receive(self, child: Child, frame: bytes | None) -> None:
        """Deal with what a worker said, unless it was killed meanwhile."""
        if child not in self._crew.children:
            return
        if frame is None:
            self._lose(child, child.end())
            return
        if child.position is None:
            child.ready = True
        else:
            self._take_in(child, child.position, frame)
        self._feed(child)

    def _take_in(self, child: Child, position: int, frame: bytes) -> None:
        """Keep the answer of a worker, and what it says about its own state."""
        state, answer = pickle.loads(frame)  # noqa: S301  from a process of our own
        self.outcomes[position] = _outcome(answer, child)
        child.home = self._jobs[position].home if state == BOUND else None
        child.worn = state == WORN

    def _feed(self, child: Child) -> None:
        """Give a worker its next job, let it rest for those that may come, or dismiss it."""
        while (position := self._take(child)) is not None:
            job = self._jobs[position]
            try:
                content = pickle.dumps(job.payload)
            except Exception as error:  # noqa: BLE001  __reduce__ may raise anything
                reason = f"the job cannot be sent: {describe_error(error)}"
                self.outcomes[position] = Lost(reason, 0.0, "")
                continue
            child.begin(position, content, job.timeout, self._memory(job))
            return
        if self._lasting and not child.worn:
            child.rest()
        else:
            self._crew.dismiss(child)

    def _memory(self, job: Job) -> int:
        """Return the limit of a job: its own, or a share of what there is."""
        if job.memory is None and self._share is None:
            self._share = share(self._sharers)
        return job.memory or self._share or 0

    def _take(self, child: Child) -> int | None:
        """Take the next position that waits for a worker like this."""
        positions = self._waiting.get(child.search_path)
        if positions is None or child.worn or child.home not in {None, self._jobs[positions[0]].home}:
            return None
        return self._next(child.search_path)

    def _next(self, path: tuple[str, ...]) -> int | None:
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
        for child in self._crew.children[:]:
            if child.is_dead():
                self._lose(child, child.end())

    def _stop_late(self) -> None:
        """Kill the workers that are past their deadline."""
        now = monotonic()
        for child in self._crew.children[:]:
            if now >= child.deadline:
                self._lose(child, _lateness(child), Cause.TIMED_OUT)

    def _stop_large(self) -> None:
        """Kill the workers whose processes take more memory than their job may: not all of it obeys the limit."""
        if monotonic() < self._looked + _LOOK:
            return
        for child in self._crew.children[:]:
            if child.memory and usage(child.number, child.memory) > child.memory:
                reason = f"the case used more than {child.memory} MiB of memory"
                self._lose(child, reason, Cause.OUT_OF_MEMORY)
        self._looked = monotonic()

    def _lose(self, child: Child, reason: str, cause: Cause = Cause.DIED) -> None:
        """Give up a worker and its job; one that never got ready takes the next job, or there is no end."""
        seconds = monotonic() - child.begun
        if cause is not Cause.DIED:
            child.dump_stack()
        position = child.position if child.ready else self._next(child.search_path)
        if position is not None:
            printed = child.printed()
            self.outcomes[position] = Lost(reason + printed.place(), seconds, printed.text(), cause)
        self._crew.dismiss(child)


def _lateness(child: Child) -> str:
    """Say what a worker is late with."""
    if not child.ready:
        return f"a worker process was not ready within {child.limit:g} s"
    stopped = ": the process was stopped by a signal" if child.is_stopped() else ""
    return f"timed out after {child.limit:g} s{stopped}"


def _outcome(answer: bytes, child: Child) -> Done | Lost:
    """Read the answer of a worker."""
    output = child.printed().text()
    try:
        returned, value, seconds = pickle.loads(answer)  # noqa: S301  from a process of our own
    except Exception as error:  # noqa: BLE001  the value may need what only the worker has
        reason = f"its answer cannot be read: {describe_error(error)}"
        return Lost(reason, monotonic() - child.begun, output)
    return Done(value, seconds, output) if returned else Lost(value, seconds, output, Cause.RAISED)
