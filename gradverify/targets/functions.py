"""A forward and a backward function, and the ways in which people let them return things."""

from __future__ import annotations

import inspect
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.spec.calls import Call
from gradverify.targets.arguments import arguments_of, called
from gradverify.targets.handing import COPIES, Hand
from gradverify.targets.protocol import LAYOUTS, Array, Calls, Forward, Gradients, Traits
from gradverify.targets.reading import holds_arrays, read_forward, read_gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.spec.calls import Arguments

__all__ = ["FunctionPair", "multiplied", "numbered", "seed_global_generators", "weighted"]


@dataclass(slots=True)
class FunctionPair:
    """A target made of two functions.

    Attributes
    ----------
    forward_function
        ``forward(*inputs, **params)``, unless its arguments are given.
    backward_function
        ``backward(*cotangents, cache)``, or ``backward(*cotangents, *inputs, **params)`` where forward returns no
        cache, unless its arguments are given; ``None`` where forward returns the gradient itself.
    params
        Keyword arguments.
    differentiable
        Names of the inputs that have a gradient, in order.
    returns
        Names for what forward returns, or ``None`` for one output and perhaps a cache.
    trusted
        Whether the functions are our own, which neither change nor keep what they are given: then nothing is copied.
    arguments
        What the calls of forward and backward take, where the spec says it.
    gradients
        Names for what backward returns, or paths into it by input; ``None`` for the order of the inputs.
    elementwise
        Whether backward returns the derivative of every entry, and takes what forward takes.
    global_names
        Inputs that are global names of the functions' module, and no arguments.
    layouts
        As of :class:`Traits`.
    hand
        Hands out the arrays.
    """

    forward_function: Callable[..., Any]
    backward_function: Callable[..., Any] | None
    params: Mapping[str, Any]
    differentiable: tuple[str, ...]
    returns: tuple[str, ...] | None = None
    trusted: bool = False
    arguments: tuple[Arguments | None, Arguments | None] = (None, None)
    gradients: tuple[str, ...] | Mapping[str, str] | None = None
    elementwise: bool = False
    global_names: tuple[str, ...] = ()
    layouts: tuple[str, ...] = LAYOUTS
    hand: Hand = COPIES
    calls: Calls = field(default_factory=Calls)
    own_inputs: Mapping[str, Array] = field(default_factory=dict)
    unverified: tuple[str, ...] | None = None

    @property
    def traits(self) -> Traits:
        """What can be promised of two functions."""
        return Traits(told=not self.elementwise, layouts=self.layouts)

    def handing(self, hand: Hand) -> FunctionPair:
        """Return the same functions, given arrays by another hand: also ours, which get no copies otherwise."""
        return replace(self, hand=hand)

    @property
    def _hands_over(self) -> bool:
        return self.trusted and self.hand is COPIES

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass.

        Raises
        ------
        TargetError
            What it returned cannot be read.
        """
        self.calls.forward += 1
        arguments, _ = self.arguments
        if self._hands_over:
            result = self.forward_function(*inputs.values(), **self.params)
        else:
            seed_global_generators()
            result = self._called(self.forward_function, arguments, list(inputs), self._names(inputs))
        forward = read_forward(result, self.returns, copies=not self.trusted)
        return weighted(forward, arguments=None if self.elementwise else self.arguments[1])

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Run the backward pass, or read the gradient that forward returned.

        Raises
        ------
        TargetError
            There is no backward pass and forward returned no gradient.
        """
        if forward.has_gradient:
            return self._read(forward.gradient, inputs)
        if self.backward_function is None:
            raise TargetError("there is no backward function, and forward returned no gradient")
        self.calls.backward += 1
        if self._hands_over and forward.has_cache:
            return self._read(self.backward_function(*cotangents, forward.cache), inputs)
        outputs, weights = numbered("out", forward.outputs, self.hand), numbered("dout", cotangents, self.hand)
        names = self._names(inputs) | outputs | weights
        if forward.has_cache:
            names["cache"] = forward.cache
        _, arguments = self.arguments
        result = self._called(self.backward_function, arguments, self._order(forward, inputs), names)
        if self.elementwise:
            result = multiplied(cotangents[0], result)
        return self._read(result, inputs)

    def _order(self, forward: Forward, inputs: Mapping[str, Array]) -> list[str]:
        """Return the names of what backward takes where nothing is said about it."""
        if self.elementwise:
            return list(inputs)
        weights = list(_numbers("dout", len(forward.outputs)))
        return [*weights, "cache"] if forward.has_cache else [*weights, *inputs]

    def _called(
        self, function: Callable[..., Any], arguments: Arguments | None, order: list[str], names: Mapping[str, Any]
    ) -> Any:
        for name in self.global_names:
            _globals_of(function)[name] = names[name]
        if arguments is not None:
            return called(function, *arguments_of(arguments, names))
        named = {} if "cache" in order else {name: names[name] for name in self.params}
        return called(function, (names[name] for name in order if name not in self.global_names), named)

    def _names(self, inputs: Mapping[str, Array]) -> dict[str, Any]:
        """Return what the names in a call stand for: copies, since code may change or keep what it is given."""
        if self._hands_over:
            return {**self.params, **inputs}
        return self.hand.params(self.params) | {name: self.hand.array(name, array) for name, array in inputs.items()}

    def _read(self, result: Any, inputs: Mapping[str, Array]) -> Gradients:
        return read_gradients(result, tuple(inputs), self.differentiable, self.gradients)


def _globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the global names that a function sees.

    Raises
    ------
    TargetError
        It is not written in Python.
    """
    found = getattr(inspect.unwrap(function), "__globals__", None)
    if not isinstance(found, dict):
        raise TargetError(f"{function!r} has no global names, expected a function written in Python")
    return found


def weighted(forward: Forward, arguments: Arguments | None) -> Forward:
    """Say of a forward pass which cotangents the call of its backward takes.

    Parameters
    ----------
    forward
        What forward returned.
    arguments
        Those of the call, or ``None`` where it takes them all.
    """
    if arguments is None:
        return forward
    named = {name for name in Call("", "", arguments).names if name.startswith("dout")}
    if not named:
        return replace(forward, summed=True)
    known = _numbers("dout", len(forward.outputs))
    return replace(forward, unweighted=frozenset(at for at, name in enumerate(known) if name not in named))


def numbered(stem: str, arrays: tuple[Array, ...], hand: Hand) -> dict[str, Array]:
    """Return what is handed out for arrays, by name: ``out``, ``out2``, ..."""
    return {name: hand.array(name, array) for name, array in zip(_numbers(stem, len(arrays)), arrays, strict=True)}


def _numbers(stem: str, count: int) -> tuple[str, ...]:
    return tuple(stem if number == 1 else f"{stem}{number}" for number in range(1, count + 1))


def multiplied(weight: Array, derivative: Any) -> Any:
    """Return the gradient where a function returns the derivative of every entry."""
    if isinstance(derivative, (tuple, list)) and holds_arrays(list(derivative)):
        return [weight * np.asarray(item) for item in derivative]
    return weight * np.asarray(derivative)


def seed_global_generators() -> None:
    """Let code that draws from a global generator draw the same in every pass: the mask of a dropout, say."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  it is what such code draws from
