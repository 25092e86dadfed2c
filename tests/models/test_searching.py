"""The smallest exact sizes of a model that is read at one size after the other: what grows, and what stays as given."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper
from onnx_models import conv, make, pool, weight

from gradverify.models import searching
from gradverify.models.requests import OnnxRequest
from gradverify.models.searching import SearchRequest, _sizes, search
from gradverify.numerics.geometry import Window
from gradverify.results import Solution
from gradverify.spec.site import Model, Site


@pytest.fixture
def searched(tmp_path):
    """Search for exact sizes of a model."""

    def search_in(model, seconds=60.0, **input_shapes):
        file = tmp_path / "model.onnx"
        file.write_bytes(model.SerializeToString())
        return search(SearchRequest(OnnxRequest(str(file), input_shapes), seconds))

    return search_in


def stem(shape, *more, **attributes):
    return make([conv(**attributes), *more], {"x": shape}, [weight("w", [4, 1, 3, 3])])


def test_each_axis_is_done_at_its_own_length(searched):
    found = searched(stem([1, 1, 10, 12], strides=[4, 3]))
    assert found == Solution(given=(("H", 10), ("W", 12)), found=(("H", 11), ("W", 12)), tried=2)


def test_what_is_exact_is_found_at_once(searched):
    assert searched(stem([1, 1, 11, 11], strides=[4, 4])).tried == 1


def test_no_size_is_exact_where_a_layer_has_a_problem(searched):
    found = searched(make([conv()], {"x": [1, 3, 9, 9]}, [weight("w", [4, 1, 3, 3])]))
    assert (found.found, found.proved) == (None, False)
    assert "; the search ends there, where y has a problem: " in found.reason


def test_other_inputs_keep_the_shapes_that_were_given(searched):
    scaled = helper.make_node("Mul", ["y", "k"], ["m"])
    pooled = helper.make_node("MaxPool", ["m"], ["z"], name="z", kernel_shape=[1, 1])
    nodes = [conv(strides=[4, 4]), scaled, pooled]
    model = make(nodes, {"x": ["N", 1, 10, 10], "k": ["N", 1, 1, "K"]}, [weight("w", [4, 1, 3, 3])])
    found = searched(model, k=(1, 1, 1, 1))
    assert found.found == (("H", 11), ("W", 11))


def test_a_search_that_finds_nothing_says_how_far_it_has_looked_and_claims_nothing(searched):
    twice = helper.make_node("Upsample", ["x", "s"], ["u"], name="u")
    halves = helper.make_node("MaxPool", ["u"], ["y"], name="y", kernel_shape=[1, 1], strides=[2, 1])
    scales = helper.make_tensor("s", TensorProto.FLOAT, [4], [1.0, 1.0, 2.0, 2.0])
    assert searched(make([twice, halves], {"x": [1, 1, 4, 5]}, [scales], opset=9)) == Solution(
        given=(("H", 4), ("W", 5)),
        reason="none of H = 4 to 35 is; the search ends there; violated at every one of them: y",
        tried=32,
    )


def test_a_search_has_a_time_to_end(searched):
    found = searched(stem([1, 1, 10, 10], strides=[4, 4]), seconds=-1.0)
    assert (found.found, found.tried) == (None, 0)


@pytest.mark.parametrize("shape", [["N", 1, "H", "W"], [1, 1, 9, "W"], [4, 5]])
def test_without_an_image_of_known_lengths_there_is_nothing_to_search(searched, shape):
    node = helper.make_node("Relu", ["x"], ["y"])
    assert searched(make(node, {"x": shape})) == Solution(
        given=(), reason="no input has spatial axes whose lengths are known"
    )


def test_a_model_that_cannot_be_read_is_told_of(tmp_path):
    told = search(SearchRequest(OnnxRequest(str(tmp_path / "none.onnx")), 1.0))
    assert "none.onnx: cannot be read" in told


@pytest.mark.parametrize(("length", "least", "sizes"), [(224, 7, 128), (8, 8, 32), (5000, 2, 256), (224, None, 256)])
def test_more_sizes_are_worth_a_look_the_more_a_model_shrinks(length, least, sizes):
    sites = tuple(Site(name=shape, op="Conv", input_shape=shape) for shape in ((1, 1, 300, least), None, (1, 1)))
    assert _sizes(Model(inputs=(), sites=sites), length) == (sizes if least else 32)


def test_an_axis_that_is_done_keeps_its_length_while_the_others_grow(monkeypatch):
    asked = []

    def reads(request):
        asked.append(request.input_shapes.get("x", (1, 1, 10, 10))[2:])
        height, width = asked[-1]
        windows = (("H", Window(height, 3, 4)), ("W", Window(width, 3, 5)))
        return Model(inputs=(("x", (1, 1, 10, 10)),), sites=(Site(name="a", op="Conv", windows=windows),))

    monkeypatch.setattr(searching, "read", reads)
    found = search(SearchRequest(OnnxRequest("model.onnx"), 60.0))
    assert found.found == (("H", 11), ("W", 13))
    assert asked == [(10, 10), (11, 11), (11, 12), (11, 13)]


def pooled(folder, inputs, *in_order, **named):
    file = folder / "model.onnx"
    nodes = [pool(name, f"p{name}", kernel_shape=[2], strides=[2]) for name in inputs]
    file.write_bytes(make(nodes, inputs).SerializeToString())
    return search(SearchRequest(OnnxRequest(str(file), named, in_order), 60))


@pytest.mark.parametrize("given", [((1, 3, 9),), {"x": (1, 3, 9)}], ids=["in order", "by name"])
def test_a_symbolic_size_of_two_inputs_grows_in_both(tmp_path, given):
    in_order, named = ((), given) if isinstance(given, dict) else (given, {})
    found = pooled(tmp_path, {"x": [1, 3, "s"], "v": [1, 3, "s"]}, *in_order, **named)
    assert (found.given, found.found) == ((("L", 9),), (("L", 10),))


def test_other_inputs_keep_the_shapes_that_were_given_in_order(tmp_path):
    found = pooled(tmp_path, {"x": [1, 3, "s"], "v": [1, 3, "t"]}, (1, 3, 9), (1, 3, 8))
    assert found.found == (("L", 10),)


def test_what_is_not_found_is_not_claimed(tmp_path):
    found = pooled(tmp_path, {"x": [1, 3, "s"], "v": [1, 3, 9]}, (1, 3, 9))
    assert (found.found, found.proved) == (None, False)
    assert found.reason == "none of L = 9 to 40 is; the search ends there; violated at every one of them: pv"


def test_layers_that_are_violated_at_every_length_are_named(searched):
    up = helper.make_node("ConvTranspose", ["x", "w"], ["u"], name="up", strides=[2, 2], output_padding=[1, 1])
    down = helper.make_node("MaxPool", ["u"], ["y"], name="down", kernel_shape=[2, 2], strides=[2, 2])
    found = searched(make([up, down], {"x": [1, 1, 9, 9]}, [weight("w", [1, 1, 3, 3])]))
    assert found.found is None
    assert found.reason.endswith("; the search ends there; violated at every one of them: up")
