"""Where an object keeps the inputs that are parameters of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.targets.attributes import MISSING, Array, arrays_in, described, find, steps, value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.target_model import ObjectTarget
    from gradverify.targets.workshop import Workshop

__all__ = ["Locator"]


@dataclass(frozen=True, slots=True)
class Locator:
    """Finds parameters by their names, or where the spec says.

    Attributes
    ----------
    layer
        The object, after a forward pass.
    workshop
        What made it.
    inputs
        Data of the case.
    forward, forwarded
        The name of the forward method, and the inputs that it takes.
    """

    layer: Any
    workshop: Workshop
    inputs: Mapping[str, Array]
    forward: str
    forwarded: tuple[str, ...]

    def paths(self, named: tuple[str, ...]) -> dict[str, str]:
        """Return the paths of the parameters that the spec locates, and of those that it only names.

        Raises
        ------
        TargetError
            There is none, or it has another shape.
        """
        target: ObjectTarget = self.workshop.target
        paths = {name: role.value for name, role in target.parameters.items()}
        paths |= {name: self._path_of(name) for name in named}
        for name, path in paths.items():
            self._check(name, path)
        return paths

    def _path_of(self, name: str) -> str:
        """Return the path that ends with the name of an input."""
        if isinstance(find(self.layer, name), np.ndarray):
            return name
        ends = [path for path, _ in arrays_in(self.layer) if steps(path)[-1] == name]
        if ends:
            return min(ends, key=self._is_among_gradients)
        if find(self.layer, name) is MISSING:
            raise TargetError(self._not_found(name))
        return name

    def _is_among_gradients(self, path: str) -> bool:
        gradients = {gradients for _, gradients in self.workshop.preset.containers}
        return not gradients.isdisjoint(steps(path)[:-1])

    def _not_found(self, name: str) -> str:
        call = f"{self.forward}({', '.join((*self.forwarded, name))})"
        return (
            f"neither the constructor nor {self.forward} takes '{name}', and the {type(self.layer).__name__} has no "
            f"array of that name; say what {self.forward} takes, as in forward: {call}, or where it is with "
            f"parameters: {{{name}: PATH}}; it has {described(self.layer)}"
        )

    def _check(self, name: str, path: str) -> None:
        wanted, got = self.inputs[name].shape, np.shape(value_at(self.layer, path))
        if wanted != got:
            raise TargetError(f"'{name}' has shape {list(wanted)}, but {path} of the object has {list(got)}")
