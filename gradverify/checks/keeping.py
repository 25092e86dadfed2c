"""A hand that keeps what it hands out, and knows afterwards what the code changed that is not its own."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.targets.attributes import MISSING
from gradverify.targets.handing import Hand

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Change", "Keeper", "Kind", "is_statistic"]

# What normalizations keep between passes, under the names that people give it; new values are meant there.
_STATISTIC = re.compile(
    r"running|moving|track|average|(^|_)(ema|avg)|^(mean|var|variance|std|mu|sigma2?)s?$", re.IGNORECASE
)
_PLAIN = (str, bytes, int, float, complex, type(None))


class Kind(StrEnum):
    """What something that was handed out is to the code."""

    INPUT = "input"
    COTANGENT = "cotangent"
    PARAMETER = "parameter"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the code changed though it is not its own.

    Attributes
    ----------
    kind, name
        What it is: an input's name, ``dout``, or a path into the parameters.
    by
        ``forward`` or ``backward``.
    entries, size
        How many entries changed, of how many; 0 where it is no array.
    """

    kind: Kind
    name: str
    by: str
    entries: int = 0
    size: int = 0

    def __str__(self) -> str:
        return f"{self.by} changes {f'{self.entries} of {self.size} entries of ' if self.size else ''}{self.name}"


def is_statistic(path: str) -> bool:
    """Return whether something is called as running statistics are."""
    return any(_STATISTIC.search(step) for step in re.split(r"[.\[\]']+", path) if step)


class Keeper(Hand):
    """Hands out copies, and keeps both them and what they were.

    Parameters
    ----------
    inputs, parameters
        Names of the inputs of the case, and of those that an object holds as its parameters.
    """

    def __init__(self, inputs: Collection[str], parameters: Collection[str]) -> None:
        self._inputs, self._parameters = inputs, parameters
        self._arrays: list[tuple[Kind, str, NDArray[Any], NDArray[Any]]] = []
        self._tables: list[tuple[Callable[[], Mapping[str, Any]], Mapping[str, Any]]] = []
        self.changes: list[Change] = []
        self.handed: set[Kind] = set()

    def array(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        if name in self._inputs:
            return self._kept(Kind.PARAMETER if name in self._parameters else Kind.INPUT, name, array)
        return self._kept(Kind.COTANGENT, name, array) if name.startswith("dout") else array.copy()

    def parameter(self, name: str, array: NDArray[Any]) -> NDArray[Any]:
        return self._kept(Kind.PARAMETER, name, array)

    def _kept(self, kind: Kind, name: str, array: NDArray[Any]) -> NDArray[Any]:
        handed = array.copy()
        self._arrays.append((kind, name, handed, array))
        self.handed.add(kind)
        return handed

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        handed = super().params(params)
        self._keep_table(lambda: handed)
        return handed

    def held(self, read: Callable[[], Mapping[str, Any]]) -> None:
        self._keep_table(read)

    def _keep_table(self, read: Callable[[], Mapping[str, Any]]) -> None:
        values = read()
        if values:
            self.handed.add(Kind.PARAMETER)
            self._tables.append((read, _snapshot(values)))

    def look(self, by: str) -> None:
        """Note what has changed since it was handed out; what has once is not looked at again."""
        known = {(change.kind, change.name) for change in self.changes}
        for change in (*self._changed_arrays(by), *self._changed_tables(by)):
            if (change.kind, change.name) not in known:
                known.add((change.kind, change.name))
                self.changes.append(change)

    def _changed_arrays(self, by: str) -> Iterator[Change]:
        for kind, name, handed, before in self._arrays:
            if handed.shape != before.shape:
                yield Change(kind, name, by)
            elif not _same(before, handed):
                yield Change(kind, name, by, int(np.sum(handed != before)), before.size)

    def _changed_tables(self, by: str) -> Iterator[Change]:
        for read, before in self._tables:
            for path in _changed(before, read(), ""):
                yield Change(Kind.PARAMETER, path, by)


def _snapshot(value: Any) -> Any:
    """Return a copy of what is data in a value; all else as it is."""
    if isinstance(value, dict):
        return {key: _snapshot(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_snapshot(item) for item in value]
    return copy.copy(value) if isinstance(value, np.ndarray) else value


def _changed(before: Any, after: Any, path: str) -> Iterator[str]:
    """Yield the paths of data that are others now; what was added is no change, and objects have a life."""
    if isinstance(before, dict):
        for key, value in before.items():
            inner = after.get(key, MISSING) if isinstance(after, dict) else MISSING
            yield from _changed(value, inner, f"{path}['{key}']" if path else str(key))
    elif isinstance(before, list) and isinstance(after, (list, tuple)) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changed(one, other, f"{path}[{number}]")
    elif isinstance(before, (list, np.ndarray, np.generic, *_PLAIN)) and not _same(before, after):
        yield path


def _same(before: Any, after: Any) -> bool:
    if isinstance(before, (list, str, bytes, type(None))) or after is MISSING:
        return bool(type(before) is type(after) and before == after)
    one, other = np.asarray(before), np.asarray(after)
    both = one.dtype.kind in "fc" and other.dtype.kind in "fc"
    return np.array_equal(one, other) or (both and np.array_equal(one, other, equal_nan=True))
