"""Shapes of every tensor, by ONNX's own inference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onnx import shape_inference

from gradverify.errors import ModelError
from gradverify.models.onnx.nodes import graphs_within
from gradverify.models.onnx.preparing import pass_over, prepare
from gradverify.models.onnx.shapes import known, read_shape, same_kind, write_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    import onnx

    from gradverify.models.onnx.preparing import Source
    from gradverify.models.onnx.shapes import Lengths

__all__ = ["infer", "shapes_of"]

# How many nodes that ONNX's inference gives up on are passed over before the model is.
_MOST_PASSED_OVER = 16
_ADVICE = "check the model by onnx.checker"


def infer(source: Source) -> onnx.ModelProto:
    """Return a copy of the model in which ONNX has written the shapes it infers, graphs within graphs included.

    Where ONNX infers nothing and the file has a shape, that one is believed and ONNX asked again, unless shapes in
    the file are stale.

    Raises
    ------
    ModelError
        ONNX's inference gives up, and it cannot be found out on what.
    """
    inferred = _run(prepare(source), source.file)
    if source.stale:
        return inferred
    believed = prepare(source)
    graphs = zip(_graphs(source.model), _graphs(inferred), _graphs(believed), strict=True)
    filled = [_fill(*each) for each in graphs]  # all of them, also behind the first
    return _run(believed, source.file) if any(filled) else inferred


def shapes_of(graph: onnx.GraphProto) -> dict[str, Lengths]:
    """Return the lengths of all tensors of one graph that have some."""
    values = (*graph.value_info, *graph.output, *graph.input)
    shapes = {value.name: shape for value in values if (shape := read_shape(value.type)) is not None}
    shapes.update((tensor.name, tuple(tensor.dims)) for tensor in graph.initializer)
    shapes.update((tensor.values.name, tuple(tensor.dims)) for tensor in graph.sparse_initializer)
    return shapes


def _graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    return (graph for _, graph in graphs_within(model.graph))


def _fill(original: onnx.GraphProto, inferred: onnx.GraphProto, believed: onnx.GraphProto) -> bool:
    """Put shapes that only the file knows into the graph to be inferred next; return whether there were any."""
    found = shapes_of(inferred)
    outputs = {value.name: value for value in believed.output}
    filled = False
    for value in (*original.value_info, *original.output):
        own = read_shape(value.type)
        if own is None or known(found.get(value.name)) or not same_kind(own, found.get(value.name)):
            continue
        if value.name in found and sum(map(_is_number, own)) <= sum(map(_is_number, found[value.name])):
            continue
        if value.name in outputs:
            write_shape(outputs[value.name].type, own)
        else:
            believed.value_info.append(value)
        filled = True
    return filled


def _is_number(length: object) -> bool:
    return isinstance(length, int)


def _run(model: onnx.ModelProto, file: str) -> onnx.ModelProto:
    """Run ONNX's inference; a node that it gives up on is passed over, and the rest inferred."""
    for _ in range(_MOST_PASSED_OVER):
        try:
            return shape_inference.infer_shapes(model, data_prop=True)
        except Exception as error:  # noqa: BLE001  it raises several kinds, also plain ValueError
            node = _stumbling(model)
            if node is None:
                said = (str(error).splitlines() or [""])[0]
                raise ModelError(f"{file}: ONNX's shape inference gives up ({said}): {_ADVICE}") from None
            pass_over(node)
    raise ModelError(f"{file}: ONNX's shape inference gives up on more than {_MOST_PASSED_OVER} nodes: {_ADVICE}")


def _stumbling(model: onnx.ModelProto) -> onnx.NodeProto | None:
    """Return the first node at which inference gives up, by halving."""
    nodes = list(model.graph.node)
    fine, fails = 0, len(nodes)
    while fails - fine > 1:
        middle = (fine + fails) // 2
        fine, fails = (fine, middle) if _gives_up(model, middle) else (middle, fails)
    return model.graph.node[fails - 1] if nodes and _gives_up(model, fails) else None


def _gives_up(model: onnx.ModelProto, count: int) -> bool:
    """Return whether inference gives up within the first nodes."""
    part = type(model)()
    part.CopyFrom(model)
    del part.graph.node[count:]
    try:
        shape_inference.infer_shapes(part, data_prop=True)
    except Exception:  # noqa: BLE001  as above
        return True
    return False
