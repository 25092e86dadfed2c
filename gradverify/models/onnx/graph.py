"""The nodes of a model in order, graphs within graphs included, and what each can see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradverify.models.onnx.inference import shapes_of
from gradverify.models.onnx.nodes import constants_of
from gradverify.models.onnx.words import shown, unique

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx

    from gradverify.models.onnx.shapes import Lengths

__all__ = ["Scope", "Step", "steps_of"]


@dataclass(eq=False, slots=True)
class Scope:
    """One graph: what its tensors are, and who makes them. Inner graphs see the tensors of outer ones.

    Attributes
    ----------
    shapes
        Lengths by tensor, where known.
    constants
        Values by tensor, where they stand in the file.
    inputs
        What goes into the graph.
    owner
        The node that the graph lies in; ``None`` for the outermost.
    makers
        Which node makes a tensor.
    """

    shapes: dict[str, Lengths]
    constants: dict[str, onnx.TensorProto]
    inputs: frozenset[str]
    owner: Step | None = None
    makers: dict[str, Step] = field(default_factory=dict)

    def home(self, name: str) -> Scope | None:
        """Return the graph that a tensor belongs to, this one or one around it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.makers or name in scope.inputs or name in scope.constants:
                return scope
            scope = scope.owner.scope if scope.owner else None
        return None

    def shape(self, name: str) -> Lengths | None:
        """Return the lengths of a tensor that is seen from here; ``None`` where they are not known."""
        home = self.home(name)
        return None if home is None else home.shapes.get(name)

    def constant(self, name: str) -> onnx.TensorProto | None:
        """Return the value of a tensor that is seen from here; ``None`` where it is not in the file."""
        home = self.home(name)
        return None if home is None else home.constants.get(name)


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One node.

    Attributes
    ----------
    node
        As it stands in the file.
    name
        Unique in the model, behind the names of the nodes it lies in.
    scope
        The graph it stands in.
    place
        Which node of its graph it is.
    """

    node: onnx.NodeProto
    name: str
    scope: Scope
    place: int

    @property
    def kind(self) -> str:
        """What it does, in words: ``Relu``, or ``Foo of domain my.ops``."""
        domain = "" if self.node.domain in {"", "ai.onnx"} else f" of domain {shown(self.node.domain)}"
        return f"{shown(self.node.op_type)}{domain}"

    def __str__(self) -> str:
        return f"node {self.name!r} ({self.kind})"


def steps_of(original: onnx.ModelProto, inferred: onnx.ModelProto) -> tuple[Step, ...]:
    """Return all nodes in order, those inside a node before it.

    Parameters
    ----------
    original
        The model as it stands in the file.
    inferred
        The same with shapes.
    """
    return tuple(_steps(original.graph, inferred.graph, _scope(inferred.graph, None), {}))


def _steps(
    graph: onnx.GraphProto, inferred: onnx.GraphProto, scope: Scope, taken: dict[str, int], path: str = ""
) -> Iterator[Step]:
    """Yield the nodes of a graph. Protocol buffers nest at most 100 deep, and so does this."""
    made = [Step(node, unique(path + _label(node), taken), scope, place) for place, node in enumerate(graph.node)]
    for step in made:
        scope.makers.update((name, step) for name in step.node.output if name)
    for step, twin in zip(made, inferred.node, strict=True):
        for inner, shaped, branch in _inner(step.node, twin):
            yield from _steps(inner, shaped, _scope(shaped, step), taken, f"{step.name}/{branch}/")
        yield step


def _inner(node: onnx.NodeProto, twin: onnx.NodeProto) -> Iterator[tuple[onnx.GraphProto, onnx.GraphProto, str]]:
    """Yield the graphs in a node, each with its twin and the name of its attribute."""
    for attribute, other in zip(node.attribute, twin.attribute, strict=True):
        if attribute.HasField("g"):
            yield attribute.g, other.g, shown(attribute.name)
        for graph, shaped in zip(attribute.graphs, other.graphs, strict=True):
            yield graph, shaped, shown(attribute.name)


def _label(node: onnx.NodeProto) -> str:
    """Return a node's name, or what it does and makes."""
    if node.name:
        return shown(node.name)
    return f"{shown(node.op_type)}:{shown(next(iter(node.output), ''))}"


def _scope(graph: onnx.GraphProto, owner: Step | None) -> Scope:
    constants = constants_of(graph)
    weights = {*constants, *(tensor.values.name for tensor in graph.sparse_initializer)}
    return Scope(shapes_of(graph), constants, frozenset({value.name for value in graph.input} | weights), owner)
