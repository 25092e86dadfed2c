"""A model as ONNX's shape inference takes it: nothing stale, nothing it would stumble over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import onnx

from gradverify.errors import ModelError
from gradverify.models.onnx.nodes import graphs_within, key_of, nodes_within
from gradverify.models.onnx.operators import STAND_INS, schema_of, stands_last

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Source", "describe_malformed", "opsets_of", "pass_over", "prepare"]

# A domain that nobody has: what is put there is passed over.
_PASSED_OVER = "gradverify.passed-over"


@dataclass(frozen=True, slots=True)
class Source:
    """A model, and what must be known to infer its shapes.

    Attributes
    ----------
    file
        Where it comes from.
    model
        As it stands in the file, functions written out.
    opsets
        Version by domain.
    stale
        Whether no shape in the file counts any longer, because the inputs were given others.
    """

    file: str
    model: onnx.ModelProto
    opsets: Mapping[str, int]
    stale: bool


def opsets_of(model: onnx.ModelProto, file: str) -> dict[str, int]:
    """Return the opset of every domain that nodes of the model come from.

    Raises
    ------
    ModelError
        It names no version, or an impossible one, for ONNX's own operators.
    """
    opsets = {"" if entry.domain == "ai.onnx" else entry.domain: entry.version for entry in model.opset_import}
    if "" not in opsets and model.ir_version < 3:
        opsets[""] = 1
    used = {key_of(node)[0] for node in nodes_within(model.graph.node)}
    if "" in used and opsets.get("", 0) < 1:
        found = f"opset {opsets['']}" if "" in opsets else "no opset"
        expected = "expected a version in opset_import: export it again"
        raise ModelError(f"{file}: names {found} for ONNX's operators, {expected}")
    return {domain: max(version, 1) for domain, version in (dict.fromkeys(used, 1) | opsets).items()}


def prepare(source: Source) -> onnx.ModelProto:
    """Return a copy whose shapes are those of its inputs and of what ONNX cannot infer.

    Shapes in a file may be those of an earlier version of it, and ONNX believes them. Nodes it would stumble over are
    passed over, and those of ONNX Runtime have a stand-in. Nodes keep their places.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(source.model)
    del copy.opset_import[:]
    for domain, version in {**source.opsets, _PASSED_OVER: 1}.items():
        if isinstance(domain, str):  # what is not UTF-8 comes as bytes, and nobody knows such a domain
            copy.opset_import.add(domain=domain, version=version)
    for node in nodes_within(copy.graph.node):
        _stand_in(node)
        if describe_malformed(node, source.opsets) or _divides_by_zero(node):
            pass_over(node)
    for depth, graph in graphs_within(copy.graph):
        _forget(graph, source.opsets, stale=source.stale, inside=depth > 0)
    return copy


def pass_over(node: onnx.NodeProto) -> None:
    """Put a node where ONNX's inference does not look."""
    node.domain = _PASSED_OVER


def describe_malformed(node: onnx.NodeProto, opsets: Mapping[str, int]) -> str | None:
    """Say what a node lacks that its operator needs; ONNX's inference gives up on the model there."""
    schema = schema_of(node, opsets)
    if schema is None:
        return None
    given = [bool(name) for name in node.input]
    needed = [index for index in range(schema.min_input) if index >= len(given) or not given[index]]
    if needed and (len(given) < schema.min_input or _single(schema, needed[0])):
        return f"it has {sum(given)} inputs, {schema.name} needs {schema.min_input}"
    if not any(node.output) and schema.min_output:
        return f"it has no outputs, {schema.name} needs {schema.min_output}"
    return None


def _divides_by_zero(node: onnx.NodeProto) -> bool:
    """Return whether a stride or dilation is 0: inference of older releases of onnx ends the process there."""
    return any(0 in attribute.ints for attribute in node.attribute if attribute.name in {"strides", "dilations"})


def _single(schema: onnx.defs.OpSchema, index: int) -> bool:
    """Return whether an input must be there, and not merely come before others that must."""
    option = schema.inputs[index].option if index < len(schema.inputs) else None
    return bool(option == onnx.defs.OpSchema.FormalParameterOption.Single)


def _stand_in(node: onnx.NodeProto) -> None:
    domain, name, _ = key_of(node)
    found = STAND_INS.get((domain, name))
    if found is None or stands_last(node):
        return
    node.domain, node.op_type = "", found[0]
    inputs = list(node.input)[found[1]]
    del node.input[:]
    node.input.extend(inputs)


def _forget(graph: onnx.GraphProto, opsets: Mapping[str, int], *, stale: bool, inside: bool) -> None:
    """Drop the shapes of a graph that ONNX infers itself, or all where they are stale."""
    kept = {name for node in graph.node if schema_of(node, opsets) is None for name in node.output}
    values = [value for value in graph.value_info if value.name in kept and not stale]
    del graph.value_info[:]
    graph.value_info.extend(values)
    for value in graph.output:
        if stale or value.name not in kept:
            value.ClearField("type")
    for value in graph.input if stale and inside else ():
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
