"""What varies over the cases of one name, as plain values: one for each case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Origin", "Quantity", "columns", "difference"]


class Origin(IntEnum):
    """Where a quantity comes from, the simplest first."""

    OWN = 0
    SHAPE = 1
    WINDOW = 2
    COUNT = 3
    LENGTH = 4


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing that varies over the cases.

    Attributes
    ----------
    name
        As it stands in a condition: ``stride``, ``H'``.
    origin
        Where it comes from.
    values
        One for each case: finite numbers, or texts, or, where there are words, whether they are true.
    words
        What is said of the cases where it is true, and of those where it is not.
    """

    name: str
    origin: Origin
    values: tuple[Any, ...]
    words: tuple[str, str] | None = None


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Return the values by name, of the names that every row has."""
    return {name: tuple(row[name] for row in rows) for name in rows[0] if all(name in row for row in rows)}


def difference(names: Sequence[str], columns: Sequence[tuple[Any, ...]]) -> Quantity:
    """Return whether two quantities differ."""
    differ = tuple(first != second for first, second in zip(*columns, strict=True))
    words = f"{names[0]} != {names[1]}", f"{names[0]} = {names[1]}"
    return Quantity(words[0], Origin.SHAPE, differ, words)
