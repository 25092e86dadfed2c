"""What a worker printed last, with the stack that a crash or a signal made it print."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

__all__ = ["Printed"]

_LINES = 10
_STACK = "Stack (most recent call first):"
_CALL = re.compile(r' {2}File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')
# gradverify, the import system, and what starts a worker.
_PACKAGES = (str(Path(__file__).resolve().parents[1]), str(Path(importlib.__file__).parent))
_OURS = (*_PACKAGES, "<frozen importlib", "<string>")


class Printed:
    """The end of what a worker printed.

    Parameters
    ----------
    text
        As it stands in the file.
    search_path
        The folders of the user's code.
    """

    def __init__(self, text: str, search_path: tuple[str, ...]) -> None:
        lines = text.rstrip().splitlines()
        start = len(lines) - lines[::-1].index(_STACK) if _STACK in lines else len(lines)
        calls = [line for line in lines[start:] if _CALL.match(line)]
        self._before, self._calls = lines[:start], calls
        self._users = [line for line in calls if search_path and _file(line).startswith(search_path)]

    def text(self) -> str:
        """Return the last lines; of a stack the innermost calls, ours only where there are no others."""
        if not self._calls:
            return "\n".join(self._before[-_LINES:])
        others = [line for line in self._calls if not _file(line).startswith(_OURS)]
        shown = others if self._users else self._calls
        return "\n".join(self._before[-(_LINES // 2) :] + shown[:_LINES])

    def place(self) -> str:
        """Name the innermost line of the user's code in the stack: ``(layers.py, line 3, in forward)``."""
        if not self._users:
            return ""
        calls = [found for line in self._users if (found := _CALL.match(line))]
        inner = calls[0]
        call = "" if inner["name"] == "<module>" else f", in {inner['name']}"
        importing = ", while importing" if any(found["name"] == "<module>" for found in calls) else ""
        return f" ({inner['file']}, line {inner['line']}{call}{importing})"


def _file(line: str) -> str:
    found = _CALL.match(line)
    return found["file"] if found else ""
