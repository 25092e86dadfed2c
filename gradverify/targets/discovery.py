"""The parameters that an object has and the case does not name: by their names, and by what backward wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.targets.attributes import Array, arrays_in, find, root_of, steps
from gradverify.targets.gradients import RETURNED, Place, Seen, only_of_shape, partner, returned_entry, unwritten

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Discovery"]


@dataclass(frozen=True, slots=True)
class Discovery:
    """Looks for parameters among the arrays of an object.

    Attributes
    ----------
    stable
        Arrays that no forward pass replaced, by path, without those that the case names and copies of its inputs.
    before
        Copies of all arrays from before backward ran, by path.
    numbers
        Floats and lists of floats that no pass changed, by path.
    seen
        One pass of the object.
    """

    stable: Mapping[str, Array]
    before: Mapping[str, Array]
    numbers: Mapping[str, Array]
    seen: Seen

    def named(self) -> dict[str, Place]:
        """Return parameters whose gradient has a name that people give it, by path."""
        found: dict[str, Place] = {}
        taken = {root_of(array) for array in _arrays_of(self.seen.returned)}
        listed = self._listed()
        for path, array in self.stable.items():
            if root_of(array) in taken:
                continue
            place = returned_entry((steps(path)[-1],), self.seen) or listed.get(path) or partner(path, self.seen)
            if place is None or place.path == path or not self._fits(place, array):
                continue
            found[path] = place
            taken |= {root_of(array), *map(root_of, _arrays_of(self.seen.at(place.path)))}
        return found | self._numbers()

    def updated(self, rate: str | float) -> dict[str, Place]:
        """Return parameters that backward moved, at a rate."""
        found: dict[str, Place] = {}
        taken: set[int] = set()
        for path, array in self.stable.items():
            if self.is_changed(path) and root_of(array) not in taken:
                found[path] = Place(path, rate)
                taken.add(root_of(array))
        return found

    def is_changed(self, path: str) -> bool:
        """Return whether backward changed what is at a path, and not its shape."""
        after, before = find(self.seen.layer, path), self.before[path]
        return np.shape(after) == before.shape and not np.array_equal(after, before)

    def paired(self, moving: list[str], places: Mapping[str, Place]) -> dict[str, Place]:
        """Return parameters whose gradient is the only array of their shape that backward wrote, whatever its name.

        Parameters
        ----------
        moving
            Paths of arrays that move the outputs and have no gradient yet.
        places
            Gradients that belong to others.
        """
        taken = {place.path for place in places.values()}
        shapes = [self.stable[path].shape for path in moving]
        found: dict[str, Place] = {}
        for path, shape in zip(moving, shapes, strict=True):
            gradient = only_of_shape(shape, self.seen, taken)
            if shapes.count(shape) == 1 and gradient is not None and not self.is_changed(path):
                found[path] = Place(gradient)
        return found

    def forgotten(self, moving: list[str]) -> dict[str, Place]:
        """Return parameters whose gradient has a place that backward left empty."""
        found = {path: unwritten(path, self.seen) for path in moving}
        return {path: place for path, place in found.items() if place is not None}

    def _numbers(self) -> dict[str, Place]:
        """Return parameters that are no arrays: a slope that is a float, weights that are lists."""
        found: dict[str, Place] = {}
        for path, value in self.numbers.items():
            place = partner(path, self.seen)
            written = place is not None and place.path not in self.numbers
            if place is not None and written and np.shape(self.seen.at(place.path)) == value.shape:
                found[path] = place
        return found

    def _listed(self) -> dict[str, Place]:
        """Return places in lists of gradients that backward returned: for the arrays of their shapes, in order."""
        returned, count = self.seen.returned, len(self.seen.inputs)
        items = returned if isinstance(returned, (tuple, list)) else ()
        if any(isinstance(item, dict) for item in items):
            return {}
        found: dict[str, Place] = {}
        for place, gradient in arrays_in(list(items)):
            if place.startswith(tuple(f"[{number}]" for number in range(count))):
                continue  # that of an input
            fits = (path for path, array in self.stable.items() if path not in found and array.shape == gradient.shape)
            path = next(fits, None)
            if path is None:
                return {}
            found[path] = Place(f"{RETURNED}{place}")
        return found

    def _fits(self, place: Place, array: Array) -> bool:
        """Return whether a gradient has its parameter's shape or name, and was written where only a pair says it.

        A gradient ``dw`` of another shape than ``w`` is a wrong gradient, and no other thing.
        """
        gradient, name = self.seen.at(place.path), steps(place.path)[-1]
        if np.shape(gradient) != array.shape:
            return not name.isdigit() and len(name) > 1 and np.size(gradient) == array.size
        return not name.isdigit() or not np.array_equal(self.before.get(place.path, ()), gradient)


def _arrays_of(value: Any) -> list[Array]:
    return [array for _, array in arrays_in(value)]
