"""Arrays inside objects: where they are, what is at a path, and how one is replaced wherever it is held.

A path is written ``params.W``, ``params[0]`` or ``layers[1].W.grad``: each step is a key of a mapping, an index of a
list or tuple, or an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gradverify.errors import TargetError, nearest_name

__all__ = [
    "MISSING",
    "Array",
    "arrays_in",
    "assign",
    "described",
    "find",
    "parts_of",
    "put",
    "replaced",
    "steps",
    "value_at",
]

Array: TypeAlias = NDArray[Any]

MISSING = object()
_DEEPEST = 6
_MOST_HOLDERS = 20_000
_CLOSED = (ModuleType, type, FunctionType, MethodType, np.random.Generator, np.random.RandomState)
_STEP = re.compile(r"\.|\[\s*'?([^'\]]*)'?\s*\]")


def steps(path: str) -> tuple[str, ...]:
    """Return the steps of a path: ``params[0].W`` has ``params``, ``0`` and ``W``."""
    return tuple(part for part in _STEP.sub(lambda match: f".{match[1] or ''}", path).split(".") if part)


def find(holder: Any, path: str) -> Any:
    """Return what is at a path, or ``MISSING``."""
    for step in steps(path):
        holder = _inner(holder, step)
        if holder is MISSING:
            return MISSING
    return holder


def _inner(holder: Any, step: str) -> Any:
    if isinstance(holder, Mapping):
        return holder[step] if step in holder else holder.get(int(step), MISSING) if step.isdigit() else MISSING
    if isinstance(holder, (list, tuple)) and step.isdigit():
        return holder[int(step)] if int(step) < len(holder) else MISSING
    try:
        return getattr(holder, step, MISSING)
    except Exception:  # noqa: BLE001  a property is user code
        return MISSING


def value_at(holder: Any, path: str) -> Any:
    """Return what is at a path.

    Raises
    ------
    TargetError
        There is nothing; the message lists what the object does have.
    """
    found = find(holder, path)
    if found is not MISSING:
        return found
    known = tuple(name for name, _ in arrays_in(holder))
    hint = nearest_name(path, known) if known else "it holds no arrays"
    raise TargetError(f"there is no '{path}' in the {type(holder).__name__}, {hint}; it has {described(holder)}")


def put(holder: Any, path: str, value: Any) -> None:
    """Set what is at a path.

    Raises
    ------
    TargetError
        The way there does not exist, or what holds it cannot be changed.
    """
    *way, last = steps(path)
    for step in way:
        holder = _inner(holder, step)
    try:
        if isinstance(holder, dict):
            holder[last if last in holder or not last.isdigit() else int(last)] = value
        elif isinstance(holder, list):
            holder[int(last)] = value
        else:
            setattr(holder, last, value)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise TargetError(f"'{path}' cannot be set: {error}") from None


def described(holder: Any, most: int = 20) -> str:
    """List the arrays of an object with their shapes: ``weights (5, 3), biases (3,)``."""
    listed = [f"{path} {value.shape}" for path, value in arrays_in(holder)]
    more = f" and {len(listed) - most} more arrays" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more if listed else "no arrays"


def arrays_in(holder: Any) -> Iterator[tuple[str, Array]]:
    """Yield path and array for every array of numbers that an object holds, however deep, each path once."""
    yield from _arrays(holder, "", _Visited())


@dataclass(slots=True)
class _Visited:
    """Holders that were entered, so that none is twice."""

    seen: dict[int, Any] = field(default_factory=dict)

    def enter(self, holder: Any) -> bool:
        if id(holder) in self.seen or len(self.seen) >= _MOST_HOLDERS:
            return False
        self.seen[id(holder)] = holder
        return True


def _arrays(holder: Any, path: str, visited: _Visited) -> Iterator[tuple[str, Array]]:
    if isinstance(holder, np.ndarray):
        if holder.dtype.kind in "fiubc":
            yield path, holder
        return
    if path.count(".") + path.count("[") >= _DEEPEST or not visited.enter(holder):
        return
    for step, value in parts_of(holder):
        yield from _arrays(value, _joined(path, step), visited)


def parts_of(holder: Any) -> list[tuple[str | int, Any]]:
    """Return what a holder holds, by key, index or attribute; nothing for what is none of ours to open."""
    if isinstance(holder, Mapping):
        return [(key, value) for key, value in holder.items() if isinstance(key, (str, int))]
    if isinstance(holder, (list, tuple)):
        return list(enumerate(holder))
    if isinstance(holder, _CLOSED) or not hasattr(holder, "__dict__"):
        return [(name, getattr(holder, name)) for name in _slots(holder) if hasattr(holder, name)]
    return [*vars(holder).items(), *((name, getattr(holder, name)) for name in _slots(holder) if hasattr(holder, name))]


def _slots(holder: Any) -> list[str]:
    if isinstance(holder, _CLOSED) or type(holder).__module__ in {"builtins", "numpy"}:
        return []
    names = (getattr(kind, "__slots__", ()) for kind in type(holder).__mro__)
    return [name for group in names for name in ((group,) if isinstance(group, str) else group) if name != "__dict__"]


def _joined(path: str, step: str | int) -> str:
    if isinstance(step, int) or not step.isidentifier():
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def replaced(holder: Any, swaps: Mapping[int, Array], visited: dict[int, Any] | None = None) -> Any:
    """Put other arrays in the place of some, wherever an object holds them: code keeps one array under several names.

    Parameters
    ----------
    holder
        The object; changed in place.
    swaps
        The new arrays by the ``id`` of the old.
    visited
        Holders that were entered.

    Returns
    -------
    Any
        What now belongs in the holder's place: a tuple cannot be changed and becomes another.
    """
    visited = {} if visited is None else visited
    if id(holder) in swaps:
        return swaps[id(holder)]
    if id(holder) in visited or isinstance(holder, (np.ndarray, str, bytes, int, float, complex, type(None))):
        return holder
    visited[id(holder)] = holder
    parts = [(step, value, replaced(value, swaps, visited)) for step, value in parts_of(holder)]
    if isinstance(holder, tuple):
        changed = any(old is not new for _, old, new in parts)
        return _like(holder, [new for _, _, new in parts]) if changed else holder
    for step, old, new in parts:
        if old is not new:
            assign(holder, step, new)
    return holder


def _like(holder: tuple[Any, ...], values: list[Any]) -> tuple[Any, ...]:
    make: Any = getattr(type(holder), "_make", type(holder))  # a named tuple takes its fields one by one
    made: tuple[Any, ...] = make(values)
    return made


def assign(holder: Any, step: str | int, value: Any) -> None:
    """Set what a holder has under a key, index or attribute of its own."""
    if isinstance(holder, (dict, list)):
        holder[step] = value  # type: ignore[index]  # the step is of the holder's own kind
    else:
        object.__setattr__(holder, str(step), value)
