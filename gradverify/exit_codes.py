"""The exit codes, each in one place: pytest's where it has one, and those of ``sysexits.h`` and of shells."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a command says to whoever started it."""

    PASS = 0
    FAIL = 1  # or inconclusive
    USAGE = 2  # or an invalid spec: nothing was run
    ERROR = 3  # the code under test
    EMPTY = 5
    INTERNAL = 70
    UNWRITTEN = 74  # a report, where all passes
    INTERRUPTED = 130
    BROKEN_PIPE = 141
