"""Matches the shapes of a built-in layer's inputs against the symbols of its table row."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.spec.model import CaseSpec, Fill, InputSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.layers.registry import LayerInfo, LayerInput
    from gradverify.spec.nodes import Problems

__all__ = ["bind_shape", "lengths_of", "match_shapes"]

Bound: TypeAlias = "dict[str, int | tuple[int, ...]]"


def match_shapes(
    layer: LayerInfo, inputs: tuple[InputSpec, ...], case: CaseSpec, problems: Problems
) -> tuple[InputSpec, ...]:
    """Check that the shapes of all inputs fit the layer and each other, and fill in the range of labels.

    Parameters
    ----------
    layer
        The table row.
    inputs
        With shapes in numbers; those of files are not known and are passed over.
    case
        Where problems stand.
    problems
        Receives what does not fit.
    """
    bound: Bound = {}
    roles = {role.name: role for role in layer.inputs}
    for item in inputs:
        if item.shape is None:
            continue
        message = bind_shape(roles[item.name], tuple(int(length) for length in item.shape), bound)
        if message is not None:
            problems.add(case.where("inputs", item.name), f"input '{item.name}' of {layer.name} {message}")
    return tuple(_with_labels(item, roles[item.name], bound, case, problems) for item in inputs)


def bind_shape(role: LayerInput, shape: tuple[int, ...], bound: Bound) -> str | None:
    """Bind the symbols of one input; return what does not fit, or ``None``.

    Parameters
    ----------
    role
        The input's row, with its symbolic shape.
    shape
        Its lengths.
    bound
        Symbols bound so far; receives the new ones where everything fits.
    """
    wanted = f"expected {role.shape_text}"
    if bound:
        known = ", ".join(f"{name} = {_shown(value)}" for name, value in bound.items())
        wanted += f" with {known}"
    open_axes = role.shape[-1] == "..." or role.shape[-1].startswith("*")
    fixed = len(role.shape) - open_axes
    if len(shape) < fixed or (len(shape) > fixed and not open_axes):
        return f"has shape {list(shape)}, {wanted}"
    found: Bound = dict(zip(role.shape[:fixed], shape, strict=False))
    if open_axes:
        symbol, rest = role.shape[-1], shape[fixed:]
        found |= {symbol[1:]: math.prod(rest)} if symbol.startswith("*") else {symbol: rest}
    if any(bound.get(name, value) != value for name, value in found.items()):
        return f"has shape {list(shape)}, {wanted}"
    bound |= found
    return None


def lengths_of(layer: LayerInfo | None, inputs: tuple[InputSpec, ...]) -> dict[str, int]:
    """Return the lengths of the inputs by name: symbols of a built-in layer, or else ``x.shape[0]`` and so on.

    Parameters
    ----------
    layer
        The table row; ``None`` for code of one's own.
    inputs
        With shapes in numbers; those of files are not known and are passed over.
    """
    bound: Bound = {}
    roles = {role.name: role for role in layer.inputs} if layer else {}
    named: dict[str, int] = {}
    for item in inputs:
        shape = tuple(int(length) for length in item.shape or ())
        role = roles.get(item.name)
        if role is not None and item.shape is not None:
            bind_shape(role, shape, bound)
        if role is None or role.shape[-1] == "...":
            named |= {f"{item.name}.shape[{axis}]": length for axis, length in enumerate(shape)}
    return {name: value for name, value in bound.items() if isinstance(value, int)} | named


def _shown(value: int | tuple[int, ...]) -> str:
    return str(value) if isinstance(value, int) else str(list(value))


def _with_labels(item: InputSpec, role: LayerInput, bound: Bound, case: CaseSpec, problems: Problems) -> InputSpec:
    """Return labels with their upper end: the number of classes, unless the spec gives one."""
    classes = bound.get(role.classes or "")
    if not isinstance(classes, int) or item.shape is None:
        return item
    if item.fill is Fill.INTEGERS:
        item = replace(item, options={"high": classes, **item.options})
    low, high = _label_range(item)
    if low < 0 or high >= classes or low > high:
        wanted = f"expected all from 0 to {classes - 1}"
        problems.add(case.where("inputs", item.name), f"the labels '{item.name}' go from {low} to {high}, {wanted}")
    return item


def _label_range(item: InputSpec) -> tuple[int, int]:
    """Return the least and the largest label that an input can hold."""
    if item.fill is Fill.INTEGERS:
        return int(item.options.get("low", 0)), int(item.options["high"]) - 1
    if item.fill is Fill.VALUES:
        values = tuple(_leaves(item.values))
        return int(min(values)), int(max(values))
    if item.fill is Fill.ARANGE:
        return 0, math.prod(int(length) for length in item.shape or ()) - 1
    constant = 1 if item.fill is Fill.ONES else 0
    return constant, constant


def _leaves(values: Any) -> Iterator[int]:
    """Return the numbers in nested lists."""
    if isinstance(values, list):
        for value in values:
            yield from _leaves(value)
    else:
        yield values
