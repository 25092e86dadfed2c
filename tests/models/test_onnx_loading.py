"""ONNX files that are none, or too much of one; and models whose weights are never looked at."""

from __future__ import annotations

import sys

import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import audit, conv, make, pool, value, weight

from gradverify.errors import ModelError
from gradverify.models.onnx import read
from gradverify.models.onnx.skimming import skim
from gradverify.models.requests import OnnxRequest

ONE_CONV = make(conv(), {"x": [1, 3, 8, 8]}, [weight("w", [4, 3, 3, 3])])


def refusal(file, **shapes):
    with pytest.raises(ModelError) as caught:
        read(OnnxRequest(str(file), shapes))
    return str(caught.value).replace(str(file), "FILE")


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
WHOLE = ONE_CONV.SerializeToString()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"cases:\n  - name: conv\n", "is text"),
        (LFS, "is a pointer of Git LFS and not the model itself (run git lfs pull)"),
        (b"\x00\x01\x02", "cannot be parsed (it has a field without a number)"),
        (b"\x08\x08", "cannot be parsed (it holds no graph)"),
        (b"\x0f\xff", "cannot be parsed (it has a field of an unknown kind 7)"),
        (b"\xff" * 20, "cannot be parsed (it has a number of more than ten bytes)"),
        (WHOLE[:-3], "cannot be parsed (it ends 3 bytes too early: it was cut off)"),
        (WHOLE + b"\x80", "cannot be parsed (it ends in the middle of a number: it was cut off)"),
        (WHOLE + b"\x3a\x02\x0a\x10", "cannot be parsed (Wire format was corrupt)"),
    ],
)
def test_a_file_that_is_no_model_is_told_what_it_is(tmp_path, content, said):
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    assert refusal(file) == f"FILE: {said}, expected an ONNX model, a serialized ModelProto"


def test_an_empty_file_is_to_be_written_again(tmp_path):
    file = tmp_path / "model.onnx"
    file.touch()
    expected = "expected an ONNX model, a serialized ModelProto"
    assert refusal(file) == f"FILE: is empty, {expected}: write or download it again"


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path):
    expected = "expected an ONNX model, a serialized ModelProto"
    assert refusal(tmp_path) == f"FILE: is a folder, {expected}: name the file"
    assert refusal(tmp_path / "no.onnx") == f"FILE: cannot be read (No such file or directory), {expected}"


def test_a_file_beyond_the_limit_of_protocol_buffers_is_refused_unread(tmp_path):
    file = tmp_path / "huge.onnx"
    with file.open("wb") as opened:
        opened.truncate(2**31)
    assert refusal(file).startswith("FILE: has 2147483648 bytes, expected less than 2 GiB, ")


@pytest.mark.parametrize("cut", range(1, 200, 7))
def test_a_model_cut_off_anywhere_is_refused(tmp_path, cut):
    file = tmp_path / "model.onnx"
    whole = ONE_CONV.SerializeToString()
    file.write_bytes(whole[: len(whole) * cut // 200])
    assert refusal(file).startswith("FILE: ")


def test_without_onnx_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert refusal(tmp_path / "model.onnx").endswith(": install it: pip install 'gradverify[onnx]'")


def test_external_data_need_not_be_there(tmp_path):
    tensor = weight("w", [4, 3, 3, 3])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="missing/weights.bin")
    (site,) = audit(tmp_path, make(conv(), {"x": [1, 3, 8, 8]}, [tensor])).sites
    assert (site.output_shape, site.problem) == ((1, 4, 6, 6), None)


def length(size):
    return bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14])


def nested(depth):
    """Return a model of conditions within conditions, a pool in the innermost; the package refuses to make the deepest.

    A graph lies in field 6 of an attribute, that in field 5 of a node, and that in field 1 of a graph.
    """
    output = value("y", None)
    inner = helper.make_graph([pool("x", "y")], "g", [], [output]).SerializeToString()
    other = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "e", [], [output])
    node = helper.make_node("If", ["cond"], ["y"], else_branch=other).SerializeToString()
    rest = helper.make_graph([], "g", [], [output]).SerializeToString()
    for _ in range(depth):
        branch = b"\x0a\x0bthen_branch\xa0\x01\x05\x32" + length(len(inner)) + inner
        whole = node + b"\x2a" + length(len(branch)) + branch
        inner = b"\x0a" + length(len(whole)) + whole + rest
    inputs = [value("x", [1, 3, 4, 4]), value("cond", [], TensorProto.BOOL)]
    inner += helper.make_graph([], "", inputs, []).SerializeToString()
    model = onnx.ModelProto(ir_version=8, opset_import=[helper.make_opsetid("", 18)]).SerializeToString()
    return model + b"\x3a" + length(len(inner)) + inner


def test_graphs_nest_as_deep_as_protocol_buffers_allow(tmp_path):
    (site,) = audit(tmp_path, nested(30)).sites
    assert site.name.count("/then_branch/") == 30
    assert site.output_shape == (1, 3, 3, 3)
    for depth in (40, 5000):
        with pytest.raises(ModelError, match="nests graphs deeper than protocol buffers allow"):
            audit(tmp_path, nested(depth))


def test_large_weights_are_left_out_before_anything_is_parsed():
    values = bytes(40_000)
    heavy = weight("w", [100, 100, 1, 1])
    heavy.raw_data = values
    inner = helper.make_graph([conv("x", "k", "b")], "inner", [], [value("b", None)], [heavy])
    inner.initializer[0].name = "k"
    nodes = [
        helper.make_node("Constant", [], ["k2"], value=heavy),
        helper.make_node("If", ["cond"], ["y"], then_branch=inner, else_branch=inner),
    ]
    model = make(nodes, {"x": [1, 100, 8, 8], "cond": []}, [heavy])
    sparse = model.graph.sparse_initializer.add(dims=[20_000])
    sparse.values.CopyFrom(heavy)
    function = model.functions.add(name="f", domain="my")
    function.node.append(nodes[0])
    skimmed = skim(memoryview(model.SerializeToString()))
    assert model.ByteSize() > 6 * len(values)
    assert len(skimmed) < 2000
    for tensor in (heavy, model.graph.node[0].attribute[0].t, sparse.values, function.node[0].attribute[0].t):
        tensor.ClearField("raw_data")
    model.graph.initializer[0].ClearField("raw_data")
    for attribute in model.graph.node[1].attribute:
        attribute.g.initializer[0].ClearField("raw_data")
    assert onnx.load_from_string(skimmed) == model


def test_small_tensors_are_kept():
    data = make(conv(), {"x": [1, 3, 8, 8]}, [helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2])])
    assert skim(memoryview(data.SerializeToString())) == data.SerializeToString()
