"""Makes the object of a pass, and runs its methods with what the names in their calls stand for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.spec.calls import Name
from gradverify.spec.presets import PRESETS
from gradverify.targets.arguments import arguments_of, called
from gradverify.targets.attributes import MISSING, described, find, put, value_at
from gradverify.targets.functions import multiplied, numbered, seed_global_generators
from gradverify.targets.handing import COPIES
from gradverify.targets.importing import with_objects
from gradverify.targets.memory import forget
from gradverify.targets.methods import Descent, Known, Method
from gradverify.targets.reading import read_forward
from gradverify.targets.signatures import Signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gradverify.spec.calls import Arguments, Call
    from gradverify.spec.presets import Preset
    from gradverify.spec.target_model import ObjectTarget
    from gradverify.targets.handing import Hand
    from gradverify.targets.protocol import Array, Forward

__all__ = ["Workshop", "forward_result", "run_backward", "run_forward"]


class Workshop:
    """Makes objects that are ready for a forward pass.

    Parameters
    ----------
    make
        Makes an object: the class, as a rule.
    target
        What the spec says of it.
    params
        Parameters of the case, Python objects among them.
    inputs
        Data of the case; their names and shapes matter here.

    Attributes
    ----------
    shape
        Of the first input of forward.
    lasting
        Paths of the arrays that a forward pass leaves in place.
    returns
        Names for what forward returns.
    hand
        Hands out the arrays.
    """

    def __init__(
        self,
        make: Callable[..., Any],
        target: ObjectTarget,
        params: Mapping[str, Any],
        inputs: Mapping[str, Array],
    ) -> None:
        self.target = target
        self.preset = preset = PRESETS[target.preset]
        self.params = params
        self.known = Known(tuple(inputs), tuple(params), preset)
        self.setup = target.setup or preset.setup
        self.attributes = with_objects(target.attributes)
        self._make = make
        calls = (*self.setup, target.forward, target.backward, *target.after, *target.reset)
        rates = (role.update for role in target.parameters.values() if isinstance(role.update, str))
        elsewhere = {*(name for call in calls if call is not None for name in call.names), *rates}
        elsewhere |= {*target.parameters, *(value for value in target.attributes.values() if isinstance(value, str))}
        self.arguments, self.constructor_inputs = _create_arguments(self._make, target.create, self.known, elsewhere)
        held = (value for value in target.attributes.values() if isinstance(value, str))
        self.constructor_inputs += tuple(name for name in held if name in inputs)
        self.shape: tuple[int, ...] = ()
        self.lasting: set[str] = set()
        self.forget = forget
        self.returns = target.returns
        self.hand: Hand = COPIES

    def handing(self, hand: Hand) -> Workshop:
        """Return the same workshop, giving arrays to the code by another hand."""
        other = copy.copy(self)
        other.hand = hand
        return other

    def names(self, inputs: Mapping[str, Array], layer: Any = None) -> dict[str, Any]:
        """Return what the names in a call stand for: copies, since code may change or keep what it is given."""
        own = {"input_shape": self.shape, "sample_shape": self.shape[1:], "optimizer": Descent(), "self": layer}
        arrays = {name: self.hand.array(name, array) for name, array in inputs.items()}
        return own | self.hand.params(self.params) | arrays

    def _first_names(self, inputs: Mapping[str, Array], layer: Any = None) -> dict[str, Any]:
        """Return what names stand for while an object is made: what it is given then is its own."""
        given = {name: self.hand.parameter(name, inputs[name]) for name in self.constructor_inputs if name in inputs}
        return self.handing(COPIES).names(inputs, layer) | given

    def made(self, inputs: Mapping[str, Array]) -> Any:
        """Return a new object, set up."""
        seed_global_generators()
        names = self._first_names(inputs)
        layer = called(self._make, *arguments_of(self.arguments, names))
        _own_class_attributes(layer)
        for path, value in self.attributes.items():
            put(layer, path, names[value] if isinstance(value, str) and value in names else copy.deepcopy(value))
        for call in self.setup:
            self.called(layer, call.path, call.arguments or (), self._first_names(inputs, layer))
        return layer

    def called(self, layer: Any, path: str, arguments: Any, names: Mapping[str, Any]) -> Any:
        """Call a method of an object."""
        return called(_method_at(layer, path), *arguments_of(arguments, names))

    def reset(self, layer: Any, inputs: Mapping[str, Array]) -> None:
        """Let an object forget its last pass, by the methods that the spec names, if it does."""
        for call in self.target.reset:
            self.called(layer, call.path, call.arguments or (), self._first_names(inputs, layer))

    @property
    def takes_gradients_off(self) -> bool:
        """Whether the optimizer of the setup is ours, so that backward takes gradients off the parameters."""
        return "optimizer" not in self.params and any("optimizer" in call.names for call in self.setup)


def _method_at(layer: Any, path: str) -> Any:
    """Return a method by its path: attributes go before the items of an object that is a table as well."""
    for name in path.split("."):
        layer = getattr(layer, name) if hasattr(layer, name) else value_at(layer, name)
    return layer


def _own_class_attributes(layer: Any) -> None:
    """Give an object tables and arrays of its own where it shares those of its class, with every other object."""
    if not hasattr(layer, "__dict__"):
        return
    shared = {name: value for kind in reversed(type(layer).__mro__[:-1]) for name, value in vars(kind).items()}
    for name, value in shared.items():
        if isinstance(value, (dict, list, np.ndarray)) and not name.startswith("__") and name not in vars(layer):
            object.__setattr__(layer, name, copy.deepcopy(value))


def run_forward(workshop: Workshop, layer: Any, method: Method, inputs: Mapping[str, Array]) -> Forward:
    """Run forward and read what it returned or left in attributes."""
    return read_forward(forward_result(workshop, layer, method, inputs), workshop.returns)


def _create_arguments(
    make: Callable[..., Any], call: Call, known: Known, elsewhere: Iterable[str]
) -> tuple[Arguments, tuple[str, ...]]:
    """Return the arguments of the constructor, and the inputs among them.

    Without arguments in the spec: the parameters, and the inputs that it has arguments for, by name.

    Parameters
    ----------
    make
        The class, or what makes the object.
    call
        As the spec has it.
    known
        Names of the case.
    elsewhere
        Names that other calls of the case take: the constructor gets those only where it has arguments for them.
    """
    if call.arguments is not None:
        return call.arguments, tuple(name for name in known.inputs if name in call.names)
    signature = Signature.of(make)
    named = {*signature.required, *signature.optional}
    inputs = tuple(name for name in known.inputs if name in named and name not in elsewhere)
    open_to_all = signature.keywords or call.arguments is not None
    params = (name for name in known.params if name in named or (open_to_all and name not in elsewhere))
    return tuple((name, Name(name)) for name in (*params, *inputs)), inputs


def forward_result(workshop: Workshop, layer: Any, method: Method, inputs: Mapping[str, Array]) -> Any:
    """Run forward and return what it returned, or left in attributes."""
    seed_global_generators()
    result = workshop.called(layer, method.name, method.arguments, workshop.names(inputs, layer))
    target = workshop.target
    if target.output is not None:
        result = value_at(layer, target.output)
    elif result is None:
        result = _left_output(layer, workshop.preset)
    return result


def _left_output(layer: Any, preset: Preset) -> Any:
    for path in preset.outputs:
        found = find(layer, path)
        if isinstance(found, (np.ndarray, np.generic, float)):
            return found
    raise TargetError(
        f"forward returned nothing, and where it left its output is not known: name it with output: PATH; "
        f"the {type(layer).__name__} has {described(layer)}"
    )


def run_backward(
    workshop: Workshop, layer: Any, method: Method, given: tuple[tuple[Array, ...], Forward, Any, Mapping[str, Array]]
) -> Any:
    """Run backward and return what it returned."""
    cotangents, forward, cache, inputs = given
    hand = workshop.hand
    outputs, weights = numbered("out", forward.outputs, hand), numbered("dout", cotangents, hand)
    names = workshop.names(inputs, layer) | outputs | weights
    if cache is not MISSING:
        names["cache"] = cache
    returned = workshop.called(layer, method.name, method.arguments, names)
    for call in workshop.target.after:
        workshop.called(layer, call.path, call.arguments or (), names)
    gives_entries = method.elementwise and not isinstance(returned, dict)
    return multiplied(cotangents[0], returned) if gives_entries else returned
