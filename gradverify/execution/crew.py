"""The workers of a run, and the certainty that none of them, nor anything they started, outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from gradverify.execution import keeper
from gradverify.execution.child import Child
from gradverify.execution.keeper import end_all

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["Crew"]

# How long a killed process may take to be gone; longer only in the kernel, where nothing reaches it.
_PATIENCE = 0.2


class Crew:
    """The workers of one run."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self._token = os.urandom(8).hex()
        self._keeper: subprocess.Popen[bytes] | None = None

    def hire(self, function: str, search_path: tuple[str, ...], inbox: SimpleQueue[tuple[Child, bytes | None]]) -> None:
        """Start a worker."""
        child = Child(function, search_path, inbox, self._token)
        self.children.append(child)
        self._tell(child.number)

    def watch_over(self) -> None:
        """Have a keeper, once user code is about to run: it ends what is left when this process is killed."""
        if self._keeper is None and os.name == "posix" and any(child.search_path for child in self.children):
            self._keeper = _start_keeper(self._token)
            for child in self.children:
                self._tell(child.number)

    def dismiss(self, child: Child) -> None:
        """Kill a worker and all it started."""
        child.kill()
        if child.search_path:
            end_all(os.fsencode(child.token))
        child.close(_PATIENCE)
        self.children.remove(child)
        self._tell(-child.number)

    def disband(self) -> None:
        """Kill every worker and all they started, together: they are many, and somebody may wait."""
        for child in self.children:
            child.kill()
        if any(child.search_path for child in self.children):
            end_all(os.fsencode(self._token))
        for child in self.children:
            child.close(_PATIENCE)
        self.children.clear()
        if self._keeper is not None:
            _end_keeper(self._keeper)
            self._keeper = None

    def _tell(self, number: int) -> None:
        if self._keeper is not None:
            with suppress(OSError):  # it died; what it was for is done all the same while this process lives
                os.write(self._keeper.stdin.fileno(), b"%+d\n" % number)  # type: ignore[union-attr]  # a pipe


def _start_keeper(token: str) -> subprocess.Popen[bytes] | None:
    """Start a bare interpreter, in a session of its own, that hears from a pipe when this process is gone."""
    try:
        started = subprocess.Popen(  # noqa: S603  this interpreter, with no shell in between
            [sys.executable, "-I", "-S", keeper.__file__, token],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
    except OSError:  # no process to be had: the run goes on without
        return None
    os.set_blocking(started.stdin.fileno(), False)  # type: ignore[union-attr]  # a pipe, as asked
    return started


def _end_keeper(process: subprocess.Popen[bytes]) -> None:
    """Kill the keeper, whose work was done here."""
    process.kill()
    process.wait()
    process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked
