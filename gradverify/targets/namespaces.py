"""Which names of the libraries user code has replaced, told by identity against what they were at first."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["Names", "Namespaces", "are_the_same", "current", "in_words", "living", "originals"]

Names = dict[tuple[str, str], Any]
"""Values by module and name; ``ABSENT`` where there is none."""

ABSENT = object()

# What the engine computes with ...
_COMPUTING = (
    "builtins",
    "math",
    "numpy",
    "numpy.linalg",
    "numpy.fft",
    "numpy.random",
    "numpy._core._methods",
    "numpy._core.fromnumeric",
)
# ... and what a worker lives by besides.
_LIVING = (
    "os",
    "sys",
    "time",
    "signal",
    "operator",
    "itertools",
    "functools",
    "random",
    "pickle",
    "threading",
    "warnings",
)
# What recording warnings replaces, and puts back when it ends.
_RECORDING = {"showwarning", "_showwarnmsg_impl"}


class Namespaces:
    """The names of some modules as they are now.

    Parameters
    ----------
    modules
        Names of modules; those that are not loaded are passed over.
    """

    def __init__(self, modules: tuple[str, ...]) -> None:
        self._spaces = {name: vars(sys.modules[name]) for name in modules if name in sys.modules}
        self._kept = {name: dict(space) for name, space in self._spaces.items()}
        # Tuples are compared by identity first, at a few nanoseconds a name: looking up each takes ten times that.
        self._values = {name: tuple(space.values()) for name, space in self._kept.items()}

    def differences(self) -> Names:
        """Return the names that mean something else now, with what they mean; 10 microseconds where there are none."""
        found: Names = {}
        for module, space in self._spaces.items():
            if not _same(self._values[module], space):
                changed = {(module, name): value for name, value in _changed(space, self._kept[module])}
                if not changed:  # a submodule was loaded, say: next time that is known
                    self._values[module] = tuple(space.values())
                found.update(changed)
        return found

    def put_back(self, names: Iterable[tuple[str, str]]) -> None:
        """Let names mean what they meant at first."""
        self.write({(module, name): self._kept[module].get(name, ABSENT) for module, name in names})

    def write(self, names: Names) -> None:
        """Let names mean something else."""
        for (module, name), value in names.items():
            if value is ABSENT:
                self._spaces[module].pop(name, None)
            else:
                self._spaces[module][name] = value


def _same(values: tuple[Any, ...], space: Mapping[str, Any]) -> bool:
    try:
        return tuple(space.values()) == values
    except Exception:  # noqa: BLE001  what was put in the place of a name may not like to be compared
        return False


def _changed(space: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the functions and constants of a module that are others now, or gone, or new."""
    for name in kept.keys() | space.keys():
        before, now = kept.get(name, ABSENT), space.get(name, ABSENT)
        if before is not now and name not in _RECORDING and (_matters(before) or _matters(now)):
            yield name, now


def _matters(value: Any) -> bool:
    """Say whether a value is a function, a class or a constant; loading a submodule replaces nothing."""
    return callable(value) or isinstance(value, float)


def current() -> Namespaces:
    """Return the names that the engine computes with, as they are now."""
    return Namespaces(_COMPUTING)


@cache
def originals() -> Namespaces:
    """Return the names that the engine computes with, as they were when this was called first: before any user code."""
    return current()


def living() -> Namespaces:
    """Return the names that a worker lives by besides those, as they are now."""
    return Namespaces(_LIVING)


def are_the_same(one: Names, other: Names) -> bool:
    """Say whether the same names were replaced by the same things."""
    return one.keys() == other.keys() and all(value is other[key] for key, value in one.items())


def in_words(names: Names) -> str:
    """List names: ``numpy.dot, numpy.sum and 3 more``."""
    listed = sorted(f"{module}.{name}" for module, name in names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more
