"""Makes the target of a case: imports what it names."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gradverify.errors import TargetError, nearest_name
from gradverify.layers.registry import LAYERS
from gradverify.spec.model import Case, FunctionsTarget, LayerTarget
from gradverify.targets.functions import FunctionPair

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.targets.protocol import Target

__all__ = ["load_function", "load_layer", "load_target"]


def load_target(case: Case, differentiable: tuple[str, ...]) -> Target:
    """Return the target of a case.

    Parameters
    ----------
    case
        Names the target and its parameters.
    differentiable
        Names of the inputs that have a gradient.

    Raises
    ------
    TargetError
        A module or a function cannot be found. What a module raises on import is passed on as it is.
    """
    if isinstance(case.target, LayerTarget):
        return load_layer(case, case.target.implementation, differentiable)
    return _load_functions(case, case.target, differentiable)


def load_layer(case: Case, implementation: str, differentiable: tuple[str, ...]) -> Target:
    """Return a built-in layer in one implementation, with the parameters of the case."""
    assert isinstance(case.target, LayerTarget)  # noqa: S101  callers know
    table = {item.name: item for item in LAYERS[case.target.layer].implementations}
    chosen = table[implementation]
    all_names = tuple(role.name for role in LAYERS[case.target.layer].inputs if role.classes is None)
    backward = _without(load_function(chosen.backward), all_names, differentiable)
    return FunctionPair(load_function(chosen.forward), backward, case.params, differentiable, trusted=True)


def _without(
    backward: Callable[..., Any], all_names: tuple[str, ...], differentiable: tuple[str, ...]
) -> Callable[..., Any]:
    """Return a built-in's backward without the gradients of inputs that a spec calls constants."""
    if all_names == differentiable:
        return backward

    def chosen(*arguments: Any) -> tuple[Any, ...]:
        values = zip(all_names, backward(*arguments), strict=True)
        return tuple(value for name, value in values if name in differentiable)

    return chosen


def _load_functions(case: Case, target: FunctionsTarget, differentiable: tuple[str, ...]) -> Target:
    forward = load_function(target.forward)
    backward = None if target.backward is None else load_function(target.backward)
    return FunctionPair(forward, backward, case.params, differentiable, target.returns)


def load_function(reference: str) -> Callable[..., Any]:
    """Return what ``module:name`` names.

    Raises
    ------
    TargetError
        There is no such module, or nothing callable of that name in it.
    """
    module_name, _, path = reference.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        raise TargetError(
            f"there is no module '{error.name}' in the spec's folder or its pythonpath, expected one for '{reference}'"
        ) from None
    for name in path.split("."):
        if not hasattr(found, name):
            hint = nearest_name(name, _own_names(found))
            raise TargetError(f"there is no '{name}' in {getattr(found, '__name__', found)}, {hint}")
        found = getattr(found, name)
    if not callable(found):
        raise TargetError(f"'{reference}' is a {type(found).__name__}, expected a function")
    return found  # type: ignore[no-any-return]  # callable, as just checked


def _own_names(holder: Any) -> tuple[str, ...]:
    """Return the callables that a module or class defines itself, not those it imported."""
    home = getattr(holder, "__name__" if isinstance(holder, ModuleType) else "__module__", None)
    public = {name: getattr(holder, name, None) for name in dir(holder) if not name.startswith("_")}
    own = (name for name, value in public.items() if callable(value) and getattr(value, "__module__", None) == home)
    return tuple(own)
