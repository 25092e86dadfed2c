"""Verify cases one at a time, as somebody else asks for them, in workers that stay from one to the next."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from gradverify.execution.processes import OnCall
from gradverify.pipeline.running import judged
from gradverify.pipeline.verifying import VERIFY_CASE, job_of, result_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradverify.pipeline.running import Settings
    from gradverify.results import CaseResult
    from gradverify.spec.model import Case

__all__ = ["OneByOne"]


class OneByOne:
    """Gives the results of cases in any order, each as often as it is asked for.

    Parameters
    ----------
    settings
        How they run.
    beside
        How many others verify on this machine at the same time, this one included: they share its memory.
    """

    def __init__(self, settings: Settings, beside: int = 1) -> None:
        self._settings = settings
        self._workers = OnCall(VERIFY_CASE, settings.workers, settings.workers * beside)
        # Cases have the same id in specs of the same name; a run of one spec twice asks for two results.
        self._ahead: dict[tuple[str, str], deque[int]] = {}

    def announce(self, cases: Iterable[Case]) -> None:
        """Let cases run ahead that will be asked for, each once for every time it is announced."""
        for case in cases:
            self._ahead.setdefault((case.spec, case.id), deque()).append(self._workers.ask(job_of(case)))

    def result(self, case: Case) -> CaseResult:
        """Return the final result of a case, announced or not."""
        numbers = self._ahead.get((case.spec, case.id))
        number = numbers.popleft() if numbers else self._workers.ask(job_of(case))
        return judged(case, result_of(case, self._workers.outcome(number)), self._settings)

    def close(self) -> None:
        """Abandon what was announced and not asked for, and leave no process."""
        self._workers.close()
