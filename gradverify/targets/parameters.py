"""The parameters that a target verifies of its own: added where they were found, dropped where they do nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.targets.attributes import Array, find, overlaps, steps
from gradverify.targets.drawing import varied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.targets.discovery import Discovery
    from gradverify.targets.gradients import Place
    from gradverify.targets.objects import LayerObject

__all__ = ["OwnParameters"]

# What Python puts before the name of a private attribute: self.__w of a Dense is _Dense__w.
_MANGLED = re.compile(r"^_[A-Za-z]\w*?__(?=\w)")
# How many arrays without a gradient are looked at: each takes a forward pass.
_MOST_LOOKED_AT = 64


@dataclass(frozen=True, slots=True)
class OwnParameters:
    """Gives a target the parameters that its object has and the case does not name.

    Attributes
    ----------
    target
        The target.
    inputs
        Data of the case.
    fresh
        The arrays of an object that has run no pass, by path.
    dtype
        Of the case.
    discovery
        What was found.
    """

    target: LayerObject
    inputs: Mapping[str, Array]
    fresh: Mapping[str, Array]
    dtype: np.dtype[np.generic]
    discovery: Discovery

    def add_named(self, rate: str | float | None) -> None:
        """Add the parameters whose gradients have names, or that backward updates at a rate."""
        self._add(self.discovery.named() if rate is None else self.discovery.updated(rate))

    def _add(self, found: Mapping[str, Place]) -> None:
        target, layer = self.target, self.discovery.seen.layer
        for path, name in self._names_of(found).items():
            value = np.asarray(self.discovery.numbers.get(path, find(layer, path)))
            target.paths = {**target.paths, name: path}
            target.places = {**target.places, name: found[path]}
            target.own_inputs = {**target.own_inputs, name: varied(path, value.astype(self.dtype))}

    def _names_of(self, found: Mapping[str, Place]) -> dict[str, str]:
        """Return a short name for every parameter found: the end of its path, where that is no other's."""
        ends = [_end(path, place, self.discovery.seen.preset.arrays) for path, place in found.items()]
        return {
            path: end if ends.count(end) == 1 and end not in self.inputs and end not in self.target.paths else path
            for path, end in zip(found, ends, strict=True)
        }

    def drop_idle(self) -> tuple[str, ...]:
        """Take back parameters that move no output though their gradient is not 0; say which no pass writes into.

        What a pass writes into is a buffer, and what none does may be a parameter that forward forgot.
        """
        target, inputs, base = self.target, *self._base()
        idle = [
            name
            for name in target.own_inputs
            if self._has_slope(name) and not target.is_moved_by(target.paths[name], inputs, base)
        ]
        paths = [target.paths[name] for name in idle]
        for table in ("paths", "places", "own_inputs"):
            setattr(target, table, {name: value for name, value in getattr(target, table).items() if name not in idle})
        layer = self.discovery.seen.layer
        kept = [path for path in paths if np.array_equal(self.fresh.get(path, ()), find(layer, path))]
        return _said(kept, "no output, though backward has a gradient")

    def _base(self) -> tuple[dict[str, Array], tuple[Array, ...]]:
        inputs = {**self.inputs, **self.target.own_inputs}
        return inputs, self.target.forward(inputs).outputs

    def _has_slope(self, name: str) -> bool:
        gradient = np.asarray(self.discovery.seen.at(self.target.places[name].path))
        return gradient.dtype.kind in "fiu" and bool(np.any(gradient != 0))

    def complete(self) -> tuple[str, ...]:
        """Find gradients without a name for arrays that move the outputs, and say which of these have none."""
        moving = self._moving()
        paired = self.discovery.forgotten(moving)
        paired |= self.discovery.paired([path for path in moving if path not in paired], self.target.places)
        self._add(paired)
        left = [path for path in moving if path not in paired]
        changed = [path for path in left if self.discovery.is_changed(path)]
        return (
            *_said([path for path in left if path not in changed], "the output, and no gradient was found"),
            *_said(changed, "the output, and backward changes it; update would say at which rate"),
        )

    def _moving(self) -> list[str]:
        """Return arrays that move the outputs and have no gradient; of those that share memory, the first."""
        inputs, base = self._base()
        stable, layer = self.discovery.stable, self.discovery.seen.layer
        values = (stable.get(path, find(layer, path)) for path in self.target.paths.values())
        looked_at = [value for value in values if isinstance(value, np.ndarray)]
        others: list[str] = []
        for path, array in stable.items():
            if not overlaps(array, looked_at):
                others.append(path)
                looked_at.append(array)
        return [path for path in others[:_MOST_LOOKED_AT] if self.target.is_moved_by(path, inputs, base)]


def _said(paths: list[str], what: str) -> tuple[str, ...]:
    """Return a sentence about arrays of the object, or nothing where there are none."""
    verb = "move" if len(paths) > 1 else "moves"
    return (f"{', '.join(paths)} of the object {verb} {what}",) if paths else ()


def _end(path: str, place: Place, arrays: tuple[tuple[str, str], ...]) -> str:
    """Return the last step of a path that is a name of its own: ``w`` of ``w[0]``, and of ``w.value`` by ``w.grad``."""
    own = [_MANGLED.sub("", step) for step in steps(path) if not step.isdigit()]
    beside = steps(path)[:-1] == steps(place.path)[:-1] and (steps(path)[-1], steps(place.path)[-1]) in arrays
    return own[-2] if len(own) > 1 and beside else own[-1]
