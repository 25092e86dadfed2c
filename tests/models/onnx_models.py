"""ONNX models of a few nodes, written for the tests, and what the reader makes of them."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from gradverify.models.onnx import read
from gradverify.models.requests import OnnxRequest
from gradverify.numerics.geometry import measure

LATEST = onnx.defs.onnx_opset_version()


def value(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name, shape, kind=TensorProto.FLOAT):
    """Return a tensor whose values nobody needs: lengths and no data."""
    return TensorProto(name=name, dims=shape, data_type=kind)


def numbers(name, values):
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)


def make(nodes, inputs, weights=(), opset=LATEST, **more):
    """Return a model; each input is a name and a shape, the output is that of the last node."""
    if isinstance(nodes, onnx.NodeProto):
        nodes = [nodes]
    outputs = [onnx.ValueInfoProto(name=nodes[-1].output[0])] if nodes and nodes[-1].output else []
    kind = more.pop("kind", TensorProto.FLOAT)
    infos = [value(name, shape, kind) for name, shape in inputs.items()]
    graph = helper.make_graph(nodes, "graph", infos, outputs, list(weights), value_info=more.pop("value_info", []))
    domains = {node.domain for node in nodes if node.domain}
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, **{"opset_imports": imports, **more})


def conv(source="x", kernel="w", made="y", **attributes):
    return helper.make_node("Conv", [source, kernel], [made], **{"name": made, **attributes})


def pool(source="x", made="y", op="MaxPool", **attributes):
    return helper.make_node(op, [source], [made], **{"name": made, "kernel_shape": [2, 2], **attributes})


def audit(folder, model, *in_order, **input_shapes):
    """Return what the reader says of a model, or of the bytes of one."""
    file = folder / "model.onnx"
    file.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return read(OnnxRequest(str(file), input_shapes, in_order))


def sites(folder, model, *in_order, **input_shapes):
    return {site.name: site for site in audit(folder, model, *in_order, **input_shapes).sites}


def severities(site):
    return [str(measure(axis, window).severity) for axis, window in site.windows]
