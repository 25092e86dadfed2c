"""The supervisor's side of one worker: start it, send it jobs, hear of its end, read what it printed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from itertools import count
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from gradverify.execution.channel import GREETING, read_frame, write_frame
from gradverify.execution.keeper import end_group
from gradverify.execution.printed import Printed

if TYPE_CHECKING:
    from queue import SimpleQueue
    from typing import Any

__all__ = ["Child"]

BOOT_SECONDS = 60.0

# The package is found where this process found it, installed or not; sys.path stays what it is without us.
_BOOT = """\
import sys
root, function, parent, bound, *search_path = sys.argv[1:]
del sys.argv[1:]
sys.path.insert(0, root)
from gradverify.execution.worker import main
del sys.path[0]
main(function, int(parent), bound == "bound", tuple(search_path))
"""

_ROOT = str(Path(__file__).resolve().parents[2])

_NUMBERS = count()

_ENVIRONMENT = {
    # Workers side by side, each with a thread for every core, are about ten times slower.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    # Big arrays come and go: without these, page faults take most of the time. The first is glibc's largest.
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}

COOKIE = "GRADVERIFY_WORKER"

_TAIL_BYTES = 8192
# How long a process may take to end that has let go of its pipes.
_FAREWELL = 0.3


class Child:
    """One worker process.

    Parameters
    ----------
    function
        ``module:callable``, what it runs.
    search_path
        The folders of its user code: it runs jobs of this search path only.
    inbox
        Where the frames it sends go, each with the child itself; None says that it is gone.
    token
        What its environment and that of all it starts carries.
    """

    def __init__(
        self, function: str, search_path: tuple[str, ...], inbox: SimpleQueue[tuple[Child, bytes | None]], token: str
    ) -> None:
        self.search_path = search_path
        self.token = f"{token}.{next(_NUMBERS)}."
        self.home: str | None = None
        self.worn = False
        self.memory = 0
        self.ready = False
        self.position: int | None = None
        self.begun = monotonic()
        self.limit = BOOT_SECONDS
        self._capture = tempfile.TemporaryFile()  # noqa: SIM115  closed by stop
        self._process = _start(function, search_path, self._capture.fileno(), self.token)
        self._reader = threading.Thread(target=self._read, args=(inbox,), daemon=True)
        self._reader.start()

    @property
    def number(self) -> int:
        """The number of its process, and of its group."""
        return self._process.pid

    def begin(self, position: int, payload: bytes, timeout: float, memory: int) -> None:
        """Send a job with its limits, in seconds and MiB; its clock runs from here."""
        self.position = position
        self.begun = monotonic()
        self.limit = timeout
        self.memory = memory
        # A worker that died while it was idle: its end is in the inbox already.
        with suppress(OSError):
            write_frame(self._process.stdin, memory.to_bytes(8, "big") + payload)  # type: ignore[arg-type]  # a pipe

    def rest(self) -> None:
        """Wait for a job without a clock."""
        self.position = None
        self.limit = inf
        self.memory = 0

    @property
    def at_rest(self) -> bool:
        """Whether it waits for a job."""
        return self.ready and self.position is None

    @property
    def deadline(self) -> float:
        """When it is late, on the clock of ``time.monotonic``."""
        return self.begun + self.limit

    def is_dead(self) -> bool:
        """Say whether the process has ended."""
        return self._process.poll() is not None

    def end(self) -> str:
        """Say how the process ended."""
        try:
            status = self._process.wait(timeout=_FAREWELL)
        except subprocess.TimeoutExpired:
            return "the process closed its connection to gradverify"
        if status >= 0:
            return f"the process ended with exit status {status}"
        return f"the process was killed by {_signal_name(-status)}"

    def is_stopped(self) -> bool:
        """Say whether somebody stopped the process: it does not even print where it is."""
        with suppress(OSError):
            return Path(f"/proc/{self.number}/stat").read_text(encoding="utf-8").rpartition(") ")[2].startswith("T")
        return False

    def dump_stack(self) -> None:
        """Let a worker that is about to be killed print which line it is at."""
        if hasattr(signal, "SIGUSR1") and self.ready and not self.is_dead():
            self._process.send_signal(signal.SIGUSR1)
            sleep(0.02)  # time to print it; nothing says when that is done

    def printed(self) -> Printed:
        """Return the last lines the worker printed since it began its job."""
        size = os.fstat(self._capture.fileno()).st_size
        self._capture.seek(max(0, size - _TAIL_BYTES))
        return Printed(self._capture.read(_TAIL_BYTES).decode("utf-8", "replace"), self.search_path)

    def kill(self) -> None:
        """Kill the process with its session."""
        if hasattr(os, "killpg"):
            end_group(self.number)
        else:
            self._process.kill()

    def close(self, seconds: float) -> None:
        """Collect a process that was killed, and leave nothing of it behind."""
        with suppress(subprocess.TimeoutExpired):  # somewhere in the kernel; no reason to wait for it
            self._process.wait(timeout=seconds)
        with suppress(OSError):  # a job half sent
            self._process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked
        # A process that got away may hold the pipe open: no reason to wait for it either.
        self._reader.join(timeout=seconds)
        self._capture.close()

    def _read(self, inbox: SimpleQueue[tuple[Child, bytes | None]]) -> None:
        """Pass on what the worker says, until it says no more."""
        stream: Any = self._process.stdout
        with stream:
            if any(line.endswith(GREETING) for line in stream):
                inbox.put((self, b""))
                while (frame := read_frame(stream)) is not None:
                    inbox.put((self, frame))
        inbox.put((self, None))


def _start(function: str, search_path: tuple[str, ...], capture: int, token: str) -> subprocess.Popen[bytes]:
    """Start a fresh interpreter, with neither the current folder nor that of a script on its path."""
    # The kernel's signal comes when the *thread* that started a process ends: a passing one must not bind.
    bound = "bound" if threading.current_thread() is threading.main_thread() else "free"
    # A gradverify within a worker of another keeps the tokens of both.
    cookie = {COOKIE: f"{os.environ.get(COOKIE, '')}{token}"}
    return subprocess.Popen(  # noqa: S603  this interpreter, with no shell in between
        [sys.executable, "-P", "-c", _BOOT, _ROOT, function, str(os.getpid()), bound, *search_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=capture,
        env={"PYTHONHASHSEED": "0"} | os.environ | _ENVIRONMENT | cookie,
        start_new_session=True,
    )


def _signal_name(number: int) -> str:
    """Name a signal: ``SIGSEGV (segmentation fault)``."""
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    description = signal.strsignal(number)
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"{name} ({description.lower()}{hint})" if description else name
