"""The side of a worker: a fresh interpreter that answers one job after the other.

User code runs here, so nothing of it is trusted to come back: whatever it raises, prints, closes or returns,
the answer is a pickled tuple of plain values on a pipe of which user code does not know.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
from contextlib import suppress
from importlib import import_module
from threading import Thread
from time import perf_counter, sleep
from typing import TYPE_CHECKING, BinaryIO

from gradverify.errors import describe_error, explain_error
from gradverify.execution.calling import resolve
from gradverify.execution.channel import GREETING, read_frame, write_frame
from gradverify.execution.limit import limited
from gradverify.execution.surroundings import Surroundings
from gradverify.targets.guard import WITNESSES

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["main"]

_LARGEST_CAPTURE = 16 * 2**20
_PR_SET_PDEATHSIG = 1


class _Streams:
    """The standard streams as user code sees them: nothing to read, and a file that keeps what is written.

    Parameters
    ----------
    capture
        Descriptor of that file.
    """

    def __init__(self, capture: int) -> None:
        self._capture = capture
        self._nothing = os.open(os.devnull, os.O_RDONLY)
        self.point()
        self._input = _nothing_to_read()
        self._texts = (_text(1), _text(2))

    def point(self) -> None:
        """Let the descriptors 0, 1 and 2 lead where they should."""
        os.dup2(self._nothing, 0)
        os.dup2(self._capture, 1)
        os.dup2(self._capture, 2)

    def reset(self) -> None:
        """Undo what the last job did to the streams, and forget what it printed."""
        self.point()
        self._texts = (_open(self._texts[0], 1), _open(self._texts[1], 2))
        sys.stdout, sys.stderr = self._texts
        self._input = _nothing_to_read() if self._input.closed else self._input
        sys.stdin = self._input
        self.empty()

    def empty(self) -> None:
        """Forget what was printed."""
        os.ftruncate(self._capture, 0)
        os.lseek(self._capture, 0, os.SEEK_SET)

    def flush(self) -> None:
        """Let the file have everything that was printed."""
        for text in self._texts:
            with suppress(OSError, ValueError):
                text.flush()

    def report_crashes(self) -> None:
        """Let a crash, and a signal sent before a late worker is killed, say which line was running."""
        faulthandler.enable(self._capture, all_threads=False)
        if hasattr(faulthandler, "register"):
            faulthandler.unregister(signal.SIGUSR1)
            faulthandler.register(signal.SIGUSR1, self._capture, all_threads=False)

    def limit(self) -> None:
        """Keep a job that never stops printing from filling the disk."""
        if os.fstat(self._capture).st_size > _LARGEST_CAPTURE:
            self.empty()


def _text(descriptor: int) -> TextIO:
    """Open a descriptor for text; by lines, so that a crash leaves the last one behind."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _nothing_to_read() -> TextIO:
    return open(0, encoding="utf-8", closefd=False)


def _open(text: TextIO, descriptor: int) -> TextIO:
    """Return the text stream, or a new one when user code closed it."""
    return _text(descriptor) if text.closed else text


def main(function: str, parent: int, bound: bool, search_path: tuple[str, ...]) -> None:
    """Answer jobs until the other side goes.

    Parameters
    ----------
    function
        ``module:callable``, called with the payload of every job.
    parent
        Process number of who started this.
    bound
        Whether to die with the thread that started this.
    search_path
        Folders to put in front of ``sys.path``.
    """
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    streams = _Streams(os.dup(2))
    _die_with(parent, bound)
    Thread(target=_watch, args=(parent, streams), daemon=True).start()
    streams.report_crashes()
    # Loaded now, our modules are not on the clock of a job, and no module of the user shadows theirs.
    with suppress(Exception):
        import_module(function.partition(":")[0])
        if "numpy" in sys.modules:  # NumPy loads this on use: the first job shall find it seeded like the others
            import_module("numpy.random")
    sys.path[:0] = search_path
    answers.write(GREETING)
    answers.flush()
    _serve(function, search_path, streams, (jobs, answers))
    # Threads and exit handlers of user code have no say in this.
    os._exit(0)


def _serve(function: str, search_path: tuple[str, ...], streams: _Streams, pipes: tuple[BinaryIO, BinaryIO]) -> None:
    """Answer every job that comes."""
    jobs, answers = pipes
    own = os.getpid()
    surroundings = Surroundings(streams.report_crashes)
    WITNESSES.append(surroundings)
    while (job := read_frame(jobs)) is not None:
        streams.reset()
        surroundings.begin()
        answer = _answer(function, job, search_path)
        if os.getpid() != own:  # user code forked, and the copy came back here
            os._exit(0)
        streams.flush()
        write_frame(answers, pickle.dumps((surroundings.end(), answer)))


def _answer(function: str, job: bytes, search_path: tuple[str, ...]) -> bytes:
    """Run one job; returns the pickle of (True, value, seconds) or of (False, reason, seconds)."""
    started = perf_counter()
    try:
        with limited(int.from_bytes(job[:8], "big")):
            returned, value = _called(function, job[8:], search_path)
    except MemoryError:  # not even enough was left to say so
        returned, value = False, "MemoryError"
    seconds = perf_counter() - started
    try:
        return pickle.dumps((returned, value, seconds))
    except BaseException as error:  # noqa: BLE001  __reduce__ is user code, too
        reason = f"its answer cannot be sent: {describe_error(error)}"
        return pickle.dumps((False, reason, seconds))


def _called(function: str, payload: bytes, search_path: tuple[str, ...]) -> tuple[bool, object]:
    """Return whether the function returned, and what it returned or why it did not."""
    try:
        return True, resolve(function)(pickle.loads(payload))  # noqa: S301  from the process that started this one
    except BaseException as error:  # noqa: BLE001  SystemExit and KeyboardInterrupt of user code end one job
        return False, explain_error(error, search_path)


def _die_with(parent: int, bound: bool) -> None:
    """Leave no orphan, however the parent dies; and let it alone judge Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if bound and sys.platform == "linux":
        import ctypes  # noqa: PLC0415  elsewhere nobody needs it

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked to be told
        os._exit(1)


def _watch(parent: int, streams: _Streams) -> None:
    """Look twice a second whether the parent lives and the disk does not fill."""
    while os.getppid() == parent:
        with suppress(OSError):
            streams.limit()
        sleep(0.5)
    os._exit(1)
