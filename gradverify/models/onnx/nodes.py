"""Nodes and graphs of a model, graphs within graphs included."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import onnx

__all__ = ["Key", "graphs_within", "key_of", "nodes_within"]

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
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs:
                waiting.extend(graph.node)


def graphs_within(graph: onnx.GraphProto) -> Iterator[tuple[int, onnx.GraphProto]]:
    """Yield how deep a graph lies, and the graph: the outermost and all in its nodes, in a fixed order."""
    waiting = [(0, graph)]
    while waiting:
        depth, outer = waiting.pop()
        yield depth, outer
        for node in outer.node:
            for attribute in node.attribute:
                inner = (*((attribute.g,) if attribute.HasField("g") else ()), *attribute.graphs)
                waiting.extend((depth + 1, each) for each in inner)
