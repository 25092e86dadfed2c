"""What a spec may name for torch: a function, an ``autograd.Function``, a module, or what makes a module."""

from __future__ import annotations

import copy
import inspect
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from gradverify.errors import TargetError
from gradverify.targets.arguments import arguments_of
from gradverify.targets.torch_arrays import seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.spec.calls import Arguments
    from gradverify.spec.model import Case
    from gradverify.spec.target_model import FrameworkTarget

__all__ = ["FunctionCall", "read_torch_call"]


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function, and what it is called with.

    Attributes
    ----------
    function
        Anything that can be called: a module, too.
    params
        Parameters of the case.
    arguments
        What the call takes, where the spec says it; else all inputs and then the parameters.
    by_position
        Whether parameters have no keywords: ``apply`` of an ``autograd.Function`` takes none.
    module
        The module whose method the function is, or ``None``.
    """

    function: Any
    params: Mapping[str, Any]
    arguments: Arguments | None = None
    by_position: bool = False
    module: Any = None

    def __call__(self, tensors: Mapping[str, Any]) -> Any:
        """Return what the function makes of tensors by name.

        A tensor that is differentiated is handed on as a clone: torch lets nobody write into a leaf.
        """
        given = {name: value.clone() if value.requires_grad else value for name, value in tensors.items()}
        params = copy.deepcopy(dict(self.params))
        if self.arguments is not None:
            positional, named = arguments_of(self.arguments, {**params, **given})
            return self.function(*positional, **named)
        if self.by_position:
            return self.function(*given.values(), *params.values())
        return self.function(*given.values(), **params)


def read_torch_call(found: Any, case: Case, inputs: Iterable[str], params: Mapping[str, Any]) -> FunctionCall:
    """Return what a case names for torch as something to call, made where its call makes a module.

    Raises
    ------
    TargetError
        There is no such thing, or it is neither a function nor a module.
    """
    target: FrameworkTarget = case.target  # type: ignore[assignment]  # of this kind, as it was asked for here
    if _is_class(found, torch.autograd.Function):
        return _without_method(FunctionCall(found.apply, params, target.call.arguments, by_position=True), target)
    if isinstance(found, torch.nn.Module):
        return _method(_own_copy(found), target, FunctionCall(None, params, target.call.arguments))
    if _is_class(found, torch.nn.Module) or _makes_module(found, target, inputs, params):
        seed(case.seed)
        return _made(found, target, params)
    if isinstance(found, type) or not callable(found):
        kinds = "a function, an autograd.Function or a Module"
        raise TargetError(f"'{target.call}' is a {_kind(found)}, expected {kinds}")
    return _without_method(FunctionCall(found, params, target.call.arguments), target)


def _is_class(found: Any, base: type) -> bool:
    return isinstance(found, type) and issubclass(found, base)


def _kind(found: Any) -> str:
    return "class of another kind" if isinstance(found, type) else type(found).__name__


def _own_copy(module: Any) -> Any:
    """Return a copy of a module that is there once for all cases; itself, where it cannot be copied."""
    try:
        return copy.deepcopy(module)
    except Exception:  # noqa: BLE001  torch refuses tensors that were computed, and user code may refuse anything
        return module


def _makes_module(found: Any, target: FrameworkTarget, inputs: Iterable[str], params: Mapping[str, Any]) -> bool:
    """Return whether a function makes a module: its call takes no input, or it can do without."""
    if not callable(found) or isinstance(found, type):
        return False
    if target.call.arguments is not None:
        return not set(inputs) & set(target.call.names)
    try:
        signature = inspect.signature(found)
    except (TypeError, ValueError):  # torch's own functions have none
        return False
    return _is_complete(signature, params)


def _is_complete(signature: inspect.Signature, params: Mapping[str, Any]) -> bool:
    """Return whether parameters are all that a function needs: one of inputs needs them, or takes any number."""
    if any(item.kind is item.VAR_POSITIONAL for item in signature.parameters.values()):
        return False
    try:
        signature.bind(**params)
    except TypeError:
        return False
    return True


def _made(maker: Any, target: FrameworkTarget, params: Mapping[str, Any]) -> FunctionCall:
    """Make a module; what neither its call nor that of its method takes by name goes to the one that names nothing."""
    arguments, later = target.call.arguments, () if target.forward is None else target.forward.names
    if arguments is None:
        module = maker(**{name: value for name, value in params.items() if name not in later})
    else:
        positional, named = arguments_of(arguments, params)
        module = maker(*positional, **named)
    if not isinstance(module, torch.nn.Module):
        raise TargetError(
            f"'{target.call}' made a {type(module).__name__}, expected a Module; "
            "if it is a function, name the inputs among its arguments"
        )
    taken = params if arguments is None else target.call.names
    left = {name: value for name, value in params.items() if name not in taken or name in later}
    return _method(module, target, FunctionCall(None, left))


def _method(module: Any, target: FrameworkTarget, call: FunctionCall) -> FunctionCall:
    """Return the call of a module's method, through the module itself where it is ``forward``: hooks run then."""
    method = target.forward
    if method is None:
        return replace(call, function=module, module=module)
    if call.arguments is not None and method.arguments is not None:
        raise TargetError(f"both '{target.call}' and '{method}' say what they take, expected one; the module is made")
    function = module if method.path == "forward" else getattr(module, method.path, None)
    if not callable(function):
        raise TargetError(f"there is no method '{method.path}' in the {type(module).__name__}")
    arguments = call.arguments if method.arguments is None else method.arguments
    return replace(call, function=function, module=module, arguments=arguments)


def _without_method(call: FunctionCall, target: FrameworkTarget) -> FunctionCall:
    if target.forward is not None or target.parameters:
        raise TargetError(f"'{target.call}' is a function, forward and parameters are for modules")
    return call
