"""The parameters that an object has and the case does not name: by their names, and by what backward wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.targets.attributes import Array, arrays_in, find, overlaps, steps
from gradverify.targets.gradients import RETURNED, Place, Seen, only_of_shape, partner, returned_entry, unwritten

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Discovery"]

# How many floats are looked at: a vocabulary is no layer.
_MOST_NUMBERS = 200


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
    owned
        Gradients of the inputs of forward.
    """

    stable: Mapping[str, Array]
    before: Mapping[str, Array]
    numbers: Mapping[str, Array]
    seen: Seen
    owned: tuple[Array, ...] = ()

    def named(self) -> dict[str, Place]:
        """Return parameters whose gradient has a name that people give it, by path; no gradient has two owners."""
        found: dict[str, Place] = {}
        owned = list(self.owned)
        returned = _arrays_of(self.seen.returned)
        listed = self._listed()
        for path, array in self.stable.items():
            if overlaps(array, (*owned, *returned)):
                continue
            named = returned_entry((steps(path)[-1],), self.seen) or listed.get(path)
            place = named or partner(path, self.seen)
            if place is None or place.path == path or not (named or self._fits(place, array)):
                continue
            gradients = _arrays_of(self.seen.at(place.path))
            if any(overlaps(gradient, owned) for gradient in gradients):
                continue
            found[path] = place
            owned += [array, *gradients]
        return found | self._numbers()

    def updated(self, rate: str | float) -> dict[str, Place]:
        """Return parameters that backward moved, at a rate."""
        found: dict[str, Place] = {}
        owned: list[Array] = []
        for path, array in self.stable.items():
            if self.is_changed(path) and not overlaps(array, owned):
                found[path] = Place(path, rate)
                owned.append(array)
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
        owned = (*self.seen.held(places), *self.owned)
        taken |= {path for path, value in self.seen.written.items() if overlaps(value, owned)}
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
        for path, value in list(self.numbers.items())[:_MOST_NUMBERS]:
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
        own = tuple(f"[{number}]" for number in range(count))  # those of inputs
        listed = [(place, gradient) for place, gradient in arrays_in(list(items)) if not place.startswith(own)]
        if len(listed) == len(self.stable):  # one for each, whatever their shapes
            return {path: Place(f"{RETURNED}{place}") for path, (place, _) in zip(self.stable, listed, strict=True)}
        found: dict[str, Place] = {}
        for place, gradient in listed:
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
            return not name.isdigit() and len(name) > 1
        return not name.isdigit() or not np.array_equal(self.before.get(place.path, ()), gradient)


def _arrays_of(value: Any) -> list[Array]:
    return [array for _, array in arrays_in(value)]
