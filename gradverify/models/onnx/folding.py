"""Arithmetic on lengths that a model carries out at run time, carried out here: exporters write paddings that way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import helper, numpy_helper

from gradverify.models.onnx.inference import infer, shapes_of
from gradverify.models.onnx.nodes import constants_of, key_of
from gradverify.models.onnx.values import small_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx
    from numpy.typing import NDArray

    from gradverify.models.onnx.preparing import Source
    from gradverify.models.onnx.shapes import Lengths

    Values = dict[str, NDArray[Any]]

__all__ = ["infer_folded"]

# Each round may give lengths that the next one computes with.
_MOST_ROUNDS = 16
# Lengths are few; what holds more numbers is data.
_MOST_NUMBERS = 64
# fmt: off
_OPERATORS = frozenset({
    "Abs", "Add", "And", "Cast", "Ceil", "Clip", "Concat", "ConstantOfShape", "CumSum", "Div", "Equal", "Expand",
    "Flatten", "Floor", "Gather", "GatherElements", "Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual",
    "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "Pow", "Range", "ReduceMax", "ReduceMin", "ReduceProd",
    "ReduceSum", "Reshape", "Round", "ScatterElements", "ScatterND", "Sign", "Slice", "Sqrt", "Squeeze", "Sub",
    "Tile", "Transpose", "Unsqueeze", "Where",
})
# fmt: on
# What these make are some of the numbers they are given.
_SELECTING = frozenset({"Concat", "Gather", "Identity", "Reshape", "Slice", "Squeeze", "Unsqueeze"})
# Stands for a length that is not known, where others of the same tensor are: no length is like this.
_UNKNOWN = -(2**62)


def infer_folded(source: Source) -> onnx.ModelProto:
    """Return what :func:`infer` does, with small constants in the place of nodes that compute them.

    The model of the source is changed in the same way, node for node. What is within nodes stays as it is.

    Raises
    ------
    ModelError
        As ``infer``.
    """
    _fold(source, {})
    for _ in range(_MOST_ROUNDS):
        inferred = infer(source)
        if not _fold(source, shapes_of(inferred.graph)):
            break
    return inferred


def _fold(source: Source, shapes: Mapping[str, Lengths]) -> bool:
    """Replace nodes whose inputs are small constants; return whether there were any."""
    values = _constants(source.model.graph)
    folded = False
    for node in source.model.graph.node:
        found = _value(node, values, shapes, source.opsets)
        if found is None:
            continue
        (name,) = node.output
        values[name] = found
        if _is_partial(found):
            continue
        node.CopyFrom(helper.make_node("Constant", [], [name], name=node.name, value=numpy_helper.from_array(found)))
        folded = True
    return folded


def _constants(graph: onnx.GraphProto) -> Values:
    arrays = {name: small_array(tensor, _MOST_NUMBERS) for name, tensor in constants_of(graph).items()}
    return {name: array for name, array in arrays.items() if array is not None}


def _value(
    node: onnx.NodeProto, values: Values, shapes: Mapping[str, Lengths], opsets: Mapping[str, int]
) -> NDArray[Any] | None:
    """Return what a node makes, where that is small and known, or some of its numbers are."""
    domain, name, _ = key_of(node)
    if domain or len(node.output) != 1 or not node.output[0]:
        return None
    if name == "Shape":
        return _shape(node, shapes)
    inputs = {each: values.get(each) for each in node.input if each}
    known = {each: value for each, value in inputs.items() if value is not None}
    if name not in _OPERATORS or not known or len(known) < len(inputs) or _grows(name, node, known):
        return None
    if name not in _SELECTING and any(map(_is_partial, known.values())):
        return None
    return _evaluated(node, known, opsets)


def _shape(node: onnx.NodeProto, shapes: Mapping[str, Lengths]) -> NDArray[Any] | None:
    lengths = shapes.get(next(iter(node.input), ""))
    if lengths is None:
        return None
    bounds = {each.name: each.i for each in node.attribute}
    part = lengths[bounds.get("start", 0) : bounds.get("end", len(lengths))]
    return np.array([length if isinstance(length, int) else _UNKNOWN for length in part], dtype=np.int64)


def _is_partial(value: NDArray[Any]) -> bool:
    return value.dtype == np.int64 and bool((value == _UNKNOWN).any())


def _grows(name: str, node: onnx.NodeProto, values: Values) -> bool:
    """Return whether an operator whose values say how much it makes would make too much."""
    sizes = [values[each] for each in node.input if each]
    if name in {"ConstantOfShape", "Expand", "Tile"}:
        data = 1 if name == "ConstantOfShape" else sizes[0].size
        return math.prod(abs(int(size)) for size in sizes[-1].ravel()) * data > _MOST_NUMBERS
    if name == "Range":
        start, limit, step = (float(size.ravel()[0]) for size in sizes)
        return step == 0 or not abs((limit - start) / step) <= _MOST_NUMBERS
    return False


def _evaluated(node: onnx.NodeProto, values: Values, opsets: Mapping[str, int]) -> NDArray[Any] | None:
    """Return what ONNX's reference makes of a node; ``None`` where it makes nothing, or too much."""
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415  most models need none of it

    inputs = [helper.make_tensor_value_info(name, _kind(value), None) for name, value in values.items()]
    outputs = [helper.make_empty_tensor_value_info(node.output[0])]
    model = helper.make_model(
        helper.make_graph([node], "folding", inputs, outputs),
        opset_imports=[helper.make_opsetid("", opsets[""])],
    )
    try:
        with np.errstate(all="ignore"):
            (found,) = ReferenceEvaluator(model).run(None, values)
    except Exception:  # noqa: BLE001  it raises whatever NumPy does: then the node stays as it is
        return None
    return found if isinstance(found, np.ndarray) and found.size <= _MOST_NUMBERS else None


def _kind(value: NDArray[Any]) -> int:
    return int(helper.np_dtype_to_tensor_dtype(value.dtype))
