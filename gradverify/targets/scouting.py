"""Runs an object once to learn its methods, its parameters, and where it leaves their gradients."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.spec.calls import Name
from gradverify.targets.attributes import (
    MISSING,
    arrays_in,
    find,
    numbers_in,
    root_of,
    shares_memory,
)
from gradverify.targets.discovery import Discovery
from gradverify.targets.finding import Finder
from gradverify.targets.gradients import Place, Seen
from gradverify.targets.locating import Locator
from gradverify.targets.memory import lasting, shrink
from gradverify.targets.methods import Method, backward_method, forward_method, same_argument, several_outputs
from gradverify.targets.objects import LayerObject, made_ready, weights_for
from gradverify.targets.parameters import OwnParameters
from gradverify.targets.protocol import Calls
from gradverify.targets.workshop import Workshop, forward_result, run_backward, run_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.spec.model import Case
    from gradverify.spec.target_model import ObjectTarget
    from gradverify.targets.protocol import Array, Forward

__all__ = ["load_object"]


def load_object(
    make: Callable[..., Any],
    case: Case,
    inputs: Mapping[str, Array],
    params: Mapping[str, Any],
    differentiable: tuple[str, ...],
) -> LayerObject:
    """Return a case's object, ready to run, with the parameters that it has and the case does not name.

    Parameters
    ----------
    make
        Makes an object: the class, as a rule.
    case
        What the spec says of it.
    inputs, params
        Its data and parameters, Python objects among them.
    differentiable
        Names of the inputs that have a gradient.

    Raises
    ------
    TargetError
        A method, a parameter or a gradient cannot be found; the message lists what the object has.
    """
    target: ObjectTarget = case.target  # type: ignore[assignment]  # callers know
    workshop = Workshop(make, target, params, inputs)
    return _Scout(workshop, inputs, differentiable).scouted(np.dtype(case.dtype))


class _Scout:
    """Runs an object once to find out which methods it has, what its parameters are, and where gradients are left.

    Parameters
    ----------
    workshop
        Makes the object.
    inputs
        Data of the case.
    differentiable
        Names of the inputs that have a gradient.
    """

    def __init__(self, workshop: Workshop, inputs: Mapping[str, Array], differentiable: tuple[str, ...]) -> None:
        self.workshop = workshop
        self.inputs = inputs
        self.differentiable = differentiable
        target = workshop.target
        fixed = (*workshop.constructor_inputs, *target.parameters)
        free = tuple(name for name in inputs if name not in fixed)
        workshop.shape = inputs[free[0]].shape if free else ()
        self.layer = workshop.made(inputs)
        self.fresh = {path: array.copy() for path, array in arrays_in(self.layer)}
        self.forward_plan, self.forwarded = forward_method(self.layer, target.forward, free, workshop.known)
        backward = () if target.backward is None else target.backward.names
        self.named = tuple(
            name
            for name in free
            if name not in self.forwarded and not (name in backward and name not in differentiable)
        )

    def scouted(self, dtype: np.dtype[Any]) -> LayerObject:
        """Return the target."""
        numbers = dict(numbers_in(self.workshop.made(self.inputs)))
        first, self.workshop.lasting = self._steady()
        locator = Locator(self.layer, self.workshop, self.inputs, self.forward_plan.name, self.forwarded)
        paths = locator.paths(self.named)
        late = not self.workshop.lasting <= first
        if late and not self._keeps_its_parameters():
            self.workshop.forget = shrink
        plan, discovery = self._trial(paths, numbers, late=late)
        rate = self._rate(plan)
        finder = Finder(self.workshop.target, discovery.seen, paths, rate)
        places = {name: finder.place(name, self.inputs[name]) for name in self.differentiable}
        made = LayerObject(self.workshop, self.forward_plan, self._interpreted(plan, paths, places), paths, places)
        own = OwnParameters(made, self.inputs, self.fresh, dtype, replace(discovery, owned=discovery.seen.held(places)))
        if self.workshop.target.discover:
            own.add_named(rate)
        self._keep(made, late=any(path not in first and path not in numbers for path in made.paths.values()))
        if self.workshop.target.discover:
            made.unverified = (*own.drop_idle(), *own.complete())
        made.calls = Calls()  # those of the search do not count
        return made

    def _trial(
        self, paths: Mapping[str, str], numbers: Mapping[str, Array], *, late: bool
    ) -> tuple[Method | None, Discovery]:
        """Run one forward and backward pass of an object that no pass has used; returns how, and what can be seen."""
        self.layer = made_ready(self.workshop, self.forward_plan, self.inputs, primed=late)
        forward = run_forward(self.workshop, self.layer, self.forward_plan, self.inputs)
        before = {path: array.copy() for path, array in arrays_in(self.layer)}
        held = (find(self.layer, path) for path in paths.values())
        roots = {root_of(value) for value in held if isinstance(value, np.ndarray)}
        arrays = ((path, array) for path, array in arrays_in(self.layer) if path in self.workshop.lasting)
        stable = {path: array for path, array in arrays if self._is_free(path, array, roots)}
        plan = self._backward_plan(forward)
        seen = self._seen(plan, forward, before)
        if plan is not None and plan.elementwise and isinstance(seen.returned, dict):
            plan = replace(plan, elementwise=False)  # gradients by name are no derivative of an entry
        return plan, Discovery(stable, before, self._unchanged(numbers, paths), seen)

    def _unchanged(self, numbers: Mapping[str, Array], paths: Mapping[str, str]) -> dict[str, Array]:
        """Return the floats that no pass has changed and the case does not name: results are floats, too."""
        now = dict(numbers_in(self.layer))
        return {
            path: value
            for path, value in numbers.items()
            if path in now and np.array_equal(now[path], value) and path not in paths.values()
        }

    def _interpreted(
        self, method: Method | None, paths: Mapping[str, str], places: Mapping[str, Place]
    ) -> Method | None:
        """Return backward as the derivative of every entry, where its argument is called as that of forward.

        ``backward(x)`` beside ``forward(x)`` may take a cotangent, the input or the output; the one that agrees with a
        difference along a direction is meant.
        """
        open_to_doubt = self.workshop.target.backward is None and not paths and len(self.differentiable) == 1
        if method is None or method.elementwise or not open_to_doubt:
            return method
        if not same_argument(self.layer, self.forward_plan.name, method.name):
            return method
        of_output: Method = Method(method.name, ((None, Name("out")),), elementwise=True)
        readings = (method, Method(method.name, self.forward_plan.arguments, elementwise=True), of_output)
        made = (LayerObject(self.workshop, self.forward_plan, reading, paths, places) for reading in readings)
        errors = [one.error_along(self.inputs, self.differentiable[0]) for one in made]
        return readings[int(np.argmin(errors))]

    def _steady(self) -> tuple[set[str], set[str]]:
        """Return the paths of the arrays that are there from the beginning, and of those that no pass replaces."""
        first = {path for path, _ in arrays_in(self.layer)}
        result = forward_result(self.workshop, self.layer, self.forward_plan, self.inputs)
        if self.workshop.returns is None:
            preset, call = self.workshop.preset, self.workshop.target.backward
            self.workshop.returns = several_outputs(self.layer, call, preset, result)
        once = dict(arrays_in(self.layer))
        try:
            self.workshop.reset(self.layer, self.inputs)
            run_forward(self.workshop, self.layer, self.forward_plan, self.inputs)
        except Exception:  # noqa: BLE001  an object for one pass: nothing more can be learned
            return first, set(once)
        twice = dict(arrays_in(self.layer))
        same = {path for path in self.fresh if path in twice and np.array_equal(self.fresh[path], twice[path])}
        return first, lasting(once, twice) | same

    def _keeps_its_parameters(self) -> bool:
        """Return whether an object that was made to forget its first pass can run again, and with the same arrays."""
        layer = made_ready(self.workshop, self.forward_plan, self.inputs, primed=True)
        held = dict(arrays_in(layer))
        try:
            run_forward(self.workshop, layer, self.forward_plan, self.inputs)
        except Exception:  # noqa: BLE001  user code that misses what it was made to forget
            return False
        now = dict(arrays_in(layer))
        return all(now.get(path) is held[path] for path in self.workshop.lasting if path in held)

    def _keep(self, made: LayerObject, *, late: bool) -> None:
        """Give the target what it makes the object of a pass from."""
        made.primed = late
        if self.workshop.target.reset:
            made.kept = made_ready(self.workshop, self.forward_plan, self.inputs, primed=late)
        elif not self.workshop.constructor_inputs:
            made.pristine = _copied(made_ready(self.workshop, self.forward_plan, self.inputs, primed=late))

    def _backward_plan(self, forward: Forward) -> Method | None:
        if forward.has_gradient:
            return None
        scalar = len(forward.outputs) == 1 and forward.outputs[0].size == 1
        target = self.workshop.target
        method = backward_method(
            self.layer,
            target.backward,
            self.forward_plan,
            self.workshop.known,
            (len(forward.outputs), scalar, forward.has_cache),
        )
        if method is None:
            raise TargetError(
                f"the {type(self.layer).__name__} has no backward method that is known, name one with backward: "
                "METHOD, or say returns: [out, grad] where forward returns its own gradient"
            )
        if target.elementwise:
            arguments = self.forward_plan.arguments if target.backward.arguments is None else method.arguments  # type: ignore[union-attr]  # a derivative is named
            return Method(method.name, arguments, elementwise=True)
        return method

    def _seen(self, method: Method | None, forward: Forward, before: Mapping[str, Array]) -> Seen:
        inputs = tuple(name for name in self.forwarded if name in self.differentiable)
        returned, weights = forward.gradient, weights_for(forward.outputs)
        if method is not None:
            cache = forward.cache if forward.has_cache else MISSING
            returned = run_backward(self.workshop, self.layer, method, (weights, forward, cache, self.inputs))
        others = tuple(name for name in self.differentiable if name not in inputs)
        written = {
            path: array
            for path, array in arrays_in(self.layer)
            if array.dtype.kind == "f"
            and not any(
                np.array_equal(array, known) for known in (before.get(path, ()), *weights, *self.inputs.values())
            )
        }
        return Seen(self.layer, returned, inputs, others, self.workshop.preset, written)

    def _rate(self, method: Method | None) -> str | float | None:
        if self.workshop.takes_gradients_off:
            return 1.0
        return None if method is None else method.rate

    def _is_free(self, path: str, array: Array, roots: set[int]) -> bool:
        """Return whether an array may be a parameter: numbers, unknown to the case, and no copy that a pass left."""
        if path in self.workshop.target.constants or array.dtype.kind not in "fiu":
            return False
        same = [name for name, other in self.inputs.items() if np.array_equal(array, other)]
        given = any(name in self.workshop.constructor_inputs for name in same)
        left = bool(same) and not np.array_equal(self.fresh.get(path, ()), array)
        return bool(array.size) and root_of(array) not in roots and not given and not left


def _copied(layer: Any) -> Any:
    """Return a copy that shares nothing, or ``None`` where the object cannot be copied."""
    arrays = [array for _, array in arrays_in(layer)]
    if any(type(array) is not np.ndarray for array in arrays) or shares_memory(arrays):
        return None  # a copy of an array with attributes has none, and that of a view is no view
    try:
        return copy.deepcopy(layer)
    except Exception:  # noqa: BLE001  locks, open files, or a __deepcopy__ of the user's
        return None
