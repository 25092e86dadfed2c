"""Makes the target of a case: imports what it names."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from gradverify.importing import imported, load_file, load_function
from gradverify.layers.registry import LAYERS
from gradverify.spec.target_model import FRAMEWORKS, FrameworkTarget, FunctionsTarget, LayerTarget, ObjectTarget
from gradverify.targets.arrays import adapted, layouts_of
from gradverify.targets.frameworks import require
from gradverify.targets.functions import FunctionPair
from gradverify.targets.importing import with_objects
from gradverify.targets.shims import preload, stand_in_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Array, Target

__all__ = ["framework_target", "function_pair", "load_layer", "load_target"]

# Where each kind of target is, to load on use: most cases need one of them.
_FRAMEWORKS = {
    "torch": "gradverify.targets.torch:torch_target",
    "jax": "gradverify.targets.jax:jax_target",
}


def load_target(case: Case, inputs: Mapping[str, Array], differentiable: tuple[str, ...]) -> Target:
    """Return the target of a case.

    Parameters
    ----------
    case
        Names the target and its parameters.
    inputs
        The data of the case.
    differentiable
        Names of the inputs that have a gradient.

    Raises
    ------
    TargetError
        A module or a function cannot be found. What a module raises on import is passed on as it is.
    """
    if isinstance(case.target, LayerTarget):
        return load_layer(case, case.target.implementation, differentiable)
    _require_framework(case)
    stand_in_for(case.absent)
    preload(case.preload, load_file, load_function)
    params = with_objects(case.params, case.search_path)
    if isinstance(case.target, FunctionsTarget):
        return _load_functions(case.target, params, differentiable)
    if isinstance(case.target, FrameworkTarget):
        return framework_target(imported(case.target.call), case, inputs, params, differentiable)
    assert isinstance(case.target, ObjectTarget)  # noqa: S101  networks have no code
    from gradverify.targets.scouting import load_object  # noqa: PLC0415  cases without objects go without it

    return load_object(load_function(case.target.create), case, inputs, params, differentiable)


def framework_target(
    found: Any, case: Case, inputs: Mapping[str, Array], params: Mapping[str, Any], differentiable: tuple[str, ...]
) -> Target:
    """Return something that is at hand as a target that torch or jax differentiates."""
    _require_framework(case)
    assert isinstance(case.target, FrameworkTarget)  # noqa: S101  callers know
    target: Target = resolve_name(_FRAMEWORKS[case.target.framework])(found, case, inputs, params, differentiable)
    return target


def _require_framework(case: Case) -> None:
    """Say what to install where a case needs a framework, before code of the user imports it."""
    target = case.target
    if isinstance(target, FrameworkTarget):
        require(target.framework)
    elif isinstance(target, FunctionsTarget) and target.arrays in FRAMEWORKS:
        require(target.arrays)


def load_layer(case: Case, implementation: str, differentiable: tuple[str, ...]) -> Target:
    """Return a built-in layer in one implementation, with the parameters of the case."""
    assert isinstance(case.target, LayerTarget)  # noqa: S101  callers know
    table = {item.name: item for item in LAYERS[case.target.layer].implementations}
    chosen = table[implementation]
    all_names = tuple(role.name for role in LAYERS[case.target.layer].inputs if role.classes is None)
    backward = _without(resolve_name(chosen.backward), all_names, differentiable)
    return FunctionPair(resolve_name(chosen.forward), backward, case.params, differentiable, trusted=True)


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


def _load_functions(target: FunctionsTarget, params: Mapping[str, Any], differentiable: tuple[str, ...]) -> Target:
    backward = None if target.backward is None else load_function(target.backward)
    return function_pair(load_function(target.forward), backward, target, params, differentiable)


def function_pair(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    target: FunctionsTarget,
    params: Mapping[str, Any],
    differentiable: tuple[str, ...],
) -> FunctionPair:
    """Return two functions as a target, called and read as the spec says."""
    if target.arrays in FRAMEWORKS:
        forward, backward = adapted(target.arrays, forward, backward, target.returns)
    return FunctionPair(
        forward,
        backward,
        params,
        differentiable,
        target.returns,
        arguments=(target.forward.arguments, None if target.backward is None else target.backward.arguments),
        gradients=target.gradients,
        elementwise=target.elementwise,
        global_names=target.globals,
        layouts=layouts_of(target.arrays),
    )
