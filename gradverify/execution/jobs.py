"""The words between an executor and its caller: a job goes in, Done or Lost comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gradverify.results import Cause

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

__all__ = ["Done", "Executor", "Interrupted", "Job", "Lost"]


@dataclass(frozen=True, slots=True)
class Job:
    """One call to make.

    Parameters
    ----------
    payload
        The only argument of the function: anything that can be pickled.
    search_path
        Folders to put in front of ``sys.path`` while the job runs, as absolute paths.
    timeout
        Seconds from the moment a worker begins the job, imports of user code included.
    memory
        MiB that its process may take; ``None`` leaves it to the executor.
    home
        Names the modules whose imports the job needs: what they leave behind in a worker stays for jobs of the same
        home only.
    """

    payload: Any
    search_path: tuple[str, ...]
    timeout: float
    memory: int | None = None
    home: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """The function returned.

    Parameters
    ----------
    value
        What it returned.
    seconds
        How long the call took.
    output
        The last lines that its worker printed meanwhile.
    """

    value: Any
    seconds: float
    output: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """The job gave no value.

    Parameters
    ----------
    reason
        Why, in words: ``timed out after 2 s``, ``the process was killed by SIGSEGV (segmentation fault)``.
    seconds
        How long the job had been running.
    output
        The last lines that its worker printed.
    cause
        The same in one word.
    """

    reason: str
    seconds: float
    output: str
    cause: Cause = Cause.DIED


class Interrupted(KeyboardInterrupt):
    """Ctrl-C struck while jobs were running.

    Parameters
    ----------
    outcomes
        Those that had come back and were not asked for yet, by position.
    """

    def __init__(self, outcomes: Mapping[int, Done | Lost]) -> None:
        super().__init__()
        self.outcomes = dict(outcomes)


class Executor(Protocol):
    """An ordered map over jobs."""

    def run(self, function: str, jobs: Sequence[Job]) -> Generator[Done | Lost, None, None]:
        """Call the function with the payload of every job.

        Parameters
        ----------
        function
            ``module:callable``, looked up where the job runs.
        jobs
            The calls to make.

        Returns
        -------
        Generator
            Exactly one outcome for each job, in the order of the jobs. Closing it abandons the rest at once.
        """
        ...
