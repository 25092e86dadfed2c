"""Patterns among the names that a command takes: for hooks, CI files and shells that expand none."""

from __future__ import annotations

import os
from glob import glob
from typing import TYPE_CHECKING

from gradverify.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["expanded"]

_SIGNS = "*?["


def expanded(names: Iterable[str]) -> tuple[str, ...]:
    """Return names with patterns in their files' place; none twice.

    Raises
    ------
    UsageError
        Nothing matches a pattern.
    """
    return tuple(dict.fromkeys(file for name in names for file in _files(name)))


def _files(name: str) -> Iterator[str]:
    """Yield what a name stands for, sorted: itself where it exists, for a file may be called ``conv[1].yaml``."""
    if os.path.lexists(name) or not any(sign in name for sign in _SIGNS):
        yield name
        return
    found = sorted(glob(name, recursive=True))  # noqa: PTH207  unlike Path.glob it leaves hidden folders out
    if not found:
        raise UsageError(
            f"no file matches '{name}', expected at least one; * and ** look into no folder that begins with a dot"
        )
    yield from found
