"""A forward and a backward function, and the ways in which people let them return things."""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from gradverify.errors import TargetError, nearest_name
from gradverify.spec.calls import Argument, Call
from gradverify.targets.arguments import arguments_of
from gradverify.targets.attributes import value_at
from gradverify.targets.protocol import Array, Calls, Forward, Gradients

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "FunctionPair",
    "multiplied",
    "names_cotangent",
    "numbered",
    "read_forward",
    "read_gradients",
    "seed_global_generators",
]

Arguments: TypeAlias = "tuple[tuple[str | None, Argument], ...]"


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
    calls: Calls = field(default_factory=Calls)
    own_inputs: Mapping[str, Array] = field(default_factory=dict)

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass.

        Raises
        ------
        TargetError
            What it returned cannot be read.
        """
        self.calls.forward += 1
        arguments, _ = self.arguments
        if self.trusted:
            result = self.forward_function(*inputs.values(), **self.params)
        else:
            seed_global_generators()
            result = self._called(self.forward_function, arguments, list(inputs), self._names(inputs))
        forward = read_forward(result, self.returns, copies=not self.trusted)
        return replace(forward, summed=True) if self._ignores_cotangent else forward

    @property
    def _ignores_cotangent(self) -> bool:
        """Whether backward is told no cotangent, so that its gradient is that of a sum."""
        _, arguments = self.arguments
        return arguments is not None and not self.elementwise and not names_cotangent(arguments)

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
        if self.trusted and forward.has_cache:
            return self._read(self.backward_function(*cotangents, forward.cache), inputs)
        names = self._names(inputs) | numbered("out", forward.outputs) | numbered("dout", cotangents)
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
        weights = list(numbered("dout", forward.outputs))
        return [*weights, "cache"] if forward.has_cache else [*weights, *inputs]

    def _called(
        self, function: Callable[..., Any], arguments: Arguments | None, order: list[str], names: Mapping[str, Any]
    ) -> Any:
        if arguments is not None:
            positional, named = arguments_of(arguments, names)
            return function(*positional, **named)
        named = {} if "cache" in order else {name: names[name] for name in self.params}
        return function(*(names[name] for name in order), **named)

    def _names(self, inputs: Mapping[str, Array]) -> dict[str, Any]:
        """Return what the names in a call stand for: copies, since code may change or keep what it is given."""
        if self.trusted:
            return {**self.params, **inputs}
        return {**copy.deepcopy(dict(self.params)), **{name: array.copy() for name, array in inputs.items()}}

    def _read(self, result: Any, inputs: Mapping[str, Array]) -> Gradients:
        return read_gradients(result, tuple(inputs), self.differentiable, self.gradients)


def names_cotangent(arguments: Arguments) -> bool:
    """Return whether a call of backward is given a cotangent."""
    return any(name.startswith("dout") for name in Call("", "", arguments).names)


def numbered(stem: str, arrays: tuple[Array, ...]) -> dict[str, Array]:
    """Return copies of arrays by name: ``out``, ``out2``, ..."""
    return {stem if number == 1 else f"{stem}{number}": array.copy() for number, array in enumerate(arrays, 1)}


def multiplied(weight: Array, derivative: Any) -> Any:
    """Return the gradient where a function returns the derivative of every entry."""
    if isinstance(derivative, (tuple, list)) and _holds_arrays(list(derivative)):
        return [weight * np.asarray(item) for item in derivative]
    return weight * np.asarray(derivative)


def seed_global_generators() -> None:
    """Let code that draws from a global generator draw the same in every pass: the mask of a dropout, say."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002  it is what such code draws from


def read_forward(result: Any, returns: tuple[str, ...] | None, *, copies: bool = True) -> Forward:
    """Sort what a forward function returned into outputs, cache and gradient.

    Parameters
    ----------
    result
        One array is the output; a 2-tuple is output and cache; anything else needs ``returns``.
    returns
        A name for each part: ``out``, ``out2``, ..., ``cache``, ``grad``, ``_``.
    copies
        Whether outputs are copied: code may return its own input, or one buffer again and again.

    Raises
    ------
    TargetError
        The parts do not match their names, or an output is no array of numbers.
    """
    parts = _named(result, returns)
    raw = [parts[name] for name in parts if name.startswith("out")]
    outputs: list[Array] = []
    for value in raw:
        several = isinstance(value, tuple) or (isinstance(value, list) and _holds_arrays(value))
        outputs.extend(_output(item, copies) for item in (value if several else (value,)))
    return Forward(
        outputs=tuple(outputs),
        cache=parts.get("cache"),
        has_cache="cache" in parts,
        gradient=parts.get("grad"),
        has_gradient="grad" in parts,
        summed="grad" in parts,
    )


def _named(result: Any, returns: tuple[str, ...] | None) -> dict[str, Any]:
    if returns is None:
        if not isinstance(result, tuple):
            return {"out": result}
        if len(result) != 2:
            raise TargetError(
                f"forward returned a tuple of {len(result)}, expected an array or (out, cache); "
                "name its parts with returns: [out, ...]"
            )
        return {"out": result[0], "cache": result[1]}
    values = result if isinstance(result, (tuple, list)) and len(returns) > 1 else (result,)
    if len(values) != len(returns):
        raise TargetError(f"forward returned {len(values)} values, expected {len(returns)}: {', '.join(returns)}")
    return {name: value for name, value in zip(returns, values, strict=True) if name != "_"}


def _holds_arrays(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(value, np.ndarray) for value in values)


def _output(value: Any, copies: bool) -> Array:
    try:
        array = np.array(value, copy=True) if copies else np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TargetError(f"forward returned a {type(value).__name__} that is no array of numbers: {error}") from None
    if array.dtype.kind in "biu":
        return array.astype(np.float64)
    if array.dtype.kind not in "fc":
        raise TargetError(f"forward returned {_described(value)}, expected an array of numbers")
    return array


def _described(value: Any) -> str:
    dtype = f" of dtype {value.dtype}" if isinstance(value, np.ndarray) else ""
    return f"a {type(value).__name__}{dtype}"


def read_gradients(
    result: Any,
    names: tuple[str, ...],
    differentiable: tuple[str, ...],
    gradients: tuple[str, ...] | Mapping[str, str] | None = None,
) -> Gradients:
    """Sort what a backward function returned by input.

    Parameters
    ----------
    result
        One array, a tuple or list in the order of the inputs, or a dict by name (``x``, else ``dx``).
    names
        All inputs, in order.
    differentiable
        Those that have a gradient; ``None`` is accepted in the place of the others.
    gradients
        Names for what was returned, in order, with ``_`` for what does not matter; or by input a path into it. ``None``
        leaves it to the order of the inputs.
    """
    if isinstance(gradients, tuple):
        return _by_position(result, gradients, differentiable)
    if gradients is not None:
        return Gradients({name: value_at(result, path) for name, path in gradients.items() if name in differentiable})
    if isinstance(result, dict):
        return _by_name(result, names, differentiable)
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    if len(values) == len(differentiable):
        return Gradients(dict(zip(differentiable, values, strict=True)))
    if len(values) == len(names) and _none_elsewhere(values, names, differentiable):
        return Gradients({name: value for name, value in zip(names, values, strict=True) if name in differentiable})
    wanted = ", ".join(differentiable)
    message = f"backward returned {len(values)} gradients, expected {len(differentiable)}: {wanted}"
    return Gradients({}, message)


def _by_position(result: Any, order: tuple[str, ...], differentiable: tuple[str, ...]) -> Gradients:
    values = list(result) if isinstance(result, (tuple, list)) and len(order) > 1 else [result]
    if len(values) != len(order):
        return Gradients({}, f"backward returned {len(values)} values, expected {len(order)}: {', '.join(order)}")
    found = {name: value for name, value in zip(order, values, strict=True) if name in differentiable}
    missing = [name for name in differentiable if name not in found]
    return Gradients(found, f"gradients names none for {', '.join(missing)}" if missing else None)


def _none_elsewhere(values: list[Any], names: tuple[str, ...], differentiable: tuple[str, ...]) -> bool:
    return all(value is None for name, value in zip(names, values, strict=True) if name not in differentiable)


def _by_name(result: dict[Any, Any], names: tuple[str, ...], differentiable: tuple[str, ...]) -> Gradients:
    found, used = {}, set()
    for name in names:
        key = name if name in result else f"d{name}"
        if key in result:
            used.add(key)
            if name in differentiable:
                found[name] = result[key]
    missing = [name for name in differentiable if name not in found]
    if not missing:
        return Gradients(found)
    unused = [str(key) for key in result if key not in used]
    hint = f"; {nearest_name(missing[0], tuple(unused))}" if unused else ""
    return Gradients(found, f"backward returned no gradient for {', '.join(missing)}{hint}")
