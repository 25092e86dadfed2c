"""What is wrong with a file before anything runs, as plain values; and how places are written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Problem", "ProblemKind", "place_of"]


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
        return f"{self.place}: {self.message}" if self.place else self.message

    @property
    def place(self) -> str:
        """``file:line:column``, as editors read it."""
        return place_of(self.file, self.line, self.column)


def place_of(file: str, line: int, column: int = 0) -> str:
    """Return ``file:line:column``; without the column, or both, where they are 0: a model has no lines."""
    if not line:
        return file
    return f"{file}:{line}:{column}" if column else f"{file}:{line}"
