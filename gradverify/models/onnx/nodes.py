"""Nodes and graphs of a model, graphs within graphs included."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import onnx

__all__ = ["Key", "constants_of", "graphs_within", "key_of", "nodes_within"]

# Domain and name; overloads of a function share both and are told apart by a third.
Key: TypeAlias = tuple[str, str, str]


def key_of(node: onnx.NodeProto) -> Key:
    """Return what a node does: domain, name and overload."""
    return "" if node.domain == "ai.onnx" else node.domain, node.op_type, node.overload


def nodes_within(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
    """Yield nodes and those of the graphs in them, each before what is inside."""
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        for graph in inner_graphs(node):
            waiting.extend(graph.node)


def graphs_within(graph: onnx.GraphProto) -> Iterator[tuple[int, onnx.GraphProto]]:
    """Yield how deep a graph lies, and the graph: the outermost and all in its nodes, in a fixed order."""
    waiting = [(0, graph)]
    while waiting:
        depth, outer = waiting.pop()
        yield depth, outer
        waiting.extend((depth + 1, inner) for node in outer.node for inner in inner_graphs(node))


def inner_graphs(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs in a node, in a fixed order."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def constants_of(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Return the tensors of a graph that stand in the file, by name: its weights, and what ``Constant`` holds."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and len(node.output) == 1:
            constants.update((node.output[0], each.t) for each in node.attribute if each.name == "value")
    return constants
