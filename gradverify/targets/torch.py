"""What torch differentiates: a function, an ``autograd.Function`` or a module; backward is its automatic one."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradverify.errors import TargetError
from gradverify.targets.frameworks import listed, widest
from gradverify.targets.functions import seed_global_generators
from gradverify.targets.handing import COPIES, Hand
from gradverify.targets.protocol import Array, Calls, Forward, Gradients, Traits
from gradverify.targets.torch_arrays import array_of, dtype_of, has_drawn, numpy_of, precision, seed, shared_of
from gradverify.targets.torch_calls import FunctionCall, read_torch_call
from gradverify.targets.torch_modules import ModuleCall, module_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gradverify.spec.model import Case
    from gradverify.spec.target_model import FrameworkTarget

__all__ = ["TorchTarget", "torch_target"]

# What torch says where a Function's backward returns gradients in a wrong number or of a wrong shape.
_MISTAKEN = re.compile(r"returned an (invalid gradient|incorrect number of gradients)")


def torch_target(
    found: Any,
    case: Case,
    inputs: Mapping[str, Array],
    params: Mapping[str, Any],
    differentiable: tuple[str, ...],
) -> TorchTarget:
    """Return what a case has torch differentiate.

    Parameters
    ----------
    found
        The function, ``autograd.Function`` or module, or what makes a module.
    case
        Says what, and in which dtype.
    inputs
        The data of the case.
    params
        Its parameters, objects in the place of what is imported.
    differentiable
        Names of the inputs that have a gradient.

    Raises
    ------
    TargetError
        There is no such thing, no such device or dtype, or the parameters of a module do not fit.
    """
    target: FrameworkTarget = case.target  # type: ignore[assignment]  # of this kind, as it was asked for here
    _check_dtypes([case.dtype, *(str(value.dtype) for value in inputs.values())])
    _check_device(target.device)
    _seed_all()
    call = read_torch_call(found, case, inputs, params)
    if call.module is None:
        return TorchTarget(call, None, differentiable, target.device)
    _settle(call, target, inputs)
    call.module.to(device=target.device, dtype=dtype_of(case.dtype))
    module = module_call(call, target, inputs, differentiable)
    wanted = (*differentiable, *module.own_inputs)
    return TorchTarget(call, module, wanted, target.device, own_inputs=module.own_inputs)


def _settle(call: FunctionCall, target: FrameworkTarget, inputs: Mapping[str, Array]) -> None:
    """Run a lazy module once, in the dtype in which it was made: its parameters have shapes only then."""
    parameters = dict(call.module.named_parameters())
    if not any(torch.nn.parameter.is_lazy(parameter) for parameter in parameters.values()):
        return
    names = [name for name in inputs if target.parameters.get(name, name) not in parameters]
    tensors = {name: array_of(inputs[name]) for name in names}
    with torch.no_grad():
        call({name: value.float() if value.is_floating_point() else value for name, value in tensors.items()})


def _check_dtypes(names: Iterable[str]) -> None:
    for name in names:
        try:
            dtype_of(name)
        except TypeError:
            known = "longdouble" if np.dtype(name) == np.longdouble else name
            raise TargetError(f"torch has no {known}, expected float64, float32 or float16") from None


def _check_device(name: str) -> None:
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise TargetError(f"there is no device '{name}': torch finds no CUDA here, expected cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise TargetError(f"there is no device '{name}': {reason}") from None


@dataclass(slots=True)
class TorchTarget:
    """A target that torch differentiates.

    Attributes
    ----------
    call
        What is called.
    module
        The module that is called, or ``None``.
    wanted
        Names of the inputs that have a gradient.
    device
        Where it computes.
    hand
        Hands out the arrays.
    """

    call: FunctionCall
    module: ModuleCall | None
    wanted: tuple[str, ...]
    device: str = "cpu"
    hand: Hand = COPIES
    calls: Calls = field(default_factory=Calls)
    own_inputs: Mapping[str, Array] = field(default_factory=dict)
    unverified: tuple[str, ...] | None = None
    _kept: tuple[bool, ...] | None = None
    _records: bool = False
    _draws: bool = False

    @property
    def traits(self) -> Traits:
        """What can be promised of what torch differentiates.

        Leaves are cloned, which keeps their order alone; and random numbers are drawn in the order of memory.
        """
        return Traits(
            keeps=False,
            is_object=self.module is not None,
            differentiated=True,
            parameters=frozenset(() if self.module is None else self.module.roles),
            layouts=() if self._draws or self.device != "cpu" else ("fortran",),
        )

    def handing(self, hand: Hand) -> TorchTarget:
        """Return the same target, given arrays by another hand."""
        return replace(self, hand=hand)

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass; the first one is recorded, to tell outputs from constants.

        Raises
        ------
        TargetError
            What it returned cannot be read.
        """
        if self._kept is None or self._records:
            return self._passed(inputs, grad=True)
        try:
            return self._passed(inputs, grad=False)
        except RuntimeError:  # code that differentiates in its forward pass: a force as the slope of an energy
            forward = self._passed(inputs, grad=True)
            self._records = True
            return forward

    def _passed(self, inputs: Mapping[str, Array], *, grad: bool) -> Forward:
        with _computing(inputs, grad=grad):
            outputs, _ = self._called(inputs)
        return Forward(tuple(numpy_of(output) for output in outputs))

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:  # noqa: ARG002  a pass of its own is recorded
        """Run forward anew, recorded, and return what torch makes of it."""
        self.calls.backward += 1
        with _computing(inputs, grad=True):
            outputs, leaves = self._called(inputs)
            try:
                return Gradients(self._gradients(outputs, leaves, cotangents))
            except RuntimeError as error:
                if _MISTAKEN.search(str(error)):
                    return Gradients({}, str(error))
                raise

    def _gradients(
        self, outputs: list[Any], leaves: Mapping[str, Any], cotangents: tuple[Array, ...]
    ) -> dict[str, Array]:
        pairs = [(output, weight) for output, weight in zip(outputs, cotangents, strict=True) if output.requires_grad]
        if not pairs:
            return {name: np.zeros_like(numpy_of(leaves[name])) for name in self.wanted}
        handed = (self.hand.array(f"dout{number or ''}", weight) for number, (_, weight) in enumerate(pairs))
        weights = [
            shared_of(weight, self.device).to(output.dtype) for (output, _), weight in zip(pairs, handed, strict=True)
        ]
        found = torch.autograd.grad(
            [output for output, _ in pairs],
            [leaves[name] for name in self.wanted],
            weights,
            allow_unused=True,
            materialize_grads=True,
        )
        return {name: numpy_of(value) for name, value in zip(self.wanted, found, strict=True)}

    def _called(self, inputs: Mapping[str, Array]) -> tuple[list[Any], Mapping[str, Any]]:
        """Return the outputs that count, and the tensors with respect to which they are differentiated."""
        self.calls.forward += 1
        roles = {} if self.module is None else self.module.roles
        tensors = {name: self._tensor(name, value, lies=name not in roles) for name, value in inputs.items()}
        for name in self.wanted if torch.is_grad_enabled() else ():
            tensors[name].requires_grad_()
        if self.module is not None:
            dtype = widest(inputs.values())
            tensors = self.module.placed(tensors, None if dtype is None else dtype_of(dtype))
            self.hand.held(lambda: {name: numpy_of(parameter) for name, parameter in roles.items()})
        _seed_all()
        result = self.call({name: tensors[name] for name in tensors if name not in roles})
        self._draws = self._draws or has_drawn(0)
        return self._read(result), tensors

    def _tensor(self, name: str, value: Array, *, lies: bool) -> Any:
        """Return an input as a tensor, in the layout in which it is handed out where ``lies``."""
        return shared_of(self.hand.array(name, value), self.device) if lies else array_of(value, self.device)

    def _read(self, result: Any) -> list[Any]:
        if isinstance(result, torch.nn.Module):
            raise TargetError(
                "a function returned a Module, expected tensors; write name() for one that makes a module"
            )
        outputs = listed(result, torch.Tensor, "a tensor")
        if self._kept is None:
            self._kept = _differentiable(outputs)
        if len(outputs) != len(self._kept):
            raise TargetError("the number of outputs changes from call to call")
        return [output for output, kept in zip(outputs, self._kept, strict=True) if kept]


def _differentiable(outputs: list[Any]) -> tuple[bool, ...]:
    """Return which outputs count: those that torch can differentiate, or all real ones where it can none.

    Raises
    ------
    TargetError
        There are none, or complex ones, or some of bfloat16.
    """
    if any(output.is_complex() for output in outputs):
        raise TargetError("forward returned complex numbers, expected real ones; torch.view_as_real makes them")
    if any(output.dtype is torch.bfloat16 for output in outputs):
        raise TargetError("forward returned bfloat16, which has too few digits to verify; expected float32 or float64")
    real = tuple(output.is_floating_point() for output in outputs)
    if not any(real):
        kinds = ", ".join(str(output.dtype) for output in outputs)
        raise TargetError(f"forward returned {kinds or 'nothing'}, expected a tensor of a floating dtype")
    recorded = tuple(output.requires_grad and kept for output, kept in zip(outputs, real, strict=True))
    return recorded if any(recorded) else real


@contextmanager
def _computing(inputs: Mapping[str, Array], *, grad: bool) -> Iterator[None]:
    with precision(widest(inputs.values())), torch.set_grad_enabled(grad):
        yield


def _seed_all() -> None:
    """Let every pass draw the same: the mask of a dropout, say."""
    seed_global_generators()
    seed(0)
