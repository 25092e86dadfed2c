"""Lengths of inputs: given, asked for by name, and refused where the model says otherwise."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper
from onnx_models import audit, conv, make, numbers, pool, sites, value, weight

from gradverify.errors import ModelError

KERNEL = weight("w", [4, 3, 3, 3])
OPEN = make([conv(), pool("y", "z")], {"x": ["N", 3, "height", "width"]}, [KERNEL])


def spatial(site):
    return [window.input for _, window in site.windows]


def test_lengths_that_are_given_reach_every_node(tmp_path):
    found = sites(tmp_path, OPEN, x=(2, 3, 9, 11))
    assert {name: site.input_shape for name, site in found.items()} == {"y": (2, 3, 9, 11), "z": (2, 4, 7, 9)}
    assert [site.problem for site in found.values()] == [None, None]


def test_a_shape_without_a_name_is_that_of_the_first_input(tmp_path):
    assert audit(tmp_path, OPEN, (1, 3, 9, 9)).inputs == (("x", (1, 3, 9, 9)),)


def test_shapes_without_a_name_are_those_of_the_inputs_in_order(tmp_path):
    model = make([pool("x", "y"), pool("v", "z")], {"x": [1, 3, "a", "b"], "v": [1, 3, "c", "d"]})
    found = sites(tmp_path, model, (1, 3, 9, 8), (1, 3, 7, 6))
    assert [spatial(site) for site in found.values()] == [[9, 8], [7, 6]]
    mixed = audit(tmp_path, model, (1, 3, 9, 8), v=(1, 3, 5, 4))
    assert mixed.inputs == (("x", (1, 3, 9, 8)), ("v", (1, 3, 5, 4)))


@pytest.mark.parametrize(
    ("in_order", "named", "message"),
    [
        (2, {}, "2 shapes without a name were given, expected one for each input at most"),
        (
            1,
            {"x": (1, 3, 7, 7)},
            "input 'x': 1,3,9,9 and 1,3,7,7 were given, expected one shape, in order or by name",
        ),
    ],
)
def test_an_input_has_one_shape(tmp_path, in_order, named, message):
    with pytest.raises(ModelError) as caught:
        audit(tmp_path, OPEN, *[(1, 3, 9, 9)] * in_order, **named)
    assert str(caught.value) == f"{tmp_path / 'model.onnx'}: {message} (its inputs are x (N,3,height,width))"


def test_weights_among_the_inputs_are_none(tmp_path):
    model = make(conv(), {"w": [4, 3, 3, 3], "x": ["N", 3, 8, 8]}, [KERNEL], ir_version=3, opset=8)
    assert audit(tmp_path, model, (1, 3, 8, 8)).inputs == (("x", (1, 3, 8, 8)),)


def test_a_symbolic_size_counts_wherever_it_stands(tmp_path):
    model = make([pool("x", "y"), pool("v", "z")], {"x": [1, 3, "s", "t"], "v": [1, 3, "t", "s"]})
    found = sites(tmp_path, model, x=(1, 3, 9, 7))
    assert spatial(found["z"]) == [7, 9]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"data": (1, 3, 9, 9)}, "has no input 'data', expected one of x"),
        ({"x": (1, 3, 9)}, "input 'x': 1,3,9 was given, expected 4 lengths"),
        (
            {"x": (1, 4, 9, 9)},
            "input 'x': 1,4,9,9 was given, expected 3 along axis 1, where the model's size is fixed",
        ),
        (
            {"x": (1, 3, 0, 9)},
            "input 'x': got 1,3,0,9, expected lengths of at least 1",
        ),
    ],
)
def test_lengths_that_do_not_fit_are_refused(tmp_path, given, message):
    with pytest.raises(ModelError) as caught:
        audit(tmp_path, OPEN, **given)
    assert str(caught.value) == f"{tmp_path / 'model.onnx'}: {message} (its inputs are x (N,3,height,width))"


def test_one_symbolic_size_is_one_number(tmp_path):
    with pytest.raises(ModelError, match="the symbolic size 's' is 9 and 8, expected one number for it"):
        audit(tmp_path, make(pool(), {"x": [1, 3, "s", "s"]}), x=(1, 3, 9, 8))


def test_a_model_without_inputs_takes_no_lengths(tmp_path):
    model = make(pool(), {}, [weight("x", [1, 3, 8, 8])])
    assert spatial(sites(tmp_path, model)["y"]) == [8, 8]
    with pytest.raises(ModelError, match="has no inputs, expected none in --input-shape: leave it out"):
        audit(tmp_path, model, (1,))


def test_symbolic_sizes_are_named_and_asked_for(tmp_path):
    asked = (
        "the lengths of H and W are not known: input 'x' has the symbolic sizes 'height' and 'width': "
        "give --input-shape x=1,3,224,224"
    )
    assert {site.problem for site in sites(tmp_path, OPEN).values()} == {asked}


def test_only_the_size_that_is_needed_is_named(tmp_path):
    model = make(pool(), {"x": ["N", "C", 8, "width"], "v": [1, 3, "height", 8]})
    (site,) = audit(tmp_path, model).sites
    assert spatial(site) == [8]
    assert site.problem == (
        "the length of W is not known: input 'x' has the symbolic size 'width': give --input-shape x=1,3,8,224"
    )


def test_sizes_without_a_name_are_asked_for_by_their_axis(tmp_path):
    (site,) = audit(tmp_path, make(pool(), {"x": [None, 3, None, 8]})).sites
    assert site.problem == (
        "the length of H is not known: input 'x' has no size along axis 2: give --input-shape x=1,3,224,8"
    )


@pytest.mark.parametrize(
    ("lengths", "example"), [([2, 2], "1,3,224,224"), ([2], "1,3,224"), ([2, 2, 2], "1,3,224,224,224")]
)
def test_an_input_without_a_shape_is_asked_for_as_many_axes_as_the_window_has(tmp_path, lengths, example):
    model = make([helper.make_node("Relu", ["x"], ["r"]), pool("r", kernel_shape=lengths)], {"x": None})
    (site,) = audit(tmp_path, model).sites
    assert site.problem == (
        f"the shape of its input 'r' is not known: input 'x' has no shape: give --input-shape x={example}"
    )


def test_a_symbolic_batch_stops_nothing(tmp_path):
    kernel = weight("w2", [1, 4, 1, 1])
    nodes = [
        conv(),
        helper.make_node("Shape", ["y"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Unsqueeze", ["batch", "first"], ["batches"]),
        helper.make_node("Concat", ["batches", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["y", "target"], ["r"]),
        conv("r", "w2", "z"),
        helper.make_node("Reshape", ["z", "kept"], ["s"]),
        pool("s", "q", kernel_shape=[2]),
    ]
    zero = helper.make_tensor("zero", TensorProto.INT64, [], [0])
    more = [KERNEL, kernel, zero, numbers("first", [0]), numbers("rest", [4, 4, 9]), numbers("kept", [0, 1, -1])]
    found = sites(tmp_path, make(nodes, {"x": ["N", 3, 8, 8]}, more))
    assert [site.problem for site in found.values()] == [None] * 3
    assert spatial(found["z"]) == [4, 9]
    assert spatial(found["q"]) == [36]


def test_a_batch_that_becomes_a_length_is_asked_for(tmp_path):
    nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[1, 2, 0]), pool("t", kernel_shape=[2])]
    (site,) = audit(tmp_path, make(nodes, {"x": ["N", 3, 4]})).sites
    assert site.problem == (
        "the length of L is not known: input 'x' has the symbolic size 'N': give --input-shape x=1,3,4"
    )


def test_shapes_in_the_file_count_where_onnx_infers_none_and_no_longer_once_others_are_given(tmp_path):
    foo = helper.make_node("Foo", ["x"], ["f"], name="foo", domain="my.ops")
    model = make(
        [foo, conv("f"), pool("y", "z")], {"x": ["N", 3, 8, 8]}, [KERNEL], value_info=[value("f", [1, 3, 5, 5])]
    )
    found = sites(tmp_path, model)
    assert (spatial(found["y"]), spatial(found["z"])) == ([5, 5], [3, 3])
    found = sites(tmp_path, model, x=(1, 3, 8, 8))
    culprit = "is not known because node 'foo' (Foo of domain my.ops) has no shape inference"
    assert found["y"].problem == f"the shape of its input 'f' {culprit}"
    assert found["z"].problem == f"the shape of its input 'y' {culprit}"


def test_shapes_in_the_file_that_onnx_contradicts_do_not_count(tmp_path):
    stale = [value("y", [1, 4, 50, 50])]
    model = make([conv(), pool("y", "z")], {"x": [1, 3, 8, 8]}, [KERNEL], value_info=stale)
    model.graph.output[0].CopyFrom(value("z", [1, 4, 49, 49]))
    assert sites(tmp_path, model)["z"].output_shape == (1, 4, 5, 5)


def test_shapes_in_the_file_that_contradict_what_onnx_knows_in_part_do_not_count(tmp_path):
    nodes = [helper.make_node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]), pool("t", "y")]
    stale = [value("t", [1, 3, 8, 9])]
    (site,) = audit(tmp_path, make(nodes, {"x": [1, 3, "H", 4]}, value_info=stale)).sites
    assert (spatial(site), site.input_shape) == ([4], (1, 3, 4, None))


def test_a_reshape_by_values_of_an_input_is_known_by_the_file_alone(tmp_path):
    nodes = [helper.make_node("Reshape", ["x", "s"], ["r"], name="reshape"), conv("r")]
    model = make(nodes, {"x": [1, 3, 64]}, [KERNEL])
    model.graph.input.append(value("s", [4], TensorProto.INT64))
    (site,) = audit(tmp_path, model).sites
    assert site.problem == (
        "the lengths of H and W are not known because ONNX infers no shape for node 'reshape' (Reshape): "
        "what it makes depends on values, or it is wrong"
    )
    model.graph.value_info.append(value("r", [1, 3, 8, 8]))
    assert spatial(audit(tmp_path, model).sites[0]) == [8, 8]
