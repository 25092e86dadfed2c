"""Other shapes for some inputs of a model, and what the reader was asked for the others."""

from __future__ import annotations

import pytest

from gradverify.models.requests import NamedShape, OnnxRequest, TorchRequest, reshaped
from gradverify.spec.site import Model, image_of

MODEL = Model(inputs=(("x", (None, 3, 8, 8)), ("y", (1, 2))), sites=())


def test_a_file_gets_the_shapes_that_change_and_keeps_those_that_were_given():
    changed = reshaped(OnnxRequest("a.onnx", {"y": (5, 2)}), MODEL, {"x": (None, 3, 9, 9)})
    assert changed == OnnxRequest("a.onnx", {"y": (5, 2), "x": (1, 3, 9, 9)}, resizes=True)


@pytest.mark.parametrize(("shapes", "x"), [({"y": (7, 2)}, (4, 3, 8, 8)), ({"x": (4, 3, 9, 9)}, (4, 3, 9, 9))])
def test_a_shape_without_a_name_is_that_of_the_first_input(shapes, x):
    changed = reshaped(OnnxRequest("a.onnx", in_order=((4, 3, 8, 8),)), MODEL, shapes)
    assert changed.input_shapes == {"x": x} | shapes


def test_inputs_of_a_forward_pass_keep_their_places_names_and_dtypes():
    given = (NamedShape("", (1, 3, 8, 8), "float16"), NamedShape("y", (1, 2), "int64"))
    changed = reshaped(TorchRequest(factory="nets:Net", input_shapes=given), MODEL, {"x": (1, 3, 9, 9)})
    assert changed.input_shapes == (NamedShape("", (1, 3, 9, 9), "float16"), given[1])
    named = reshaped(TorchRequest(factory="nets:Net", input_shapes=given), MODEL, {"y": (3, 2)})
    assert named.input_shapes == (given[0], NamedShape("y", (3, 2), "int64"))


def test_the_image_is_the_first_input_with_axes_behind_batch_and_channels():
    assert image_of((("ids", (1, 8)), ("sound", (1, 2, 9)), ("x", (1, 3, 8, 8)))) == ("sound", (1, 2, 9))
    assert image_of((("ids", (1, 8)),)) == ("", ())
