"""A layer written as a class: an object of its own for every pass, which never sees what another pass left behind.

Objects are copied from one that was made and set up (and run once, where parameters appear only in the first forward
pass); or made anew where they cannot be copied, or where the constructor takes inputs.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.targets.attributes import MISSING, arrays_in, find, path_of, put, replaced, root_of, steps, value_at
from gradverify.targets.functions import weighted
from gradverify.targets.gradients import RETURNED, Place
from gradverify.targets.protocol import Array, Calls, Forward, Gradients, Traits
from gradverify.targets.workshop import Workshop, run_backward, run_forward

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.targets.handing import Hand
    from gradverify.targets.methods import Method

__all__ = ["LayerObject", "made_ready", "weights_for"]

# Of the difference that tells what an argument of backward means.
_STEP = 1e-6


@dataclass(slots=True)
class LayerObject:
    """A target made of an object with a forward and a backward method.

    Attributes
    ----------
    workshop
        Makes the object of a pass.
    forward_plan, backward_plan
        Methods and their arguments; ``None`` for a backward where forward returns the gradient itself.
    paths
        Where the object keeps the inputs that are parameters.
    places
        Where the gradient of every input is that has one.
    """

    workshop: Workshop
    forward_plan: Method
    backward_plan: Method | None
    paths: Mapping[str, str]
    places: Mapping[str, Place]
    pristine: Any = None
    kept: Any = None
    primed: bool = False
    own_inputs: Mapping[str, Array] = field(default_factory=dict)
    unverified: tuple[str, ...] | None = None
    calls: Calls = field(default_factory=Calls)

    @property
    def traits(self) -> Traits:
        """What can be promised of an object."""
        plan = self.backward_plan
        return Traits(
            keeps=self.kept is None,
            is_object=True,
            told=plan is not None and not plan.elementwise,
            updated=frozenset(self._updated),
            parameters=frozenset((*self.paths, *self.workshop.constructor_inputs)),
        )

    def handing(self, hand: Hand) -> LayerObject:
        """Return the same object, given arrays by another hand."""
        return replace(self, workshop=self.workshop.handing(hand))

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass of an object of its own.

        Raises
        ------
        TargetError
            What it returned or left behind cannot be read.
        """
        self.calls.forward += 1
        layer = self._ready(inputs)
        self.workshop.hand.held(lambda: {name: find(layer, path) for name, path in self.paths.items()})
        forward = run_forward(self.workshop, layer, self.forward_plan, inputs)
        plan = self.backward_plan
        forward = weighted(forward, None if plan is None or plan.elementwise else plan.arguments)
        cache = (layer, forward.cache if forward.has_cache else MISSING)
        return replace(forward, cache=cache, has_cache=True)

    def _ready(self, inputs: Mapping[str, Array]) -> Any:
        """Return an object with the parameters set, that no pass has used."""
        layer = self._another(inputs)
        viewed = _viewed([array for _, array in arrays_in(layer)]) if self.pristine is None else set()
        swaps: dict[int, Array] = {}
        set_paths: dict[str, Array] = {}
        for name, path in self.paths.items():
            old, new = value_at(layer, path), inputs[name].copy()
            if not isinstance(old, np.ndarray):
                put(layer, path, new.tolist() if isinstance(old, list) else new[()] if not new.ndim else new)
            elif id(old) in viewed:
                old[...] = _fitting(new, old)
            else:
                swaps[id(old)] = _like(new, old)
                set_paths[path] = swaps[id(old)]
        if not swaps:
            return layer
        made = replaced(layer, swaps)
        for path, new in set_paths.items():
            if find(made, path) is not new:
                raise TargetError(f"'{path}' cannot be set: a property makes it, name the array that it is made from")
        return made

    def _another(self, inputs: Mapping[str, Array]) -> Any:
        if self.kept is not None:
            self.workshop.reset(self.kept, inputs)
            return self.kept
        if self.pristine is not None:
            return copy.deepcopy(self.pristine)
        return made_ready(self.workshop, self.forward_plan, inputs, primed=self.primed)

    def error_along(self, inputs: Mapping[str, Array], name: str) -> float:
        """Return how far the gradient of an input is from a difference along a direction, relative to it."""
        try:
            forward = self.forward(inputs)
            weights = weights_for(forward.outputs)
            gradient = np.asarray(self.backward(weights, forward, inputs).values[name])
            direction = np.cos(np.arange(inputs[name].size)).reshape(inputs[name].shape)
            ends = [self.forward({**inputs, name: inputs[name] + step * direction}).outputs for step in (_STEP, -_STEP)]
            change = sum(float(np.sum(w * (up - down))) for w, up, down in zip(weights, *ends, strict=True)) / (
                2 * _STEP
            )
            return abs(change - float(np.sum(gradient * direction))) / max(abs(change), _STEP)
        except Exception:  # noqa: BLE001  user code, read in a way that it may not be meant
            return np.inf

    def is_moved_by(self, path: str, inputs: Mapping[str, Array], base: tuple[Array, ...]) -> bool:
        """Return whether another value at a path gives other outputs."""
        layer = self._ready(inputs)
        old = find(layer, path)
        if not isinstance(old, np.ndarray):
            return True  # a float with a gradient of its name
        try:
            other = old * 1.5 + 0.125
            if id(old) in _viewed([array for _, array in arrays_in(layer)]):
                old[...] = other
            moved = (
                replaced(layer, {id(old): other})
                if find(layer, path) is old and not np.array_equal(old, other)
                else layer
            )
            outputs = run_forward(self.workshop, moved, self.forward_plan, inputs).outputs
        except Exception:  # noqa: BLE001  user code, with values that it was not written for
            return False
        return any(not np.array_equal(one, other) for one, other in zip(outputs, base, strict=False))

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Run the backward pass of the object that ran this forward pass."""
        layer, cache = forward.cache
        before = {name: np.array(value_at(layer, self.paths[name])) for name in self._updated}
        returned = forward.gradient
        if self.backward_plan is not None:
            self.calls.backward += 1
            returned = run_backward(self.workshop, layer, self.backward_plan, (cotangents, forward, cache, inputs))
        values = {}
        for name, place in self.places.items():
            if place.rate is None:
                values[name] = _read(place, layer, returned)
            else:
                after = np.asarray(value_at(layer, self.paths[name]))
                values[name] = (before[name] - after) / rate_of(place.rate, self.workshop.params)
        missing = [name for name, value in values.items() if value is None]
        problem = f"backward left no gradient for {', '.join(missing)}" if missing else None
        return Gradients(values, problem)

    @property
    def _updated(self) -> tuple[str, ...]:
        return tuple(name for name, place in self.places.items() if place.rate is not None)


def weights_for(outputs: tuple[Array, ...]) -> tuple[Array, ...]:
    """Return a cotangent for every output, of no special values, for passes that only show what is where."""
    return tuple(np.linspace(0.5, 1.5, output.size).reshape(output.shape).astype(output.dtype) for output in outputs)


def made_ready(workshop: Workshop, method: Method, inputs: Mapping[str, Array], *, primed: bool) -> Any:
    """Return a new object; where its parameters appear only in a forward pass, after one that it then forgets."""
    layer = workshop.made(inputs)
    if primed:
        run_forward(workshop, layer, method, inputs)
        kept = {id(array) for path, array in arrays_in(layer) if path in workshop.lasting}
        workshop.forget(layer, workshop.made(inputs), kept)
    return layer


def _viewed(arrays: list[Array]) -> set[int]:
    """Return the ``id`` of arrays whose memory others share: they are written into, or the others would not follow."""
    roots = Counter(root_of(array) for array in {id(array): array for array in arrays}.values())
    return {id(array) for array in arrays if roots[root_of(array)] > 1}


def _fitting(new: Array, old: Array) -> Array:
    """Return values that an array can hold.

    Raises
    ------
    TypeError
        It would round them, or drop their imaginary part.
    """
    if new.dtype.kind == "c" or np.finfo(new.dtype).eps < np.finfo(old.dtype).eps:
        raise TypeError(f"an array of {old.dtype} that others are views of cannot hold {new.dtype}")
    return new


def _like(new: Array, old: Array) -> Array:
    """Return an array as the class of another, with its attributes: some carry their gradient with them."""
    if type(old) is np.ndarray:
        return new
    made = new.view(type(old))
    vars(made).update(copy.deepcopy(vars(old)))
    return made


def _read(place: Place, layer: Any, returned: Any) -> Any:
    """Return what is at a place now, or ``None``."""
    root, *rest = steps(place.path)
    found = find(returned, path_of(*rest)) if root == RETURNED else find(layer, place.path)
    return None if found is MISSING else copy.copy(found)


def rate_of(rate: str | float, params: Mapping[str, Any]) -> float:
    """Return the rate at which backward takes gradients off parameters."""
    value = float(params[rate]) if isinstance(rate, str) else float(rate)
    if value == 0:
        raise TargetError(f"the rate '{rate}' is 0, expected one that moves the parameters")
    return value
