"""Files made to break a reader: whatever they hold, the answer is a site with a problem or one clear refusal."""

from __future__ import annotations

import contextlib
import random
import time
from itertools import pairwise

import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper
from onnx_models import audit, conv, make, numbers, pool, value, weight

from gradverify.errors import ModelError
from gradverify.models.onnx.operators import STAND_INS, WINDOWED
from gradverify.numerics.geometry import measure

OPS = (*WINDOWED, *STAND_INS, *(("", op) for op in (
    "Pad", "Reshape", "Concat", "Flatten", "Slice", "Resize", "Loop", "Scan", "If", "Constant", "ConstantOfShape",
    "Squeeze", "Transpose", "Shape", "Gather", "Expand", "Split", "Identity", "Relu", "BatchNormalization",
)))  # fmt: skip
NAMES = ("kernel_shape", "strides", "pads", "dilations", "auto_pad", "group", "ceil_mode", "output_padding",
         "output_shape", "channels_last", "axis", "axes", "perm", "value", "then_branch", "body", "mode")  # fmt: skip
VALUES = ([1, 2], [0, 0], [-1, -1], [2**62, 2**62], [1], [], 3, -1, 2**62, "x", [1.5], 2.5, "SAME_UPPER", "VALID",
          [3, 3], [1, 1, 1, 1], [2**62] * 4, ["a"], [1] * 7, TensorProto(dims=[2**40, 2**40], data_type=7),
          helper.make_graph([conv("x", "w", "q")], "g", [], [value("q", None)]))  # fmt: skip
TENSORS = ("x", "w", "s", "t", "", "nowhere", "a0", "a1", "a2", "a3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("hostile")


def attribute(draw, name):
    """Draw an attribute that may hold anything."""
    chosen = draw(st.sampled_from(VALUES))
    if chosen == [] or draw(st.integers(0, 9)) == 0:
        kinds = (AttributeProto.INTS, AttributeProto.UNDEFINED, AttributeProto.GRAPH, AttributeProto.STRING)
        return AttributeProto(name=name, type=draw(st.sampled_from(kinds)))
    return helper.make_attribute(name, chosen)


@st.composite
def hostile(draw):
    nodes = []
    for place in range(draw(st.integers(1, 4))):
        domain, op = draw(st.sampled_from(OPS))
        inputs = draw(st.lists(st.sampled_from(TENSORS), max_size=9))
        made = [f"a{place}"] if draw(st.integers(0, 9)) else []
        node = helper.make_node(op, inputs, made, domain=domain, name=draw(st.sampled_from(["", "n", "\x00", "[/b]"])))
        chosen = draw(st.lists(st.sampled_from(NAMES), max_size=5))
        node.attribute.extend(attribute(draw, name) for name in chosen)
        nodes.append(node)
    shape = draw(st.lists(st.sampled_from([1, 3, 8, 0, 2**40, "N", None]), max_size=6))
    more = [weight("w", [4, 3, 3, 3]), numbers("s", [2**62, -5]), weight("t", [-1, 2**62], TensorProto.INT64)]
    last = pool("x", "after", name="after")
    return make([*nodes, last], {"x": shape}, more, draw(st.sampled_from([1, 7, 11, 18, 22, 28])))


@settings(max_examples=500, deadline=None)
@given(model=hostile())
def test_whatever_a_node_holds_the_others_are_judged(folder, model):
    with contextlib.suppress(ModelError):
        found = audit(folder, model).sites
        assert any(site.name.startswith("after") for site in found)
        assert len({site.name for site in found}) == len(found)
        for site in found:
            assert site.windows or site.problem
            assert site.name.isprintable()
            assert all(measure(axis, window).severity for axis, window in site.windows)


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 8))
@example(seed=499, changes=1)  # a domain that is not UTF-8
def test_a_spoiled_file_is_read_or_refused(folder, seed, changes):
    drawn = random.Random(seed)  # noqa: S311  nothing secret
    nodes = [conv(), pool("y", "z"), helper.make_node("If", ["c"], ["i"], then_branch=helper.make_graph(
        [conv("z", "w", "q")], "g", [], [value("q", None)]))]  # fmt: skip
    data = bytearray(make(nodes, {"x": [1, 3, 8, 8], "c": []}, [weight("w", [4, 3, 3, 3])]).SerializeToString())
    for _ in range(changes):
        data[drawn.randrange(len(data))] = drawn.randrange(256)
    with contextlib.suppress(ModelError):
        audit(folder, bytes(data))


def test_refusals_are_rare(folder):
    """The suppressed refusals above are those of whole files, and a hostile node is no such thing."""
    refused = []
    for op in ("Loop", "Scan", "If", "Conv"):
        node = helper.make_node(op, ["x", "x"], ["a"], name="bad")
        node.attribute.append(AttributeProto(name="body", type=AttributeProto.GRAPH))
        with contextlib.suppress(ModelError):
            refused.append(audit(folder, make([node, pool("x", "z")], {"x": [1, 3, 8, 8]})).sites[-1].problem)
    assert refused == [None] * 4


@pytest.mark.parametrize("attributes", [{"strides": [0, 1]}, {"dilations": [1, 0]}])
def test_onnx_never_sees_a_division_by_zero(attributes):
    from gradverify.models.onnx.preparing import Source, prepare  # noqa: PLC0415  it imports onnx

    model = make([conv(**attributes), pool("x", "z")], {"x": [1, 3, 8, 8]}, [weight("w", [4, 3, 3, 3])])
    prepared = prepare(Source("model.onnx", model, {"": 22}, stale=False))
    assert [node.domain for node in prepared.graph.node] == ["gradverify.passed-over", ""]


def test_thousands_of_nodes_are_read_in_seconds(folder):
    names = ["x", *(f"t{place}" for place in range(4000))]
    nodes = [conv(a, "w", b, pads=[1, 1, 1, 1]) for a, b in pairwise(names)]
    model = make(nodes, {"x": ["N", 3, "H", "W"]}, [weight("w", [3, 3, 3, 3])])
    start = time.perf_counter()
    found = audit(folder, model).sites
    assert len(found) == 4000
    assert all("'H' and 'W'" in site.problem for site in found)
    assert time.perf_counter() - start < 20


def test_long_chains_upstream_of_what_is_not_known_cost_no_more_than_they_must(folder):
    names = ["x", *(f"t{place}" for place in range(1500))]
    first = helper.make_node("Foo", ["x"], ["t0"], domain="my.ops", name="foo")
    nodes = [first, *(pool(a, b) for a, b in pairwise(names[1:]))]
    start = time.perf_counter()
    unknown, *found = audit(folder, make(nodes, {"x": ["N", 3, 8, 8]})).sites
    assert (unknown.name, unknown.problem, len(found)) == ("foo", None, 1499)
    assert all("'foo' (Foo of domain my.ops) has no shape inference" in site.problem for site in found)
    assert time.perf_counter() - start < 20


def test_a_node_that_onnx_gives_up_on_is_passed_over(folder, monkeypatch):
    from gradverify.models.onnx import inference  # noqa: PLC0415  it imports onnx

    real = onnx.shape_inference.infer_shapes

    def gives_up(model, **options):
        if any(node.op_type == "Relu" and not node.domain for node in model.graph.node):
            raise ValueError("vector::reserve")
        return real(model, **options)

    monkeypatch.setattr(inference.shape_inference, "infer_shapes", gives_up)
    relu = helper.make_node("Relu", ["x"], ["r"], name="relu")
    found = audit(folder, make([pool("x", "y"), relu, pool("r", "z"), pool("y", "q")], {"x": [1, 3, 8, 8]})).sites
    assert [site.output_shape for site in found] == [(1, 3, 7, 7), None, (1, 3, 6, 6)]
    assert "'relu' (Relu)" in found[1].problem
    many = [helper.make_node("Relu", ["x"], [f"r{place}"]) for place in range(20)]
    with pytest.raises(ModelError, match="gives up on more than 16 nodes: check the model by onnx"):
        audit(folder, make([*many, pool("x", "y")], {"x": [1, 3, 8, 8]}))
