"""Ends what the workers of a run left running; and a tiny process that does so when gradverify itself is killed.

Every worker has the token of its run in its environment, and so has whatever it starts, also in a session of its own.
The keeper runs this file as a script, without the package or anything outside the standard library:
``python -I -S keeper.py TOKEN``, with the numbers of workers that start (``+12``) and end (``-12``) on its stdin. When
that ends, gradverify is gone.
"""

from __future__ import annotations

import os
import signal
import sys
from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["carriers", "end_all", "end_group"]


def carriers(token: bytes) -> list[int]:
    """Return the processes whose environment carries a token; none where the platform does not show it."""
    try:
        with os.scandir("/proc") as entries:
            numbers = [int(entry.name) for entry in entries if entry.name.isdigit()]
    except OSError:
        return []
    return [number for number in numbers if number != os.getpid() and token in _environment(number)]


def _environment(process: int) -> bytes:
    """Return the environment a process was started with; nothing where it is gone, or somebody else's."""
    try:
        with open(f"/proc/{process}/environ", "rb") as file:  # noqa: PTH123  pathlib would be most of the start-up
            return file.read()
    except OSError:
        return b""


def end_group(number: int) -> None:
    """Kill a worker with its session."""
    _kill(os.killpg, number)


def end_all(token: bytes, seconds: float = 0.5) -> None:
    """Kill whatever carries a token, again and again: some start others while they die."""
    limit = monotonic() + seconds
    while (left := carriers(token)) and monotonic() < limit:
        for process in left:
            _kill(os.kill, process)
        sleep(0.005)


def _kill(how: Callable[[int, int], None], number: int) -> None:
    try:
        how(number, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _main() -> None:
    """Wait until gradverify is gone, and end what it left."""
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        number = int(line)
        (groups.add if number > 0 else groups.discard)(abs(number))
    for number in groups:
        end_group(number)
    end_all(os.fsencode(sys.argv[1]), 5.0)


if __name__ == "__main__":
    _main()
