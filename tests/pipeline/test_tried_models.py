"""Other sizes of a model: what was given besides stays as it was."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper

FACTORY = """\
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.words = torch.nn.Embedding(10, 4)
        self.first = torch.nn.Conv1d(3, 4, 3, stride=2)

    def forward(self, x, ids):
        return self.first(x), self.words(ids)
"""


def inputs(ran):
    return {case["id"]: [part["input"] for part in case["geometry"]] for case in ran.json["cases"]}


def test_an_unknown_batch_stops_no_sizes(workplace):
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, "height", "width"])
    pooled = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    pool = helper.make_node("MaxPool", ["x"], ["y"], name="y", kernel_shape=[2, 2])
    model = helper.make_model(helper.make_graph([pool], "graph", [image], [pooled]))
    (workplace.path / "net.onnx").write_bytes(model.SerializeToString())
    ran = workplace.run("audit", "net.onnx", "--try", "H=9,W=7", "--format", "json")
    assert inputs(ran) == {"net/y": [9, 7]}


def test_dtypes_that_were_given_in_order_stay_when_a_length_is_tried(workplace):
    pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")
    workplace.write("nets.py", FACTORY)
    shapes = ("--input-shape", "1,3,20", "--input-shape", "1,16:int64")
    ran = workplace.run("audit", "--torch", "nets:Net", *shapes, "--try", "L=21", "--format", "json")
    assert inputs(ran) == {"nets:Net/first": [21]}
