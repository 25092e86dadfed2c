"""What is wrong with a file before anything runs, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "ProblemKind"]


class ProblemKind(StrEnum):
    """What is wrong with a spec or model."""

    UNREADABLE = "unreadable"
    UNKNOWN_NAME = "unknown-name"
    REPEATED = "repeated"
    MISSING = "missing"
    VALUE = "value"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file before anything runs.

    Parameters
    ----------
    file
        As the user named it; empty where it is no file.
    line, column
        Where, from 1; 0 where it is the file as a whole.
    message
        What, what was expected, the nearest valid name.
    kind
        What sort of mistake it is.
    """

    file: str
    line: int
    column: int
    message: str
    kind: ProblemKind = ProblemKind.VALUE

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.message}" if place else self.message
