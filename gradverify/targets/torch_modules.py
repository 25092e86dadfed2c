"""A module of torch, its parameters as inputs: what it holds besides is put back before every call."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from gradverify.errors import TargetError, nearest_name
from gradverify.targets.drawing import varied
from gradverify.targets.torch_arrays import numpy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.spec.target_model import FrameworkTarget
    from gradverify.targets.protocol import Array
    from gradverify.targets.torch_calls import FunctionCall

__all__ = ["ModuleCall", "module_call"]


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A module whose parameters are inputs like others.

    Attributes
    ----------
    roles
        Its parameters, by the input that stands for each.
    kept
        All else that it holds.
    own_inputs
        Values of the parameters that the case does not name.
    """

    roles: Mapping[str, Any]
    kept: _Kept
    own_inputs: dict[str, Array]

    def placed(self, tensors: Mapping[str, Any], dtype: Any) -> dict[str, Any]:
        """Put everything back, give parameters their values, and return all tensors, parameters in their places.

        Parameters
        ----------
        tensors
            All inputs by name.
        dtype
            What is put back computes in it; ``None`` for the one that it has.
        """
        self.kept.restore(dtype)
        for name, parameter in self.roles.items():
            parameter.data = tensors[name].detach()
        return {**tensors, **self.roles}


class _Kept:
    """What a module holds, as it was: attributes of it and its parts, buffers, and parameters that stand still.

    Parameters
    ----------
    module
        The module, parts included.
    moved
        Parameters that get a value in every call.
    """

    def __init__(self, module: Any, moved: Iterable[Any]) -> None:
        parts = [vars(part) for part in module.modules()]
        self._attributes = [(part, dict(part)) for part in parts]
        holders = [value for part in parts for value in part.values() if isinstance(value, (list, dict, set))]
        self._empty = [holder for holder in holders if not holder]
        self._filled = [(holder, copy.copy(holder)) for holder in holders if holder]
        besides = {id(parameter) for parameter in moved}
        cast = [*module.parameters(), *module.buffers()]
        self._cast = [(tensor, tensor.detach().clone()) for tensor in cast if id(tensor) not in besides]
        known = {id(tensor) for tensor in cast}
        plain = [value for part in parts for value in part.values() if isinstance(value, torch.Tensor)]
        self._plain = [(one, one.clone()) for one in plain if id(one) not in known and not one.requires_grad]

    def restore(self, dtype: Any) -> None:
        """Put everything back, floating buffers and parameters in a dtype; what is put back stays the same object."""
        for part, attributes in self._attributes:
            for added in part.keys() - attributes.keys():
                del part[added]
            part.update(attributes)
        for holder in self._empty:
            holder.clear()
        for holder, contents in self._filled:
            holder.clear()
            (holder.extend if isinstance(holder, list) else holder.update)(contents)
        for tensor, was in self._cast:
            tensor.data = was.to(dtype or was.dtype, copy=True) if was.is_floating_point() else was.clone()
        for tensor, was in self._plain:
            tensor.data = was.clone()


def module_call(
    call: FunctionCall, target: FrameworkTarget, inputs: Mapping[str, Array], wanted: tuple[str, ...]
) -> ModuleCall:
    """Return a module made ready to be called with its parameters.

    Parameters
    ----------
    call
        Its forward pass; the module is in the dtype of the case and on its device.
    target
        Says which inputs are parameters, and whether others are verified.
    inputs
        The data of the case.
    wanted
        Names of the inputs that have a gradient.

    Raises
    ------
    TargetError
        There is no parameter of a name, two inputs stand for one, or an input has another shape.
    """
    module = call.module
    roles = _roles(module, target, inputs)
    own = _own(module, roles.values()) if target.discover else {}
    clash = next((name for name in own if name in inputs), None)
    if clash is not None:
        raise TargetError(f"input '{clash}' has the name of a parameter for which it does not stand; rename it")
    for name, parameter in roles.items():
        parameter.requires_grad_(name in wanted)
    values = {name: varied(name, numpy_of(parameter)) for name, parameter in own.items()}
    every = {**roles, **own}
    return ModuleCall(every, _Kept(module, every.values()), values)


def _roles(module: Any, target: FrameworkTarget, inputs: Mapping[str, Array]) -> dict[str, Any]:
    """Return the parameters that the case names, by input: as a table says, or by their own names."""
    known = dict(module.named_parameters(remove_duplicate=False))
    roles: dict[str, Any] = {}
    for name, value in inputs.items():
        wanted = target.parameters.get(name, name)
        if wanted not in known:
            if name in target.parameters:
                hint = nearest_name(wanted, tuple(known))
                raise TargetError(f"there is no parameter '{wanted}' in the {type(module).__name__}, {hint}")
            continue
        parameter = known[wanted]
        if any(parameter is other for other in roles.values()):
            raise TargetError(f"input '{name}': another input stands for the parameter '{wanted}' already")
        _check_shape(name, value.shape, wanted, tuple(parameter.shape))
        roles[name] = parameter
    return roles


def _check_shape(name: str, shape: tuple[int, ...], parameter: str, wanted: tuple[int, ...]) -> None:
    if shape != wanted:
        shapes = f"has shape {list(shape)}, the parameter '{parameter}' has {list(wanted)}"
        raise TargetError(f"input '{name}' {shapes}")


def _own(module: Any, named: Iterable[Any]) -> dict[str, Any]:
    """Return the other parameters; those that the module has frozen are constants."""
    taken = {id(parameter) for parameter in named}
    return {
        name: parameter
        for name, parameter in module.named_parameters()
        if parameter.requires_grad and id(parameter) not in taken
    }
