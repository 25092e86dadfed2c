"""Arrays inside objects: where they are, what is at a path, and how one is replaced wherever it is held.

A path is written ``params.W``, ``params[0]`` or ``layers[1].W.grad``: each step is a key of a mapping, an index of a
list or tuple, or an attribute.
"""

from __future__ import annotations

import re
from collections import UserDict, deque
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
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
    "numbers_in",
    "overlaps",
    "parts_of",
    "path_of",
    "put",
    "replaced",
    "root_of",
    "shares_memory",
    "steps",
    "value_at",
]

Array: TypeAlias = NDArray[Any]

MISSING = object()
_DEEPEST = 24
_MOST_HOLDERS = 20_000
_SCALARS = (str, bytes, int, float, complex, type(None))
_CLOSED = (ModuleType, type, FunctionType, MethodType, np.random.Generator, np.random.RandomState)
_STEP = re.compile(r"\[\s*'([^']*)'\s*\]|\[\s*([^\]']*?)\s*\]|([^.\[\]]+)")


def steps(path: str) -> tuple[str, ...]:
    """Return the steps of a path: ``params[0].W`` has ``params``, ``0`` and ``W``."""
    return tuple(next(part for part in match.groups() if part is not None) for match in _STEP.finditer(path))


def path_of(*parts: str) -> str:
    """Return the path that has these steps."""
    path = ""
    for part in parts:
        path = _joined(path, int(part) if part.isdigit() else part)
    return path


def find(holder: Any, path: str) -> Any:
    """Return what is at a path, or ``MISSING``."""
    for step in steps(path):
        holder = _inner(holder, step)
        if holder is MISSING:
            return MISSING
    return holder


def _inner(holder: Any, step: str) -> Any:
    if isinstance(holder, Mapping) and (step in holder or (step.isdigit() and int(step) in holder)):
        return holder[step] if step in holder else holder[int(step)]
    if isinstance(holder, (list, tuple, deque)) and step.isdigit():
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


def numbers_in(holder: Any) -> Iterator[tuple[str, Array]]:
    """Yield path and value for every float and every nested list of floats that an object holds outside of arrays."""
    yield from _arrays(holder, "", _Visited(), numbers=True)


def root_of(array: Array) -> int:
    """Return the ``id`` of the array that owns the memory of another: views of one array have one root."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


def overlaps(array: Array, others: Iterable[Array]) -> bool:
    """Return whether an array shares memory with one of others."""
    return any(np.may_share_memory(array, other) for other in others)


def shares_memory(arrays: list[Array]) -> bool:
    """Return whether some array is a view of another, or two are views of a third."""
    apart = {id(array): root_of(array) for array in arrays}
    return len(set(apart.values())) < len(apart)


@dataclass(slots=True)
class _Visited:
    """Holders that were entered, so that none is twice."""

    seen: dict[int, Any] = field(default_factory=dict)

    def enter(self, holder: Any) -> bool:
        if id(holder) in self.seen or len(self.seen) >= _MOST_HOLDERS:
            return False
        self.seen[id(holder)] = holder
        return True


def _arrays(holder: Any, path: str, visited: _Visited, *, numbers: bool = False) -> Iterator[tuple[str, Array]]:
    if isinstance(holder, np.ndarray):
        if holder.dtype.kind in "fiubc" and not numbers:
            yield path, holder
        return
    if numbers and (value := _number(holder)) is not None:
        yield path, value
        return
    if isinstance(holder, _SCALARS) or path.count(".") + path.count("[") >= _DEEPEST or not visited.enter(holder):
        return
    for step, value in parts_of(holder):
        yield from _arrays(value, _joined(path, step), visited, numbers=numbers)


def _number(value: Any) -> Array | None:
    """Return a float, or a list of floats all through, as an array; ``None`` for anything else."""
    inner = value
    while isinstance(inner, list) and inner:
        inner = inner[0]
    if isinstance(inner, bool) or not isinstance(inner, (int, float, np.number)):
        return None
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None  # a ragged list


def parts_of(holder: Any) -> list[tuple[str | int, Any]]:
    """Return what a holder holds, by key, index or attribute; nothing for what is none of ours to open."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(holder, Mapping):
        items = [(key, value) for key, value in holder.items() if isinstance(key, (str, int))]
    elif isinstance(holder, (list, tuple, deque)):
        items = list(enumerate(holder))
    if isinstance(holder, _CLOSED):
        return items
    attributes = vars(holder).items() if hasattr(holder, "__dict__") else ()
    items += [(name, value) for name, value in attributes if not isinstance(holder, UserDict) or name != "data"]
    return items + [(name, getattr(holder, name)) for name in _slots(holder) if hasattr(holder, name)]


def _slots(holder: Any) -> list[str]:
    if isinstance(holder, _CLOSED) or type(holder).__module__ in {"builtins", "numpy"}:
        return []
    names = (getattr(kind, "__slots__", ()) for kind in type(holder).__mro__)
    return [name for group in names for name in ((group,) if isinstance(group, str) else group) if name != "__dict__"]


def _joined(path: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{path}[{step}]"
    if not step.isidentifier():
        return f"{path}['{step}']"
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
    if id(holder) in visited or isinstance(holder, (np.ndarray, *_SCALARS)):
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
    inside = isinstance(holder, (list, deque)) and isinstance(step, int)
    if inside or (isinstance(holder, MutableMapping) and step in holder):
        holder[step] = value
    else:
        object.__setattr__(holder, str(step), value)
