"""How much memory a job may take, how much it takes, and the limit on it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MIB", "limited", "share", "usage"]

MIB = 2**20
# What is left to the rest of the machine, and to gradverify.
_USABLE = 0.8
_GROUPS = Path("/sys/fs/cgroup")


def share(workers: int) -> int:
    """Return how many MiB one of several workers may take, 0 where nobody knows how much memory there is."""
    known = [size for size in (_physical(), *_group_limits()) if size]
    return int(_USABLE * min(known) / workers / MIB) if known else 0


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _group_limits() -> Iterator[int]:
    """Yield the limits of the control groups we are in, of both versions, and of the groups around them."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
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


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Let this process have no more than so many MiB of its own; 0 is no limit.

    The limit is one on data, not on addresses: CUDA and jax reserve far more of those than they use.
    """
    if not size or sys.platform == "win32":
        yield
        return
    import resource  # noqa: PLC0415  not on Windows

    before, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = size * MIB if hard == resource.RLIM_INFINITY else min(size * MIB, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):  # user code lowered the hard one, too: its worker is replaced for that
            resource.setrlimit(resource.RLIMIT_DATA, (before, resource.getrlimit(resource.RLIMIT_DATA)[1]))


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
    return int(numbers[1]) * os.sysconf("SC_PAGE_SIZE") // MIB if numbers else 0


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
