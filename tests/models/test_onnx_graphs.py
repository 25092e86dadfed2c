"""Graphs within graphs, functions, names, and which node is to blame where lengths are not known."""

from __future__ import annotations

import pickle

import onnx
import pytest
from onnx import TensorProto, helper, parser
from onnx_models import audit, conv, make, pool, severities, sites, value, weight

from gradverify.errors import ModelError

KERNEL = weight("w", [4, 3, 3, 3])
TRUTH = helper.make_tensor("cond", TensorProto.BOOL, [], [1])
HEAD = '<ir_version: 8, opset_import: ["" : 17, "my" : 1]>\n'
BODY = '\n<domain: "my", opset_import: ["" : 17, "my" : 1]> '


def branch(name):
    """Return a graph that takes its input from the graph around it."""
    return helper.make_graph([conv(made="a", name="c1"), pool("a", "b")], name, [], [value("b", None)])


def choice(height):
    node = helper.make_node("If", ["cond"], ["y"], then_branch=branch("t"), else_branch=branch("e"), name="if")
    return make([node, pool("y", "z")], {"x": ["N", 3, height, 8]}, [KERNEL, TRUTH])


def loop(shape, pads):
    """Return a model with a convolution in a loop, whose input is declared to have a shape or none."""
    nodes = [conv("s", "w", "a", pads=pads), helper.make_node("Identity", ["c"], ["again"])]
    inputs = [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("s", shape)]
    body = helper.make_graph(nodes, "body", inputs, [value("again", [], TensorProto.BOOL), value("a", None)])
    node = helper.make_node("Loop", ["", "cond", "x"], ["y"], body=body, name="loop")
    return make([node, pool("y", "z")], {"x": [1, 3, 8, 8]}, [weight("w", [3, 3, 3, 3]), TRUTH])


def test_nodes_in_branches_are_named_behind_the_node_they_lie_in(tmp_path):
    found = sites(tmp_path, choice(8))
    inner = ["if/else_branch/c1", "if/else_branch/b", "if/then_branch/c1", "if/then_branch/b"]
    assert sorted(found) == sorted([*inner, "z"])
    assert {found[name].output_shape for name in inner if name.endswith("c1")} == {(None, 4, 6, 6)}
    assert found["z"].output_shape == (None, 4, 4, 4)
    assert [site.problem for site in found.values()] == [None] * 5


def test_shapes_in_branches_are_stale_once_others_are_given(tmp_path):
    model = choice("height")
    for attribute in model.graph.node[0].attribute:
        attribute.g.value_info.append(value("a", [1, 4, 77, 77]))
        attribute.g.output[0].CopyFrom(value("b", [1, 4, 76, 76]))
    found = sites(tmp_path, model, x=(2, 3, 9, 8))
    assert found["if/then_branch/b"].input_shape == (2, 4, 7, 6)
    assert found["z"].input_shape == (2, 4, 6, 5)


def test_what_comes_after_an_impossible_node_is_not_judged_also_across_branches(tmp_path):
    found = sites(tmp_path, choice(2))
    assert severities(found["if/then_branch/c1"]) == ["impossible", "exact"]
    assert found["if/then_branch/c1"].output_shape == (None, 4, None, None)
    expected = "its input is not known: node 'if/then_branch/c1' (Conv) before it is impossible"
    assert found["if/then_branch/b"].problem == expected
    assert found["z"].problem.endswith("(Conv) before it is impossible")


def test_a_loop_is_read_by_the_shapes_that_it_declares(tmp_path):
    found = sites(tmp_path, loop([1, 3, 8, 8], [1, 1, 1, 1]))
    assert found["loop/body/a"].output_shape == (1, 3, 8, 8)


def test_the_shapes_that_a_loop_declares_are_stale_once_others_are_given(tmp_path):
    model = loop([1, 3, 8, 8], [1, 1, 1, 1])
    model.graph.input[0].CopyFrom(value("x", [1, 3, "H", 8]))
    assert sites(tmp_path, model, x=(1, 3, 9, 8))["loop/body/a"].problem == (
        "the shape of its input 's' is not known because 's' may change its shape from turn to turn of "
        "node 'loop' (Loop)"
    )


def test_a_scan_is_read_slice_by_slice(tmp_path):
    body = helper.make_graph([pool("s", "t")], "body", [value("s", None)], [value("t", None)])
    node = helper.make_node("Scan", ["x"], ["y"], body=body, num_scan_inputs=1, name="scan")
    found = sites(tmp_path, make([node, pool("y", "z", kernel_shape=[1, 2, 2])], {"x": [5, 1, 3, 8, 8]}))
    assert found["scan/body/t"].input_shape == (1, 3, 8, 8)
    assert found["z"].input_shape == (5, 1, 3, 7, 7)


def test_an_impossible_node_outside_reaches_into_a_loop(tmp_path):
    model = loop([1, 3, 8, 8], [1, 1, 1, 1])
    first = model.graph.node.add()
    first.CopyFrom(pool("x", "small", kernel_shape=[9, 1]))
    model.graph.node.sort(key=lambda node: node.op_type == "Loop" or node.name == "z")
    model.graph.node[1].input[2] = "small"
    assert sites(tmp_path, model)["loop/body/a"].problem == (
        "its input is not known: node 'small' (MaxPool) before it is impossible"
    )


def test_functions_are_written_out(tmp_path):
    text = HEAD + (
        "agraph (float[1,3,8,8] x, float[4,3,3,3] w, float[4,4,1,1] v) => (y) { t = my.f(x, w) y = my.f(t, v) }"
        f"{BODY}f (a, b) => (c) {{ q = Conv(a, b) c = my.g(q) }}"
        f"{BODY}g (a) => (c) {{ c = MaxPool<kernel_shape=[2,2]>(a) }}"
    )
    found = audit(tmp_path, parser.parse_model(text)).sites
    assert [(site.op, site.input_shape) for site in found] == [
        ("Conv", (1, 3, 8, 8)),
        ("MaxPool", (1, 4, 6, 6)),
        ("Conv", (1, 4, 5, 5)),
        ("MaxPool", (1, 4, 5, 5)),
    ]
    assert len({site.name for site in found}) == 4


def test_a_function_of_another_opset_says_that_it_is_not_read(tmp_path):
    text = HEAD + (
        "agraph (float[1,3,8,8] x) => (z) { y = my.f(x) z = MaxPool<kernel_shape=[2,2]>(x) }"
        '\n<domain: "my", opset_import: ["" : 11, "my" : 1]> f (a) => (c) { q = my.g(a) c = Relu(q) }'
        '\n<domain: "my", opset_import: ["" : 11]> g (a) => (c) { c = MaxPool<kernel_shape=[2,2]>(a) }'
        '\n<domain: "my", opset_import: ["" : 11]> h (a) => (c) { c = Relu(a) }'
    )
    found = sites(tmp_path, parser.parse_model(text))
    assert found["f:y"].problem == (
        "its function asks for opset 11 of ONNX's operators, the model for 17: MaxPool in it is not read"
    )
    assert found["MaxPool:z"].output_shape == (1, 3, 7, 7)
    assert len(found) == 2


def test_a_function_that_calls_itself_is_refused(tmp_path):
    text = HEAD + f"agraph (float[1] x) => (y) {{ y = my.f(x) }}{BODY}f (a) => (c) {{ q = my.g(a) c = Relu(q) }}"
    text += f"{BODY}g (a) => (c) {{ c = my.f(a) }}"
    with pytest.raises(ModelError, match=r"function '[fg]' of domain 'my' calls itself"):
        audit(tmp_path, parser.parse_model(text))


def test_functions_that_double_at_every_step_are_refused_before_they_are_written_out(tmp_path):
    text = HEAD + "agraph (float[1] x) => (y) { y = my.f0(x) }"
    text += "".join(f"{BODY}f{step} (a) => (c) {{ q = my.f{step + 1}(a) c = my.f{step + 1}(q) }}" for step in range(60))
    text += f"{BODY}f60 (a) => (c) {{ c = Relu(a) }}"
    with pytest.raises(ModelError, match="once its functions are written out, expected 500000 at most"):
        audit(tmp_path, parser.parse_model(text))


def test_names_are_unique_and_fit_to_print(tmp_path):
    nodes = [
        pool("x", "a", name="pool\x1b[1m<b>|\n"),
        pool("x", "b", name="pool"),
        pool("x", "c", name="pool"),
        pool("x", "d", name="pool#2"),
        pool("x", "e", name=""),
        pool("x", "f", name="n" * 500),
    ]
    found = [site.name for site in audit(tmp_path, make(nodes, {"x": [1, 3, 8, 8]})).sites]
    assert found == [r"pool\x1b[1m<b>|\n", "pool", "pool#2", "pool#2#2", "MaxPool:e", "n" * 200 + "..."]


def test_names_that_are_no_text_are_shown_all_the_same(tmp_path):
    data = make(conv("x", "w", "y", name="QQQQ"), {"x": ["N", 3, 8, 8]}, [KERNEL]).SerializeToString()
    (site,) = audit(tmp_path, data.replace(b"QQQQ", b"\xff\xfeab")).sites
    assert (site.name, site.output_shape) == (r"\xff\xfeab", (None, 4, 6, 6))


def problem(folder, model, name):
    return sites(folder, model)[name].problem


def test_a_circle_and_a_node_out_of_order_are_named(tmp_path):
    relu = helper.make_node("Relu", ["a"], ["b"], name="relu")
    model = make([conv("b", "w", "a"), relu, pool("b", "c"), pool("x", "z")], {"x": [1, 3, 8, 8]}, [KERNEL])
    reason = "its input 'b' comes from node 'relu' (Relu), which does not stand before it: "
    reason += "ONNX asks for nodes in order, and a circle has none"
    found = sites(tmp_path, model)
    assert found["a"].problem == reason
    assert found["c"].problem == f"the shape of its input 'b' is not known because of node 'a' (Conv): {reason}"
    assert found["z"].problem is None


def test_a_tensor_that_nothing_makes_is_named(tmp_path):
    model = make([helper.make_node("Relu", ["q"], ["r"]), pool("r", "z")], {"x": [1, 3, 8, 8]})
    assert problem(tmp_path, model, "z") == "the shape of its input 'r' is not known because nothing makes 'q'"


def test_the_nearest_node_without_inference_is_to_blame_also_behind_symbolic_batches(tmp_path):
    foo = helper.make_node("Foo", ["x"], ["f"], name="foo", domain="my.ops")
    bar = helper.make_node("Bar", ["f"], ["g"], name="bar", domain="my.ops")
    nodes = [foo, bar, helper.make_node("Relu", ["g"], ["r"]), conv("r")]
    assert problem(tmp_path, make(nodes, {"x": ["N", 3, 8, 8]}, [KERNEL]), "y") == (
        "the shape of its input 'r' is not known because node 'bar' (Bar of domain my.ops) has no shape inference"
    )


def test_a_node_that_cannot_be_read_is_named_by_those_after_it(tmp_path):
    nodes = [conv(strides=[0, 1]), pool("y", "z"), conv("z", "w", "q"), pool("x", "beside")]
    found = sites(tmp_path, make(nodes, {"x": [1, 3, 8, 8]}, [KERNEL]))
    assert found["z"].problem == "its input is not known: node 'y' (Conv) before it cannot be read"
    assert found["q"].problem == found["z"].problem
    assert found["beside"].problem is None


@pytest.mark.parametrize("name", [op for _, op in sorted({("", "Conv"), ("", "MaxPool"), ("", "ConvTranspose")})])
def test_a_node_with_too_few_inputs_or_outputs_spoils_only_what_comes_after(tmp_path, name):
    nodes = [helper.make_node(name, [], ["a"], name="n"), pool("a", "z"), pool("x", "q")]
    needed = onnx.defs.get_schema(name).min_input
    found = sites(tmp_path, make(nodes, {"x": [1, 3, 8, 8]}))
    assert found["n"].problem == f"it has 0 inputs, {name} needs {needed}"
    assert found["z"].problem.startswith("the shape of its input 'a' is not known because of node 'n'")
    assert found["q"].problem is None
    nodes[0] = helper.make_node(name, ["x", "w"][:needed], [], name="n")
    assert problem(tmp_path, make(nodes, {"x": [1, 3, 8, 8]}, [KERNEL]), "n") == f"it has no outputs, {name} needs 1"


def test_more_such_nodes_than_inference_would_be_tried_for_are_no_obstacle(tmp_path):
    nodes = [helper.make_node("Relu", [], [f"r{place}"]) for place in range(40)]
    assert sites(tmp_path, make([*nodes, pool("x", "q")], {"x": [1, 3, 8, 8]}))["q"].output_shape == (1, 3, 7, 7)


def test_what_is_read_and_what_is_refused_cross_process_borders(tmp_path):
    model = make([conv(strides=[0, 1]), pool("x", "q")], {"x": [1, 3, 8, 8]}, [KERNEL])
    found = audit(tmp_path, model)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  our own
    error = pickle.loads(pickle.dumps(ModelError("net.onnx: is empty")))  # noqa: S301  our own
    assert (type(error), str(error)) == (ModelError, "net.onnx: is empty")


def test_a_model_without_an_opset_is_refused_and_older_files_need_none(tmp_path):
    model = make([pool()], {"x": [1, 3, 8, 8]})
    del model.opset_import[:]
    message = "names no opset for ONNX's operators, expected a version in opset_import: export it again"
    with pytest.raises(ModelError, match=message):
        audit(tmp_path, model)
    model.ir_version = 2
    assert sites(tmp_path, model)["y"].output_shape == (1, 3, 7, 7)
    model.opset_import.add(domain="", version=-1)
    with pytest.raises(ModelError, match="names opset -1"):
        audit(tmp_path, model)


def test_domains_without_an_opset_and_versions_to_come_are_no_obstacle(tmp_path):
    nodes = [helper.make_node("Foo", ["x"], ["f"], domain="my.ops"), pool("x", "y", ceil_mode=1)]
    model = make(nodes, {"x": [1, 3, 8, 8]}, opset=99)
    del model.opset_import[1:]
    assert sites(tmp_path, model)["y"].output_shape == (1, 3, 7, 7)
