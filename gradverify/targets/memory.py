"""What an object remembers of a forward pass, and how it forgets it: of one that was run to make parameters appear."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.targets.attributes import MISSING, arrays_in, assign, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.targets.attributes import Array

__all__ = ["forget", "lasting", "shrink"]

_ITEM = re.compile(r"\[([0-9]+)\]")


def lasting(once: Mapping[str, Array], twice: Mapping[str, Array]) -> set[str]:
    """Return the paths of the arrays that a second forward pass left in place.

    What lies in a list that grew is memory of the first pass, and does not count.

    Parameters
    ----------
    once, twice
        The arrays of an object by path, after one pass and after two.
    """
    before, after = (_lists(paths) for paths in (once, twice))
    grown = {path for path, items in after.items() if path in before and items - before[path]}
    return {path for path, array in twice.items() if once.get(path) is array and grown.isdisjoint(_lists((path,)))}


def _lists(paths: Iterable[str]) -> dict[str, set[str]]:
    """Return the items of every list, tuple or table of numbers on the way to some paths, by its own path."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for match in _ITEM.finditer(path):
            found.setdefault(path[: match.start()], set()).add(match[1])
    return found


def forget(layer: Any, fresh: Any, kept: set[int], visited: set[int] | None = None) -> None:
    """Put back what an object had before its first pass, where it now holds arrays of which none are to be kept.

    Parameters
    ----------
    layer
        The object after a pass; changed in place.
    fresh
        Another that has run none.
    kept
        The ``id`` of the arrays that the object is to keep.
    visited
        Holders that were entered.
    """
    visited = set() if visited is None else visited
    if id(layer) in visited:
        return
    visited.add(id(layer))
    before = dict(parts_of(fresh))
    for step, new in parts_of(layer):
        old = before.get(step, MISSING)
        if old is MISSING:
            _take_back(layer, step, (new, old), kept, set())
        if old is MISSING or new is old:
            continue
        held = [id(array) for _, array in arrays_in(new)]
        if _is_data(new) and held and kept.isdisjoint(held):
            assign(layer, step, copy.deepcopy(old))
        elif type(new) is type(old) and not isinstance(new, np.ndarray):
            forget(new, old, kept, visited)


def shrink(layer: Any, fresh: Any, kept: set[int], visited: set[int] | None = None) -> None:
    """Take back from an object only what its lists have gained by a pass: arrays of which none are to be kept.

    What is not a list stays, for objects that make their parameters anew where something else is missing.

    Parameters
    ----------
    layer, fresh, kept, visited
        As of :func:`forget`; a list that ``fresh`` does not have is emptied.
    """
    visited = set() if visited is None else visited
    if id(layer) in visited or isinstance(layer, np.ndarray):
        return
    visited.add(id(layer))
    before = dict(parts_of(fresh))
    for step, new in parts_of(layer):
        _take_back(layer, step, (new, before.get(step, MISSING)), kept, visited)


def _take_back(layer: Any, step: str | int, values: tuple[Any, Any], kept: set[int], visited: set[int]) -> None:
    """Take back what a list, or the lists in what an object holds, have gained."""
    new, old = values
    held = [id(array) for _, array in arrays_in(new)]
    if isinstance(new, list) and held and kept.isdisjoint(held):
        assign(layer, step, copy.deepcopy(old) if isinstance(old, list) else [])
    else:
        shrink(new, old, kept, visited)


def _is_data(value: Any) -> bool:
    """Return whether a value is an array or a container, and no object of its own."""
    return isinstance(value, (np.ndarray, list, tuple, dict))
