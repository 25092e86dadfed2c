"""Functions of a model, put in the place of their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import onnx
from onnx import inliner

from gradverify.errors import ModelError
from gradverify.models.onnx.nodes import key_of, nodes_within
from gradverify.models.onnx.operators import WINDOWED
from gradverify.models.onnx.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.models.onnx.nodes import Key

__all__ = ["inlined", "uninlined"]

# More nodes than any network has; functions that call one another twice double with every step.
_MOST_NODES = 500_000
# Where counting ends.
_BEYOND = 10**12


def inlined(model: onnx.ModelProto, file: str) -> onnx.ModelProto:
    """Return the model with the nodes of its functions in the place of their calls.

    A function that asks for another opset than the model keeps its calls: ONNX does not mix them.

    Raises
    ------
    ModelError
        A function calls itself, or functions call one another so often that no machine holds the result.
    """
    if not model.functions:
        return model
    bodies = {_key(function): function.node for function in model.functions}
    total = _expanded(model.graph.node, bodies, file)
    if total > _MOST_NODES:
        raise ModelError(
            f"{file}: has {total} nodes once its functions are written out, expected {_MOST_NODES} at most"
        )
    try:
        return inliner.inline_local_functions(model)
    except Exception as error:
        said = str(error).splitlines()[0]
        raise ModelError(f"{file}: its functions cannot be written out ({said}): check it by onnx.checker") from error


def uninlined(model: onnx.ModelProto, opset: int) -> dict[Key, str]:
    """Return the functions with windowed nodes whose calls still stand in the model, with the reason for it.

    Parameters
    ----------
    model
        The model, functions written out as far as ONNX does it.
    opset
        Of ONNX's own operators in it.
    """
    windowed = {_key(function): _windowed(function.node) for function in model.functions}
    calls = {_key(function): {key_of(node) for node in nodes_within(function.node)} for function in model.functions}
    found = -1
    while found != (found := sum(map(len, windowed.values()))):  # what is called is within the caller
        for key, called in calls.items():
            windowed[key] = windowed[key].union(*(windowed[other] for other in called & windowed.keys()))
    asked = {_key(function): _opset(function) for function in model.functions}
    return {
        key: f"its function asks for opset {asked[key]} of ONNX's operators, the model for {opset}: "
        f"{', '.join(sorted(ops))} in it is not read"
        for key, ops in windowed.items()
        if ops
    }


def _windowed(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    return {node.op_type for node in nodes_within(nodes) if key_of(node)[:2] in WINDOWED}


def _opset(function: onnx.FunctionProto) -> str:
    return ", ".join(str(each.version) for each in function.opset_import if each.domain in {"", "ai.onnx"}) or "none"


def _key(function: onnx.FunctionProto) -> Key:
    return function.domain, function.name, function.overload


def _expanded(nodes: Iterable[onnx.NodeProto], bodies: Mapping[Key, Iterable[onnx.NodeProto]], file: str) -> int:
    """Return how many nodes there are once every call is written out, without writing any."""
    sizes: dict[Key, int] = {}
    open_calls: set[Key] = set()
    waiting = [key for node in nodes_within(nodes) if (key := key_of(node)) in bodies]
    while waiting:
        key = waiting[-1]
        calls = [other for node in nodes_within(bodies[key]) if (other := key_of(node)) in bodies]
        missing = [other for other in calls if other not in sizes]
        if not missing:
            own = sum(1 for _ in nodes_within(bodies[key]))
            sizes[key] = min(own + sum(sizes[other] for other in calls), _BEYOND)
            open_calls.discard(key)
            waiting.pop()
            continue
        if key in open_calls:
            raise ModelError(f"{file}: function {shown(key[1])!r} of domain {shown(key[0])!r} calls itself")
        open_calls.add(key)
        waiting.extend(dict.fromkeys(missing))
    return sum(1 + sizes.get(key_of(node), 0) for node in nodes_within(nodes))
