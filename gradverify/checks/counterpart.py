"""The layer that a case is compared with, at work: on the arrays of the case, and with answers that lie as they do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.layers.registry import LAYERS, LayerInfo, LayerInput
from gradverify.spec.aliases import INPUT_NAMES, NEUTRAL
from gradverify.spec.shapes import bind_shape
from gradverify.spec.target_model import LayerTarget
from gradverify.targets.loading import load_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradverify.spec.counterparts import Counterpart
    from gradverify.spec.model import Case
    from gradverify.spec.shapes import Bound
    from gradverify.targets.protocol import Forward

    Arrays = Mapping[str, NDArray[Any]]

__all__ = ["Working"]


class Working:
    """A counterpart, loaded.

    Parameters
    ----------
    case
        The case, whose arrays it takes and gives.
    counterpart
        What it is.
    inputs
        The arrays of the case, an object's own among them.

    Raises
    ------
    TargetError
        No input of the case stands for one that it needs, or it cannot be loaded.
    """

    def __init__(self, case: Case, counterpart: Counterpart, inputs: Arrays) -> None:
        self.name = counterpart.name
        self._counterpart = counterpart
        layer = LAYERS[counterpart.target.layer] if isinstance(counterpart.target, LayerTarget) else None
        self._roles = {} if layer is None else {item.name: item for item in layer.inputs}
        self._mine = dict(counterpart.inputs) if layer is None else _completed(layer, counterpart.inputs, inputs)
        theirs = self._taken(inputs)
        floating = tuple(name for name, value in theirs.items() if value.dtype.kind == "f")
        own = replace(case, target=counterpart.target, params=counterpart.params, scale={})
        self._target = load_target(own, theirs, floating)

    def forward(self, inputs: Arrays) -> Forward:
        """Run the forward pass on arrays of the case, in double precision at least; outputs lie as its own."""
        return self._target.forward(self._taken(inputs))

    def outputs(self, forward: Forward, like: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...] | str:
        """Return its outputs as the case's lie, or say how they cannot."""
        if len(forward.outputs) != len(like):
            return f"forward gives {len(like)} outputs, {self.name} {len(forward.outputs)}"
        laid = tuple(self._laid(output) for output in forward.outputs)
        for theirs, mine in zip(laid, like, strict=True):
            if _without_ones(theirs.shape) != _without_ones(mine.shape):
                return f"out has shape {list(mine.shape)}, {self.name} gives {list(theirs.shape)}"
        return tuple(theirs.reshape(mine.shape) for theirs, mine in zip(laid, like, strict=True))

    def gradients(self, cotangents: tuple[NDArray[Any], ...], forward: Forward, inputs: Arrays) -> dict[str, Any]:
        """Return its gradients by the case's names, as the case's inputs lie."""
        taken = self._taken(inputs)
        weights = tuple(
            self._taken_up(weight, output) for weight, output in zip(cotangents, forward.outputs, strict=True)
        )
        found = self._target.backward(weights, forward, taken).values
        return {
            mine: self._given(theirs, np.asarray(found[theirs]), inputs[mine])
            for theirs, mine in self._mine.items()
            if found.get(theirs) is not None
        }

    def takes(self, name: str) -> bool:
        """Return whether an input of the case stands for one of its own."""
        return name in self._mine.values()

    def samples(self) -> tuple[str, int]:
        """Return the case's input that holds samples, and which axis of it runs over them."""
        first = next(iter(self._mine))
        arrangement = self._counterpart.arrangements.get(first)
        return self._mine[first], 0 if arrangement is None else arrangement.order[0]

    def _taken(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Return its inputs, made of those of the case."""
        taken = {theirs: self._to_theirs(theirs, inputs[mine]) for theirs, mine in self._mine.items()}
        absent = [role for name, role in self._roles.items() if name not in taken]
        if not absent:
            return taken
        bound: Bound = {}
        for name, value in taken.items():
            bind_shape(self._roles[name], value.shape, bound)
        for role in absent:
            shape = _shape_of(role, bound)
            taken[role.name] = np.full(shape, NEUTRAL[role.name], dtype=next(iter(taken.values())).dtype)
        return {name: taken[name] for name in self._roles}

    def _to_theirs(self, name: str, value: NDArray[Any]) -> NDArray[Any]:
        role, arrangement = self._roles.get(name), self._counterpart.arrangements.get(name)
        if role is not None and role.classes is not None:
            return (np.argmax(value, axis=-1) if value.ndim > 1 else value).astype(np.int64)
        if arrangement is not None:
            shape = value.shape if arrangement.lengths is None else arrangement.lengths
            value = value.reshape(shape).transpose(arrangement.order)
        elif role is not None and len(role.shape) == 1 and role.shape[0] != "...":
            value = value.reshape(-1)
        wide = value.dtype.kind == "f" and np.finfo(value.dtype).eps > np.finfo(np.float64).eps
        return np.ascontiguousarray(value, dtype=np.float64 if wide else value.dtype)

    def _given(self, name: str, value: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
        """Return one of its arrays as that of the case lies."""
        arrangement = self._counterpart.arrangements.get(name)
        if arrangement is not None:
            value = value.transpose(np.argsort(arrangement.order))
        return value.reshape(like.shape) if value.size == like.size else value

    def _laid(self, output: NDArray[Any]) -> NDArray[Any]:
        order = self._counterpart.output
        return output if order is None or output.ndim != len(order) else output.transpose(np.argsort(order))

    def _taken_up(self, weight: NDArray[Any], output: NDArray[Any]) -> NDArray[Any]:
        """Return a cotangent of the case as one of its output."""
        order = self._counterpart.output
        turned = weight if order is None or weight.ndim != len(order) else weight.transpose(order)
        return turned.reshape(output.shape).astype(output.dtype)


def _completed(layer: LayerInfo, given: Mapping[str, str], inputs: Arrays) -> dict[str, str]:
    """Return the case's array for every input of a layer: an object's own where the case names none.

    Raises
    ------
    TargetError
        There is none, and the layer does not go without it.
    """
    found = dict(given)
    for item in layer.inputs:
        if item.name in found:
            continue
        called = INPUT_NAMES.get(item.name, (item.name,))
        free = [name for name in inputs if name not in found.values()]
        alike = [name for wanted in called for name in free if name.rpartition(".")[2].lower() == wanted]
        if alike:
            found[item.name] = alike[0]
        elif item.name not in NEUTRAL:
            message = f"no input stands for '{item.name}' of {layer.name}"
            raise TargetError(f"{message}, expected reference: {{layer: {layer.name}, inputs: {{{item.name}: ...}}}}")
    return {item.name: found[item.name] for item in layer.inputs if item.name in found}


def _shape_of(role: LayerInput, bound: Bound) -> tuple[int, ...]:
    """Return the shape of an input from the symbols that others bind."""
    shape: list[int] = []
    for symbol in role.shape:
        length = bound.get(symbol, ())
        shape.extend(length if isinstance(length, tuple) else (length,))
    return tuple(shape)


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1) if math.prod(shape) != 1 else ()
