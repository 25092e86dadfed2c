"""Arithmetic on lengths that a model carries out: what is folded, what is left, and that numbers are ONNX's own."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import make, sites

from gradverify.models.onnx.folding import infer_folded
from gradverify.models.onnx.preparing import Source


def tensor(name, values, dtype=np.int64):
    return numpy_helper.from_array(np.array(values, dtype=dtype), name)


def model_of(nodes, constants=(), x=(1, 3, 17, 20)):
    return make(nodes, {"x": list(x)}, constants, opset=17)


def folded(model):
    source = Source("model.onnx", model, {"": 17}, stale=False)
    infer_folded(source)
    return {
        node.output[0]: numpy_helper.to_array(node.attribute[0].t).tolist()
        for node in model.graph.node
        if node.op_type == "Constant"
    }


def pads_as_torch_exports_them():
    """Return the nodes that make [0, 0, 1, 2, 0, 0, 3, 4] of torch's order, last axis first."""
    node = helper.make_node
    return [
        node("ConstantOfShape", ["four"], ["zeros"], value=tensor("", [0])),
        node("Concat", ["given", "zeros"], ["all"], axis=0),
        node("Reshape", ["all", "pairs"], ["rows"]),
        node("Slice", ["rows", "last", "before", "axis", "back"], ["turned"]),
        node("Transpose", ["turned"], ["columns"], perm=[1, 0]),
        node("Reshape", ["columns", "flat"], ["line"]),
        node("Cast", ["line"], ["pads"], to=TensorProto.INT64),
    ]


CONSTANTS = [
    tensor("four", [4]),
    tensor("given", [2, 4, 1, 3]),
    tensor("pairs", [-1, 2]),
    tensor("last", [-1]),
    tensor("before", [-(2**63)]),
    tensor("axis", [0]),
    tensor("back", [-1]),
    tensor("flat", [-1]),
]


def test_a_window_behind_computed_padding_is_judged_and_knows_the_padding(tmp_path):
    nodes = [
        *pads_as_torch_exports_them(),
        helper.make_node("Pad", ["x", "pads"], ["padded"], name="pad"),
        helper.make_node("MaxPool", ["padded"], ["y"], name="pool", kernel_shape=[3, 3], strides=[2, 2]),
    ]
    pool = sites(tmp_path, model_of(nodes, CONSTANTS))["pool"]
    assert pool.problem is None
    assert [(window.input, window.padded_before) for _, window in pool.windows] == [
        (17 + 1 + 3, (1, 3)),
        (20 + 2 + 4, (2, 4)),
    ]


def test_lengths_of_inputs_are_known_one_by_one():
    node = helper.make_node
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "two"], ["rows"], axis=0),
        node("Gather", ["shape", "zero"], ["samples"], axis=0),
        node("Cast", ["rows"], ["real"], to=TensorProto.FLOAT),
        node("Div", ["real", "step"], ["many"]),
        node("Ceil", ["many"], ["whole"]),
        node("Cast", ["shape"], ["unknown"], to=TensorProto.FLOAT),
        node("Mul", ["samples", "rows"], ["product"]),
    ]
    constants = [tensor("two", 2), tensor("zero", 0), tensor("step", 4, np.float32)]
    found = folded(model_of(nodes, constants, x=("batch", 3, 17, 20)))
    assert found == {"rows": 17, "real": 17.0, "many": 4.25, "whole": 5.0}


@pytest.mark.parametrize(
    ("node", "constants"),
    [
        (helper.make_node("ConstantOfShape", ["n"], ["y"]), [tensor("n", [1000, 1000])]),
        (helper.make_node("Expand", ["n", "s"], ["y"]), [tensor("n", [1]), tensor("s", [10**6])]),
        (helper.make_node("Tile", ["n", "s"], ["y"]), [tensor("n", [1, 2]), tensor("s", [10**9])]),
        (helper.make_node("Range", ["a", "b", "c"], ["y"]), [tensor("a", 0), tensor("b", 10**12), tensor("c", 1)]),
        (helper.make_node("Range", ["a", "b", "c"], ["y"]), [tensor("a", 0), tensor("b", 5), tensor("c", 0)]),
        (helper.make_node("Relu", ["n"], ["y"]), [tensor("n", [1.0], np.float32)]),
        (helper.make_node("Add", ["n", "x"], ["y"]), [tensor("n", [1.0], np.float32)]),
        (helper.make_node("Reshape", ["n", "s"], ["y"]), [tensor("n", [1, 2, 3]), tensor("s", [2, 2])]),
        (helper.make_node("Div", ["n", "s"], ["y"]), [tensor("n", [1, 2]), tensor("s", [1, 2, 3])]),
    ],
    ids=["large", "grows", "tiles", "range", "no-step", "no-arithmetic", "data", "cannot-be", "shapes"],
)
def test_what_is_large_or_cannot_be_stays_as_it_is(node, constants):
    assert folded(model_of([node], constants)) == {}


def test_nodes_keep_their_names_and_places():
    model = model_of(
        [helper.make_node("Add", ["a", "a"], ["b"], name="sum"), helper.make_node("Relu", ["x"], ["y"], name="last")],
        [tensor("a", [2])],
    )
    assert folded(model) == {"b": [4]}
    assert [(node.name, node.op_type) for node in model.graph.node] == [("sum", "Constant"), ("last", "Relu")]
