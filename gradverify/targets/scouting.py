"""Runs an object once to learn its methods, its parameters, and where it leaves their gradients."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.targets.attributes import MISSING, arrays_in, described, find, steps, value_at
from gradverify.targets.drawing import varied
from gradverify.targets.finding import Finder
from gradverify.targets.gradients import Place, Seen, discovered
from gradverify.targets.memory import lasting
from gradverify.targets.methods import Method, backward_method, forward_method, several_outputs
from gradverify.targets.objects import LayerObject, made_ready
from gradverify.targets.protocol import Calls
from gradverify.targets.workshop import Workshop, forward_result, run_backward, run_forward

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.spec.model import Case, ObjectTarget
    from gradverify.targets.protocol import Array, Forward

__all__ = ["load_object"]

# How many arrays without a gradient are looked at: each takes a forward pass.
_MOST_LOOKED_AT = 16


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
        self.forward_plan, self.forwarded = forward_method(self.layer, target.forward, free, workshop.known)
        self.named = tuple(name for name in free if name not in self.forwarded)

    def scouted(self, dtype: np.dtype[Any]) -> LayerObject:
        """Return the target."""
        first, steady = self._steady()
        self.workshop.lasting = steady
        paths = self._paths()
        late = any(path not in first for path in steady)
        self.layer = made_ready(self.workshop, self.forward_plan, self.inputs, primed=late)
        forward = run_forward(self.workshop, self.layer, self.forward_plan, self.inputs)
        stable = {path: array for path, array in arrays_in(self.layer) if path in steady}
        before = {path: array.copy() for path, array in stable.items()}
        backward_plan = self._backward_plan(forward)
        seen = self._seen(backward_plan, forward)
        rate = self._rate(backward_plan)
        found = self._discovered(stable, before, paths, seen, rate)
        names = self._names_of(found)
        finder = Finder(self.workshop.target, seen, paths, rate)
        places = {name: finder.place(name, self.inputs[name]) for name in self.differentiable}
        places |= {names[path]: place for path, place in found.items()}
        paths |= {name: path for path, name in names.items()}
        made = LayerObject(self.workshop, self.forward_plan, backward_plan, paths, places)
        made.own_inputs = {names[path]: varied(path, before[path].astype(dtype)) for path in found}
        self._keep(made, late=any(path not in first for path in paths.values()))
        if self.workshop.target.discover:
            made.unverified = self._unverified(made, stable, before)
        made.calls = Calls()  # those of the search do not count
        return made

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
        return first, lasting(once, dict(arrays_in(self.layer)))

    def _keep(self, made: LayerObject, *, late: bool) -> None:
        """Give the target what it makes the object of a pass from."""
        made.primed = late
        if self.workshop.target.reset is not None:
            made.kept = made_ready(self.workshop, self.forward_plan, self.inputs, primed=late)
        elif not self.workshop.constructor_inputs:
            made.pristine = _copied(made_ready(self.workshop, self.forward_plan, self.inputs, primed=late))

    def _unverified(
        self, made: LayerObject, stable: Mapping[str, Array], before: Mapping[str, Array]
    ) -> tuple[str, ...]:
        """Return arrays that move the outputs and have no gradient that was found."""
        inputs = {**self.inputs, **made.own_inputs}
        verified = {id(stable[path]) for path in made.paths.values() if path in stable}
        others = [path for path, array in stable.items() if self._may_be_parameter(array, verified)]
        base = made.forward(inputs).outputs
        moving = [path for path in others[:_MOST_LOOKED_AT] if made.is_moved_by(path, inputs, base)]
        return tuple(f"{path}{self._change(path, before)}" for path in moving)

    def _change(self, path: str, before: Mapping[str, Array]) -> str:
        """Return what else is to be said of an array without a gradient."""
        after = find(self.layer, path)
        if np.shape(after) != before[path].shape or np.array_equal(after, before[path]):
            return ""
        return " (changed by backward: update would say at which rate)"

    def _paths(self) -> dict[str, str]:
        """Return where the object keeps the inputs that are parameters."""
        target = self.workshop.target
        paths = {name: role.value for name, role in target.parameters.items()}
        for name in self.named:
            paths[name] = self._path_of(name)
        for name, path in paths.items():
            self._check(name, path)
        return paths

    def _is_among_gradients(self, path: str) -> bool:
        gradients = {gradients for _, gradients in self.workshop.preset.containers}
        return not gradients.isdisjoint(steps(path)[:-1])

    def _path_of(self, name: str) -> str:
        """Return the path that ends with the name of an input."""
        if isinstance(find(self.layer, name), np.ndarray):
            return name
        ends = [path for path, _ in arrays_in(self.layer) if steps(path)[-1] == name]
        if ends:
            return min(ends, key=self._is_among_gradients)
        if find(self.layer, name) is MISSING:
            method, kind = self.forward_plan.name, type(self.layer).__name__
            call = f"{method}({', '.join((*self.forwarded, name))})"
            raise TargetError(
                f"neither the constructor nor {method} takes '{name}', and the {kind} has no array of that name; "
                f"say what {method} takes, as in forward: {call}, or where it is with parameters: {{{name}: PATH}}; "
                f"it has {described(self.layer)}"
            )
        return name

    def _check(self, name: str, path: str) -> None:
        found = value_at(self.layer, path)
        wanted, got = self.inputs[name].shape, np.shape(found)
        if wanted != got:
            raise TargetError(f"'{name}' has shape {list(wanted)}, but {path} of the object has {list(got)}")

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
                f"the {type(self.layer).__name__} has no backward method that is known, name one with backward: METHOD"
            )
        if target.elementwise:
            arguments = self.forward_plan.arguments if target.backward.arguments is None else method.arguments  # type: ignore[union-attr]  # a derivative is named
            return Method(method.name, arguments, elementwise=True)
        return method

    def _seen(self, method: Method | None, forward: Forward) -> Seen:
        inputs = tuple(name for name in self.forwarded if name in self.differentiable)
        returned = forward.gradient
        if method is not None:
            ones = tuple(np.ones_like(output) for output in forward.outputs)
            cache = forward.cache if forward.has_cache else MISSING
            returned = run_backward(self.workshop, self.layer, method, (ones, forward, cache, self.inputs))
        others = tuple(name for name in self.differentiable if name not in inputs)
        return Seen(self.layer, returned, inputs, others, self.workshop.preset)

    def _rate(self, method: Method | None) -> str | float | None:
        if self.workshop.takes_gradients_off:
            return 1.0
        return None if method is None else method.rate

    def _discovered(
        self,
        stable: Mapping[str, Array],
        before: Mapping[str, Array],
        paths: Mapping[str, str],
        seen: Seen,
        rate: str | float | None,
    ) -> dict[str, Place]:
        if not self.workshop.target.discover:
            return {}
        known = {id(stable[path]) for path in paths.values() if path in stable}
        others = {path: array for path, array in stable.items() if self._may_be_parameter(array, known)}
        if rate is None:
            return discovered(others, before, seen)
        found: dict[str, Place] = {}
        for path, array in others.items():
            after = find(seen.layer, path)
            moved = np.shape(after) == before[path].shape and not np.array_equal(after, before[path])
            if moved and id(array) not in known:
                found[path] = Place(path, rate)
                known.add(id(array))
        return found

    def _may_be_parameter(self, array: Array, known: set[int]) -> bool:
        """Return whether an array is one of numbers, is not named by the case, and is no copy of an input."""
        inputs = self.inputs.values()
        copied = any(array.shape == other.shape and np.array_equal(array, other) for other in inputs)
        return array.dtype.kind == "f" and bool(array.size) and id(array) not in known and not copied

    def _names_of(self, found: Mapping[str, Place]) -> dict[str, str]:
        """Return a short name for every parameter found: the end of its path, where that is no other's."""
        ends = [_end(path, place, self.workshop.preset.arrays) for path, place in found.items()]
        return {
            path: end if ends.count(end) == 1 and end not in self.inputs else path
            for path, end in zip(found, ends, strict=True)
        }


def _end(path: str, place: Place, arrays: tuple[tuple[str, str], ...]) -> str:
    """Return the last step of a path that is a name of its own: ``w`` of ``w[0]``, and of ``w.value`` by ``w.grad``."""
    own = [step for step in steps(path) if not step.isdigit()]
    beside = steps(path)[:-1] == steps(place.path)[:-1] and (steps(path)[-1], steps(place.path)[-1]) in arrays
    return own[-2] if len(own) > 1 and beside else own[-1]


def _copied(layer: Any) -> Any:
    """Return a copy that shares nothing, or ``None`` where the object cannot be copied."""
    if any(type(array) is not np.ndarray for _, array in arrays_in(layer)):
        return None  # a copy of an array with attributes has none
    try:
        return copy.deepcopy(layer)
    except Exception:  # noqa: BLE001  locks, open files, or a __deepcopy__ of the user's
        return None
