"""What an object remembers of a forward pass, and how it forgets it: of one that was run to make parameters appear."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.targets.attributes import MISSING, arrays_in, assign, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.targets.attributes import Array

__all__ = ["forget", "lasting"]


def lasting(once: Mapping[str, Array], twice: Mapping[str, Array]) -> set[str]:
    """Return the paths of the arrays that a second forward pass left in place.

    What lies in a list that grew is memory of the first pass, and does not count.

    Parameters
    ----------
    once, twice
        The arrays of an object by path, after one pass and after two.
    """
    grown = {_list_around(path) for path in twice if path not in once} - {""}
    return {path for path, array in twice.items() if once.get(path) is array and _list_around(path) not in grown}


def _list_around(path: str) -> str:
    """Return the path of the list or tuple that holds what is at a path, or nothing."""
    return path.rpartition("[")[0] if path.endswith("]") else ""


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
    after = dict(parts_of(layer))
    for step, old in parts_of(fresh):
        new = after.get(step, MISSING)
        if new is MISSING or new is old:
            continue
        held = [id(array) for _, array in arrays_in(new)]
        if _is_data(new) and held and kept.isdisjoint(held):
            assign(layer, step, copy.deepcopy(old))
        elif type(new) is type(old) and not isinstance(new, np.ndarray):
            forget(new, old, kept, visited)


def _is_data(value: Any) -> bool:
    """Return whether a value is an array or a container, and no object of its own."""
    return isinstance(value, (np.ndarray, list, tuple, dict))
