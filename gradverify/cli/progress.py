"""A live progress line on stderr, when it is a terminal: how many cases are done, and how long the rest will take."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from gradverify.pipeline import Listener
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["ProgressLine"]

_WIDTH = 24
_CLEAR = "\r\x1b[2K"


class ProgressLine:
    """Listens in front of another listener: takes its line away before that one writes, and draws it again after.

    Parameters
    ----------
    inner
        The listener that writes the report, perhaps to the same terminal.
    stream
        Where the line goes.
    quiet
        Whether to draw nothing at all.
    """

    def __init__(self, inner: Listener, stream: TextIO, *, quiet: bool = False) -> None:
        self._inner = inner
        self._stream = stream
        self._shown = stream.isatty() and not quiet
        self._done = self._total = 0
        self._started = time.monotonic()

    def start(self, plan: Plan) -> None:
        """Begin."""
        self._total = len(plan.cases)
        self._started = time.monotonic()
        self._inner.start(plan)
        self._draw()

    def case(self, result: CaseResult) -> None:
        """Advance by one case."""
        self._clear()
        self._inner.case(result)
        self._done += 1
        self._draw()

    def finish(self, report: Report) -> None:
        """Take the line away."""
        self._clear()
        self._inner.finish(report)

    def _clear(self) -> None:
        if self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def _draw(self) -> None:
        if not self._shown or self._done >= self._total:
            return
        filled = _WIDTH * self._done // self._total
        bar = "#" * filled + "." * (_WIDTH - filled)
        self._stream.write(f"{_CLEAR}[{bar}] {self._done}/{self._total} {self._remaining()}")
        self._stream.flush()

    def _remaining(self) -> str:
        if not self._done:
            return ""
        seconds = (time.monotonic() - self._started) / self._done * (self._total - self._done)
        return f"ETA {int(seconds) // 60}:{int(seconds) % 60:02d}"
