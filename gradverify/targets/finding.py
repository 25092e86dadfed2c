"""Finds the gradient of every input of an object: where the spec says, or where people leave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.targets.attributes import MISSING, Array, arrays_in, described, find, steps
from gradverify.targets.gradients import RETURNED, Place, Seen, place_of_input, place_of_parameter, unwritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.target_model import ObjectTarget, ParameterRole

__all__ = ["Finder"]


@dataclass(frozen=True, slots=True)
class Finder:
    """Says where gradients are.

    Attributes
    ----------
    target
        What the spec says of the object.
    seen
        One pass of it.
    paths
        Where the object keeps the inputs that are parameters.
    rate
        The rate at which backward takes gradients off parameters, where it does.
    """

    target: ObjectTarget
    seen: Seen
    paths: Mapping[str, str]
    rate: str | float | None

    def place(self, name: str, value: Array) -> Place:
        """Return where the gradient of an input is.

        Raises
        ------
        TargetError
            It cannot be found; the message lists what the object has.
        """
        role, path = self.target.parameters.get(name), self.paths.get(name)
        said = self._said(name, role)
        if said is not None:
            return self._checked(said, name)
        if role is not None and role.update is not None:
            return Place(role.value, role.update)
        if path is not None and self.rate is not None:
            return Place(path, self.rate)
        if name in self.seen.inputs:
            found = place_of_input(name, value.shape, self.seen) or self._left_over(name)
        else:
            found = place_of_parameter(name, path or self._path_to(value), self.seen)
        found = found or unwritten(path or name, self.seen)
        if found is None:
            raise TargetError(self._not_found(name, path))
        return found

    def _said(self, name: str, role: ParameterRole | None) -> str | None:
        """Return the path to a gradient that the spec gives."""
        gradients = self.target.gradients
        if role is not None and role.gradient is not None:
            return role.gradient
        if isinstance(gradients, tuple):
            if name not in gradients:
                return None
            return f"{RETURNED}[{gradients.index(name)}]" if len(gradients) > 1 else RETURNED
        return None if gradients is None else gradients.get(name)

    def _checked(self, path: str, name: str) -> Place:
        """Return the place at a path of the object, or else of what backward returned."""
        within = find(self.seen.returned, path) is not MISSING
        if steps(path)[0] != RETURNED and not self.seen.holds(path) and within:
            path = f"{RETURNED}.{path}"
        if self.seen.at(path) is MISSING:
            raise TargetError(f"there is nothing at '{path}' for the gradient of '{name}'; {_what_there_is(self.seen)}")
        return Place(path)

    def _left_over(self, name: str) -> Place | None:
        """Return what backward returned, where every other input of forward finds its gradient elsewhere."""
        others = [other for other in self.seen.inputs if other != name]
        elsewhere = all(place_of_input(other, (), self.seen) or self._said(other, None) for other in others)
        return Place(RETURNED) if isinstance(self.seen.returned, np.ndarray) and elsewhere else None

    def _path_to(self, value: Array) -> str | None:
        """Return where the object keeps what its constructor was given."""
        arrays = arrays_in(self.seen.layer)
        same = (path for path, array in arrays if array.shape == value.shape and np.array_equal(array, value))
        return next(same, None)

    def _not_found(self, name: str, path: str | None) -> str:
        if name in self.seen.inputs and isinstance(self.seen.returned, np.ndarray):
            listed = ", ".join(self.seen.inputs)
            return (
                f"backward returned one array, and several inputs have a gradient ({listed}): say whose it is, as in "
                f"gradients: {{{name}: returned}}, and grad: false for those that have none"
            )
        what = f"'{name}'" if path is None or path == name else f"'{name}' ({path})"
        return (
            f"the gradient of {what} cannot be found; say where with gradients: {{{name}: PATH}}, or grad: false where "
            f"it has none; {_what_there_is(self.seen)}"
        )


def _what_there_is(seen: Seen) -> str:
    """Say what backward returned and what arrays the object has."""
    returned = "nothing" if seen.returned is None else _shown(seen.returned)
    return f"backward returned {returned}, and the {type(seen.layer).__name__} has {described(seen.layer)}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"a dict of {', '.join(map(str, value))}" if value else "an empty dict"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"an array {np.shape(value)}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
