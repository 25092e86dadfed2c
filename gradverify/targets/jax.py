"""What jax differentiates: a function, with derivatives of its own or without; ``jax.vjp`` is its backward."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from gradverify.errors import TargetError
from gradverify.targets.arguments import arguments_of
from gradverify.targets.frameworks import listed, widest
from gradverify.targets.functions import seed_global_generators
from gradverify.targets.jax_arrays import array_of, numpy_of, precision
from gradverify.targets.protocol import Array, Calls, Forward, Gradients, Traits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gradverify.spec.calls import Arguments
    from gradverify.spec.model import Case
    from gradverify.spec.target_model import FrameworkTarget
    from gradverify.targets.handing import Hand

__all__ = ["JaxTarget", "jax_target"]

# What jax says where a custom vjp returns gradients in a wrong number or of a wrong shape.
_MISTAKEN = re.compile(r"Custom VJP bwd rule .*must produce")


def jax_target(
    found: Any,
    case: Case,
    inputs: Mapping[str, Array],
    params: Mapping[str, Any],
    differentiable: tuple[str, ...],
) -> JaxTarget:
    """Return the function that a case has jax differentiate.

    Parameters
    ----------
    found
        The function.
    case
        Says which.
    inputs
        The data of the case.
    params
        Its parameters, objects in the place of what is imported.
    differentiable
        Names of the inputs that have a gradient.

    Raises
    ------
    TargetError
        It is no function, or jax has no such dtype.
    """
    target: FrameworkTarget = case.target  # type: ignore[assignment]  # of this kind, as it was asked for here
    if any(value.dtype == np.longdouble for value in inputs.values()):
        raise TargetError("jax has no longdouble, expected float64, float32 or float16")
    if not callable(found):
        raise TargetError(f"'{target.call}' is a {type(found).__name__}, expected a function")
    return JaxTarget(found, params, differentiable, target.call.arguments)


@dataclass(slots=True)
class JaxTarget:
    """A target that jax differentiates.

    Attributes
    ----------
    function
        What is called.
    params
        Keyword arguments that are no inputs.
    wanted
        Names of the inputs that have a gradient.
    arguments
        What the call takes, where the spec says it; else all inputs, and parameters by keyword.
    """

    function: Callable[..., Any]
    params: Mapping[str, Any]
    wanted: tuple[str, ...]
    arguments: Arguments | None = None
    calls: Calls = field(default_factory=Calls)
    own_inputs: Mapping[str, Array] = field(default_factory=dict)
    unverified: tuple[str, ...] | None = None

    @property
    def traits(self) -> Traits:
        """What can be promised of what jax differentiates."""
        return Traits(keeps=False, differentiated=True, layouts=())

    def handing(self, hand: Hand) -> JaxTarget:  # noqa: ARG002  arrays of jax cannot be written into, nor lie otherwise
        """Return the same target."""
        return self

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the function as it is.

        Raises
        ------
        TargetError
            What it returned cannot be read.
        """
        self.calls.forward += 1
        real = not any(value.dtype.kind == "c" for value in inputs.values())
        with precision(widest(inputs.values())):
            outputs = self._outputs({name: array_of(value) for name, value in inputs.items()})
            if real and any(np.dtype(output.dtype).kind == "c" for output in outputs):
                raise TargetError("forward returned complex numbers, expected real ones")
            return Forward(tuple(numpy_of(output) for output in outputs))

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Return what ``jax.vjp`` gives, and whether it differentiates the function that forward runs."""
        self.calls.backward += 1
        with precision(widest(inputs.values())):
            arrays = {name: array_of(value) for name, value in inputs.items()}
            try:
                again, pull = jax.vjp(lambda moved: self._outputs({**arrays, **moved}), self._moved(arrays))
                weights = zip(cotangents, again, strict=True)
                (found,) = pull([jnp.asarray(weight, output.dtype) for weight, output in weights])
            except (TypeError, ValueError) as error:
                if _MISTAKEN.search(str(error)):
                    return Gradients({}, str(error).partition("\n")[0])
                raise
            values = {name: numpy_of(found[name]) for name in self.wanted}
            return Gradients(values, _apart([numpy_of(output) for output in again], forward.outputs))

    def _moved(self, arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {name: arrays[name] for name in self.wanted}

    def _outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Return the outputs of a floating dtype."""
        seed_global_generators()
        outputs = listed(self._called(arrays), jax.Array, "an array")
        if any(output.dtype == jnp.bfloat16 for output in outputs):
            raise TargetError(
                "forward returned bfloat16, which has too few digits to verify; expected float32 or float64"
            )
        floating = [output for output in outputs if np.dtype(output.dtype).kind in "fc"]
        if not floating:
            kinds = ", ".join(str(output.dtype) for output in outputs)
            raise TargetError(f"forward returned {kinds or 'nothing'}, expected an array of a floating dtype")
        return floating

    def _called(self, arrays: Mapping[str, Any]) -> Any:
        params = copy.deepcopy(dict(self.params))
        if self.arguments is None:
            return self.function(*arrays.values(), **params)
        positional, named = arguments_of(self.arguments, {**params, **arrays})
        return self.function(*positional, **named)


def _apart(again: Iterable[Array], outputs: Iterable[Array]) -> str | None:
    """Return what is wrong where the rule of a custom vjp computes another function than the one it stands for."""
    for number, (one, other) in enumerate(zip(again, outputs, strict=True), 1):
        if not _close(one, other):
            return f"output {number} of the forward rule is another than that of the function"
    return None


def _close(one: Array, other: Array) -> bool:
    """Return whether outputs agree to half of their digits: a rule may compute them otherwise."""
    if one.shape != other.shape:
        return False
    room = float(np.sqrt(np.finfo(other.dtype).eps)) * float(np.max(np.abs(other), initial=0.0))
    return bool(np.all(np.abs(one - other) <= room))
