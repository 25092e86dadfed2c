"""Every windowed operator over a drawn grid: our sizes are those that ONNX infers and its reference computes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import helper
from onnx.reference import ReferenceEvaluator
from onnx_models import LATEST, audit, make, numbers, weight

from gradverify.numerics.geometry import describe_impossible, output_size

CONVOLUTIONS = ("Conv", "ConvInteger", "QLinearConv", "DeformConv")
POOLS = ("MaxPool", "AveragePool", "LpPool")
FIRST = {"ConvInteger": 10, "QLinearConv": 10, "DeformConv": 19, "MaxUnpool": 9, "Col2Im": 18}
# Which opset an operator has dilations from, where not from the first.
DILATED = {"MaxPool": 10, "AveragePool": 19, "LpPool": 18}
OPSETS = (7, 8, 10, 11, 13, 18, 19, 21, 22, LATEST)
BYTES, FLOATS = onnx.TensorProto.UINT8, onnx.TensorProto.FLOAT
MODES = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("grid")


def several(draw, count, low, high):
    return draw(st.lists(st.integers(low, high), min_size=count, max_size=count))


@st.composite
def drawn(draw, ops, opsets=OPSETS):
    """Draw an operator with attributes along one to four axes, and the lengths of its input."""
    op = draw(st.sampled_from(ops))
    opset = draw(st.sampled_from([each for each in opsets if each >= FIRST.get(op, 1)]))
    axes = draw(st.integers(1, 4))
    attributes = {"kernel_shape": several(draw, axes, 1, 5), "strides": several(draw, axes, 1, 4)}
    if opset >= DILATED.get(op, 1) and op != "MaxUnpool" and draw(st.booleans()):
        attributes["dilations"] = several(draw, axes, 1, 3)
    mode = draw(st.sampled_from(MODES)) if op not in {"DeformConv", "MaxUnpool"} else "NOTSET"
    if mode != "NOTSET":
        attributes["auto_pad"] = mode
    elif draw(st.booleans()):
        attributes["pads"] = several(draw, 2 * axes, 0, 4)
    if op in POOLS and opset >= (18 if op == "LpPool" else 10) and draw(st.booleans()):
        attributes["ceil_mode"] = 1
    return op, opset, attributes, several(draw, axes, 1, 12)


def model_of(op, opset, attributes, lengths):
    """Return a model with one such node; where it has a kernel, that says how long it is half of the time."""
    kernel = attributes["kernel_shape"]
    names, given, weights = ["x"], {"x": [1, 2, *lengths]}, []
    kind = BYTES if op in {"ConvInteger", "QLinearConv"} else FLOATS
    if op in {"Conv", "ConvInteger", "ConvTranspose", "DeformConv"}:
        names.append("w")
        weights.append(weight("w", [2, 2, *kernel], kind))
    if op == "QLinearConv":
        names = ["x", "s", "z", "w", "s", "z", "s", "z"]
        weights = [weight("w", [2, 2, *kernel], BYTES), weight("s", []), weight("z", [], BYTES)]
    if op == "DeformConv":
        names.append("offsets")
        given["offsets"] = [None] * (2 + len(lengths))
    if op == "MaxUnpool":
        names.append("indices")
        given["indices"] = [1, 2, *lengths]
    left = {name: each for name, each in attributes.items() if name != "kernel_shape"}
    kept = left if weights and sum(kernel) % 2 else attributes
    return make(helper.make_node(op, names, ["y"], **kept), given, weights, opset, kind=kind)


def inferred(model):
    made = onnx.shape_inference.infer_shapes(model).graph.output[0].type.tensor_type
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in made.shape.dim][2:]


def windows_of(folder, model):
    (site,) = audit(folder, model).sites
    assert site.problem is None, site.problem
    return [window for _, window in site.windows]


def agrees(window, length):
    """Return whether ONNX infers what a window makes; of one that does not fit it infers nonsense."""
    if describe_impossible(window) is None:
        return output_size(window) == length
    room = window.input + sum(window.padding) - window.reach
    return length < 1 if window.transposed else room < 0


@settings(max_examples=300, deadline=None)
@given(case=drawn((*CONVOLUTIONS, *POOLS)))
def test_sizes_of_windows_are_those_that_onnx_infers(folder, case):
    model = model_of(*case)
    lengths = inferred(model)
    windows = windows_of(folder, model)
    assert len(windows) == len(lengths) == len(case[3])
    assert all(map(agrees, windows, lengths)), (windows, lengths)


@settings(max_examples=300, deadline=None)
@given(op=st.sampled_from(POOLS), opset=st.sampled_from(OPSETS[2:]), data=st.data())
def test_last_windows_are_rounded_as_the_opset_has_it(folder, op, opset, data):
    opset = max(opset, 18) if op == "LpPool" else opset
    attributes = {"kernel_shape": several(data.draw, 1, 1, 4), "strides": several(data.draw, 1, 2, 6), "ceil_mode": 1}
    attributes["pads"] = [data.draw(st.integers(0, 3)), data.draw(st.integers(0, 5))]
    model = model_of(op, opset, attributes, several(data.draw, 1, 1, 9))
    assert all(map(agrees, windows_of(folder, model), inferred(model)))


@settings(max_examples=300, deadline=None)
@given(case=drawn(("ConvTranspose", "MaxUnpool")), data=st.data())
def test_sizes_of_transposed_windows_are_those_that_onnx_infers(folder, case, data):
    op, opset, attributes, lengths = case
    if op == "ConvTranspose" and data.draw(st.booleans()):
        attributes = {**attributes, "output_padding": several(data.draw, len(lengths), 0, 3)}
    if op == "ConvTranspose" and data.draw(st.booleans()):
        more = several(data.draw, len(lengths), 0, 9)
        attributes = {**attributes, "output_shape": [one + two for one, two in zip(lengths, more, strict=True)]}
    model = model_of(op, opset, attributes, lengths)
    assert all(map(agrees, windows_of(folder, model), inferred(model)))


@settings(max_examples=200, deadline=None)
@given(data=st.data(), opset=st.sampled_from([18, LATEST]), axes=st.integers(1, 3))
def test_folds_make_the_image_they_are_told_to(folder, data, opset, axes):
    image, block = several(data.draw, axes, 1, 9), several(data.draw, axes, 1, 3)
    attributes = {"strides": several(data.draw, axes, 1, 3), "pads": several(data.draw, 2 * axes, 0, 2),
                  "dilations": several(data.draw, axes, 1, 2)}  # fmt: skip
    node = helper.make_node("Col2Im", ["x", "image", "block"], ["y"], name="fold", **attributes)
    blocks = 1
    for axis in range(axes):
        reach = attributes["dilations"][axis] * (block[axis] - 1) + 1
        room = image[axis] + attributes["pads"][axis] + attributes["pads"][axis + axes] - reach
        blocks *= max(room // attributes["strides"][axis] + 1, 0)
    model = make(
        node, {"x": [1, int(np.prod(block)), blocks]}, [numbers("image", image), numbers("block", block)], opset
    )
    (site,) = audit(folder, model).sites
    if blocks == 0:
        assert "no block fits" in site.problem
        return
    assert inferred(model) == [output_size(window) for _, window in site.windows] == image
    assert site.problem is None
    made = ReferenceEvaluator(model).run(None, {"x": np.zeros((1, int(np.prod(block)), blocks), np.float32)})[0]
    assert list(made.shape[2:]) == image


@settings(max_examples=60, deadline=None)
@given(case=drawn(("Conv", "ConvTranspose", *POOLS), opsets=(11, 18, LATEST)))
def test_sizes_are_those_that_the_reference_computes(folder, case):
    op, opset, attributes, lengths = case
    if op == "MaxPool":  # the reference mistakes its padding
        attributes = {name: each for name, each in attributes.items() if name not in {"auto_pad", "pads"}}
    if op in POOLS and "pads" in attributes:  # dilated windows may see nothing but padding, which it cannot
        attributes = {name: each for name, each in attributes.items() if name != "dilations"}
    if opset < 22:  # the reference drops a last window in the padding whatever the opset
        attributes = {name: each for name, each in attributes.items() if name != "ceil_mode"}
    if attributes.get("auto_pad", "NOTSET") != "NOTSET":
        # The reference knows auto_pad without dilations and ceil_mode, and no padding below zero.
        kernel = [max(pair) for pair in zip(attributes["kernel_shape"], attributes["strides"], strict=True)]
        kept = {name: each for name, each in attributes.items() if name not in {"dilations", "ceil_mode"}}
        attributes = {**kept, "kernel_shape": kernel}
    model = model_of(op, opset, attributes, lengths)
    windows = windows_of(folder, model)
    pools = op in POOLS
    if len(lengths) > 3 or any(describe_impossible(replace(each, reads_padding_only=not pools)) for each in windows):
        return
    for tensor in model.graph.initializer:
        tensor.float_data.extend([0.0] * int(np.prod(tensor.dims)))
    made = ReferenceEvaluator(model).run(None, {"x": np.zeros((1, 2, *lengths), np.float32)})[0]
    assert list(made.shape[2:]) == [output_size(window) for window in windows]
