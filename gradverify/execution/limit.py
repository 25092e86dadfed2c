"""The limit on the memory of a job, within its worker."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["limited"]

_MIB = 2**20


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
    wanted = size * _MIB if hard == resource.RLIM_INFINITY else min(size * _MIB, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):  # user code lowered the hard one, too: its worker is replaced for that
            resource.setrlimit(resource.RLIMIT_DATA, (before, resource.getrlimit(resource.RLIMIT_DATA)[1]))
