"""How much memory there is, and how much a worker takes with all it started."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["share", "usage"]

_MIB = 2**20
# What is left to the rest of the machine, and to gradverify.
_USABLE = 0.8
_GROUPS, _MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def share(workers: int) -> int:
    """Return how many MiB one of several workers may take, 0 where nobody knows how much memory there is."""
    known = [size for size in (_physical(), *_group_limits()) if size]
    return int(_USABLE * min(known) / workers / _MIB) if known else 0


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _group_limits() -> Iterator[int]:
    """Yield the limits of the control groups we are in, of both versions, and of the groups around them."""
    with suppress(OSError):
        for line in _MEMBERSHIP.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                yield from _limits_upwards(_GROUPS, path, "memory.max")
            elif "memory" in controllers.split(","):
                yield from _limits_upwards(_GROUPS / "memory", path, "memory.limit_in_bytes")


def _limits_upwards(root: Path, path: str, name: str) -> Iterator[int]:
    folder = root / path.lstrip("/")
    for place in (folder, *folder.parents):
        with suppress(OSError, ValueError):  # not there, or "max"
            yield int((place / name).read_text(encoding="ascii"))
        if place == root:
            return


def usage(process: int, limit: int) -> int:
    """Return how many MiB a process and its descendants take, 0 where the platform does not show it.

    What several of them share is counted once where that decides whether they are above the limit.
    """
    family = list(_family(process))
    resident = sum(map(_resident, family))
    if resident > limit and len(family) > 1:
        resident = sum(map(_proportional, family))
    return resident


def _family(process: int) -> Iterator[int]:
    yield process
    with suppress(OSError):
        for task in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208  five times a second
            for child in _read(f"/proc/{process}/task/{task}/children").split():
                yield from _family(int(child))


def _resident(process: int) -> int:
    numbers = _read(f"/proc/{process}/statm").split()
    return int(numbers[1]) * os.sysconf("SC_PAGE_SIZE") // _MIB if numbers else 0


def _proportional(process: int) -> int:
    for line in _read(f"/proc/{process}/smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) // 1024
    return 0


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # no such platform, or no such process any more
        return b""
