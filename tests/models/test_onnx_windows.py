"""What a node says of its windows: attributes left out, wrong or contradicting, kernels, groups, padding before."""

from __future__ import annotations

import pytest
from onnx import TensorProto, helper
from onnx_models import LATEST, conv, make, numbers, pool, severities, sites, weight

from gradverify.numerics.geometry import PadMode, Rounding, Window, output_size

KERNEL = weight("w", [4, 3, 3, 3])


def only(folder, node, lengths=(8, 8), weights=(KERNEL,), channels=3, **more):
    (site,) = sites(folder, make(node, {"x": [1, channels, *lengths]}, weights, **more)).values()
    return site


def windows(folder, node, **more):
    return [window for _, window in only(folder, node, **more).windows]


def test_attributes_that_are_left_out_have_the_defaults_of_onnx(tmp_path):
    site = only(tmp_path, conv())
    assert site.windows == (("H", Window(8, 3)), ("W", Window(8, 3)))
    assert site.op == "Conv"
    assert windows(tmp_path, pool())[0] == Window(8, 2)


def test_all_attributes_are_read_axis_by_axis(tmp_path):
    node = conv(pads=[1, 2, 3, 4], strides=[2, 3], dilations=[3, 1])
    assert windows(tmp_path, node, lengths=(9, 8)) == [Window(9, 3, 2, (1, 3), 3), Window(8, 3, 3, (2, 4), 1)]


@pytest.mark.parametrize(
    ("lengths", "names"), [((9,), ["L"]), ((9, 8, 7), ["D", "H", "W"]), ((9, 8, 7, 6), ["0", "1", "2", "3"])]
)
def test_axes_have_their_names_in_any_dimension(tmp_path, lengths, names):
    kernel = weight("w", [4, 3, *(3 for _ in lengths)])
    site = only(tmp_path, conv(), lengths=lengths, weights=[kernel])
    assert [name for name, _ in site.windows] == names
    assert [window.input for _, window in site.windows] == list(lengths)


def test_the_kernel_may_be_a_constant_or_be_computed(tmp_path):
    nodes = [
        helper.make_node("Constant", [], ["k"], value=weight("", [4, 3, 5, 1])),
        conv("x", "k", "y"),
        helper.make_node("ConstantOfShape", ["lengths"], ["k2"]),
        conv("x", "k2", "z"),
        helper.make_node("Transpose", ["w"], ["k3"], perm=[0, 1, 3, 2]),
        conv("x", "k3", "v"),
    ]
    more = [numbers("lengths", [4, 3, 2, 7]), weight("w", [4, 3, 1, 6])]
    found = sites(tmp_path, make(nodes, {"x": [1, 3, 8, 8]}, more))
    kernels = {name: [window.kernel for _, window in site.windows] for name, site in found.items()}
    assert kernels == {"y": [5, 1], "z": [2, 7], "v": [6, 1]}


def test_modes_are_kept_as_modes(tmp_path):
    for word, mode in {"SAME_UPPER": PadMode.SAME_UPPER, "SAME_LOWER": PadMode.SAME_LOWER, "VALID": None}.items():
        assert windows(tmp_path, conv(auto_pad=word))[0] == Window(8, 3, mode=mode)


def test_transposed_convolutions_pad_as_onnx_infers_it(tmp_path):
    def transposed(**attributes):
        node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], **attributes)
        return windows(tmp_path, node, lengths=[5], weights=[weight("w", [3, 4, 4])], opset=22)[0]

    plain = Window(5, 4, 1, transposed=True)
    assert transposed() == plain
    assert transposed(strides=[2], output_padding=[1]) == Window(5, 4, 2, transposed=True, output_padding=1)
    assert transposed(auto_pad="SAME_UPPER") == Window(5, 4, 1, (1, 2), transposed=True)
    assert transposed(auto_pad="SAME_LOWER") == Window(5, 4, 1, (2, 1), transposed=True)
    assert transposed(auto_pad="SAME_UPPER", strides=[6]) == Window(5, 4, 6, transposed=True)
    # 8 rows without padding: three too many for 5, one too few for 9.
    assert transposed(output_shape=[5]) == Window(5, 4, 1, (2, 1), transposed=True)
    assert transposed(output_shape=[5], auto_pad="SAME_UPPER") == Window(5, 4, 1, (1, 2), transposed=True)
    assert transposed(output_shape=[9]) == Window(5, 4, 1, transposed=True, output_padding=1)


def test_a_target_below_its_input_which_onnx_does_not_infer_is_named(tmp_path):
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], output_shape=[3])
    site = only(tmp_path, node, lengths=[5], weights=[weight("w", [3, 4, 4])])
    assert output_size(site.windows[0][1]) == 3
    assert site.problem == "ONNX infers the shape 1,4 for its output, which has no L"


def test_unpooling_makes_the_shape_that_it_is_given(tmp_path):
    node = helper.make_node("MaxUnpool", ["x", "i", "s"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    indices = weight("i", [1, 3, 4, 4], TensorProto.INT64)
    site = only(tmp_path, node, lengths=(4, 4), weights=[indices, numbers("s", [1, 3, 9, 8])])
    assert [window.output_padding for _, window in site.windows] == [1, 0]
    assert site.output_shape == (1, None, 9, 8)
    site = only(tmp_path, node, lengths=(4, 4), weights=[indices, numbers("s", [1, 3, 7, 8])])
    assert site.problem == "its output_shape has a length 7, its windows make 8"


def test_folds_say_what_does_not_fit(tmp_path):
    node = helper.make_node("Col2Im", ["x", "image", "block"], ["y"], strides=[2, 2])

    def fold(image, block, blocks):
        more = [numbers("image", image), numbers("block", block)]
        return only(tmp_path, node, lengths=(blocks,), weights=more, channels=12)

    site = fold([5, 4], [2, 2], 4)
    assert site.output_shape == (1, 3, 5, 4)
    assert [(window.input, window.output_padding) for _, window in site.windows] == [(2, 1), (2, 0)]
    assert fold([5, 4], [2, 2], 5).problem == "its input has 5 blocks, the image (5, 4) has room for 4"
    assert fold([5], [2, 2], 5).problem.startswith("image_shape (5,) and block_shape (2, 2) must be as many lengths")
    computed = only(tmp_path, node, lengths=(4,), weights=[numbers("block", [2, 2])], channels=12)
    assert computed.problem == "its image_shape is computed by the model, expected numbers that stand in the file"


@pytest.mark.parametrize(
    ("op", "opset", "rounding", "rows"),
    [
        ("MaxPool", 10, Rounding.CEIL_ALWAYS, 3),
        ("MaxPool", 21, Rounding.CEIL_ALWAYS, 3),
        ("AveragePool", 21, Rounding.CEIL_ALWAYS, 3),
        ("MaxPool", 22, Rounding.CEIL, 2),
        ("AveragePool", 22, Rounding.CEIL, 2),
        ("LpPool", LATEST, Rounding.CEIL, 2),
    ],
)
def test_a_last_window_that_starts_in_the_padding_is_dropped_from_opset_22_on(tmp_path, op, opset, rounding, rows):
    node = pool(op=op, kernel_shape=[2], strides=[3], pads=[1, 1], ceil_mode=1)
    site = only(tmp_path, node, lengths=(4,), opset=opset)
    (window,) = (window for _, window in site.windows)
    assert (window.rounding, output_size(window), site.output_shape) == (rounding, rows, (1, 3, rows))


def test_the_windows_of_onnx_runtime_are_read(tmp_path):
    nodes = [
        helper.make_node("FusedConv", ["x", "w"], ["f"], domain="com.microsoft", activation="Relu", name="f"),
        helper.make_node("QLinearSigmoid", ["f", "s", "z", "s", "z"], ["g"], domain="com.microsoft"),
        helper.make_node("QLinearAveragePool", ["g", "s", "z", "s", "z"], ["h"], domain="com.microsoft", name="h",
                         kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Transpose", ["h"], ["t"], perm=[0, 2, 3, 1]),
        helper.make_node("NhwcMaxPool", ["t"], ["n"], domain="com.microsoft", name="n", kernel_shape=[2, 1]),
        helper.make_node("NhwcConv", ["t", "w"], ["c"], domain="com.microsoft", name="c"),
    ]  # fmt: skip
    found = sites(tmp_path, make(nodes, {"x": [1, 3, 9, 8]}, [KERNEL]))
    assert [site.input_shape for site in found.values()] == [
        (1, 3, 9, 8), (1, 4, 7, 6), (1, 3, 3, 4), (1, 3, 3, 4),
    ]  # fmt: skip
    assert found["n"].output_shape == (1, 2, 3, None)
    assert found["c"].problem == "attribute kernel_shape is missing, expected 2 whole numbers"


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"strides": [0, 1]}, "attribute strides must be 2 whole numbers of at least 1, got [0, 1]"),
        ({"strides": [1]}, "attribute strides must be 2 whole numbers of at least 1, got [1]"),
        ({"strides": 2}, "attribute strides must be 2 whole numbers of at least 1, got 2"),
        (
            {"strides": [1.5]},
            "attribute strides must be 2 whole numbers of at least 1, got an attribute of the type FLOATS",
        ),
        ({"strides": [1] * 99}, "attribute strides must be 2 whole numbers of at least 1, got 99 whole numbers"),
        ({"kernel_shape": [-1, 2]}, "attribute kernel_shape must be 2 whole numbers of at least 1, got [-1, 2]"),
        ({"pads": [-1, 0, 0, 0]}, "attribute pads must be 4 whole numbers of at least 0, got [-1, 0, 0, 0]"),
        ({"pads": [1, 1]}, "attribute pads must be 4 whole numbers of at least 0, got [1, 1]"),
        ({"dilations": [0, 1]}, "attribute dilations must be 2 whole numbers of at least 1, got [0, 1]"),
        ({"auto_pad": "same"}, "attribute auto_pad must be one of NOTSET, VALID, SAME_UPPER, SAME_LOWER, got 'same'"),
        ({"auto_pad": 3}, "attribute auto_pad must be a word, got 3"),
    ],
)
def test_attributes_that_cannot_be_read_are_named_with_what_was_expected(tmp_path, attributes, problem):
    site = only(tmp_path, conv(**attributes))
    assert (site.problem, site.windows, site.input_shape) == (problem, (), (1, 3, 8, 8))


def test_a_pool_without_a_kernel_and_a_mode_that_is_no_number_are_named(tmp_path):
    node = helper.make_node("MaxPool", ["x"], ["y"])
    assert only(tmp_path, node).problem == "attribute kernel_shape is missing, expected 2 whole numbers"
    assert only(tmp_path, pool(ceil_mode=2)).problem == "attribute ceil_mode must be 0 or 1, got 2"
    assert only(tmp_path, pool(ceil_mode="x")).problem == "attribute ceil_mode must be a whole number, got 'x'"


@pytest.mark.parametrize(
    ("node", "channels", "problem"),
    [
        (conv(group=2), 4, "its input has 4 channels, the kernel 'w' of shape 4,3,3,3 with group 2 asks for 6"),
        (conv(), 5, "its input has 5 channels, the kernel 'w' of shape 4,3,3,3 with group 1 asks for 3"),
        (conv(group=3), 9, "4 output channels cannot be split into 3 groups"),
        (conv(group=0), 3, "attribute group must be at least 1, got 0"),
        (conv(kernel_shape=[5, 3]), 3, "kernel_shape is 5,3, the kernel 'w' of shape 4,3,3,3 says otherwise"),
        (
            helper.make_node("ConvTranspose", ["x", "w"], ["y"]),
            3,
            "its input has 3 channels, the kernel 'w' of shape 4,3,3,3 with group 1 asks for 4",
        ),
        (
            conv(auto_pad="SAME_UPPER", pads=[1, 0, 1, 0]),
            3,
            "along W, pads are (0, 0) and auto_pad SAME_UPPER asks for (1, 1): pads count",
        ),
    ],
)
def test_contradictions_are_problems_and_the_numbers_stand_all_the_same(tmp_path, node, channels, problem):
    site = only(tmp_path, node, channels=channels)
    assert (site.problem, len(site.windows)) == (problem, 2)


def test_pads_and_a_mode_that_agree_are_no_contradiction(tmp_path):
    assert only(tmp_path, conv(auto_pad="SAME_LOWER", pads=[1, 1, 1, 1])).problem is None
    assert only(tmp_path, conv(auto_pad="VALID", pads=[0, 0, 0, 0])).problem is None


def test_what_an_operator_does_not_have_in_its_opset_is_named(tmp_path):
    site = only(tmp_path, pool(dilations=[2, 2]), opset=8)
    assert site.problem == "MaxPool has no attribute dilations in opset 8: it is passed over"
    assert [window.dilation for _, window in site.windows] == [1, 1]
    assert only(tmp_path, pool(dilations=[1, 1], ceil_mode=0), opset=8).problem is None
    assert only(tmp_path, pool(ceil_mode=1), opset=8).problem == "MaxPool has no attribute ceil_mode in opset 8"
    node = helper.make_node("DeformConv", ["x", "w", "o"], ["y"])
    assert only(tmp_path, node, opset=11).problem == "there is no DeformConv in opset 11"


def test_inputs_without_spatial_axes_or_of_length_zero_are_named(tmp_path):
    site = only(tmp_path, pool(), lengths=())
    assert site.problem == "its input 'x' has the shape 1,3, expected at least one axis beside batch and channels"
    site = only(tmp_path, pool(), lengths=(0, 8))
    assert (site.problem, [name for name, _ in site.windows]) == ("its input has the length 0 along H", ["W"])
    kernel = weight("w", [4, 3, 3])
    site = only(tmp_path, conv(), weights=[kernel])
    assert site.problem == "the kernel 'w' has the shape 4,3,3, expected 2 lengths of at least 1 behind the first two"
    site = only(tmp_path, conv(), weights=())
    assert site.problem == "kernel_shape is left out, and the lengths of the kernel 'w' are not known"


@pytest.mark.parametrize("attribute", ["kernel_shape", "strides", "dilations", "pads"])
def test_absurd_sizes_are_judged_like_any_other(tmp_path, attribute):
    huge = [2**62] * (4 if attribute == "pads" else 2)
    site = only(tmp_path, pool(**{attribute: huge}))
    assert site.problem is None
    expected = {"strides": "data-lost", "pads": "exact"}.get(attribute, "impossible")
    assert severities(site) == [expected] * 2


def padded(pads, opset=LATEST, axes=None, between=(), **attributes):
    """Return a model whose convolution reads what a ``Pad`` wrote."""
    if opset < 11:
        node, more = helper.make_node("Pad", ["x"], ["p"], pads=pads, **attributes), []
    else:
        names = ["x", "pads", "", "axes"] if axes else ["x", "pads"]
        node = helper.make_node("Pad", names, ["p"], **attributes)
        more = [numbers("pads", pads), *([numbers("axes", axes)] if axes else [])]
    nodes = [node, *(helper.make_node(op, [source], [made]) for op, source, made in between)]
    last = nodes[-1].output[0]
    return make([*nodes, conv(last, strides=[2, 2])], {"x": [1, 3, 8, 8]}, [KERNEL, *more], opset)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (padded([0, 0, 1, 0, 0, 0, 2, 3]), [(1, 2), (0, 3)]),
        (padded([0, 0, 1, 0, 0, 0, 2, 3], opset=9), [(1, 2), (0, 3)]),
        (padded([2, 3], axes=[-2]), [(2, 3), (0, 0)]),
        (padded([1, 0, 0, 4], axes=[3, 2]), [(0, 4), (1, 0)]),
        (padded([0, 0, 1, 1, 0, 0, 1, 1], mode="reflect"), [(1, 1), (1, 1)]),
        (padded([0, 0, 1, 1, 0, 0, 1, 1], between=[("Relu", "p", "r"), ("Sigmoid", "r", "s")]), [(1, 1), (1, 1)]),
        (padded([0, 0, 1, 1, 0, 0, 1, 1], between=[("Softmax", "p", "r")]), [(0, 0), (0, 0)]),
        (padded([0, 0, -1, 1, 0, 0, 2, 1]), [(0, 0), (1, 1)]),
    ],
)
def test_rows_that_a_layer_before_added_are_known_as_padding(tmp_path, model, expected):
    windows = [window for _, window in sites(tmp_path, model)["y"].windows]
    assert [window.padded_before for window in windows] == expected
    assert [window.padding for window in windows] == [(0, 0)] * 2


def test_a_pad_that_says_too_little_is_to_blame_for_what_is_not_known(tmp_path):
    (site,) = sites(tmp_path, padded([1, 2, 3])).values()
    assert "not known because ONNX infers no shape for node 'Pad:p' (Pad)" in site.problem


def test_a_row_of_padding_before_that_is_not_read_is_no_data(tmp_path):
    (site,) = sites(tmp_path, padded([0, 0, 0, 0, 0, 0, 2, 1])).values()
    assert severities(site) == ["padding-unread", "exact"]


def test_channels_stand_last_where_the_node_says_so(tmp_path):
    names = ["x", "s", "z", "w", "s", "z", "s", "z"]
    node = helper.make_node("QLinearConv", names, ["y"], domain="com.microsoft", name="y", channels_last=1)
    scales = [weight("s", []), weight("z", [], TensorProto.UINT8)]
    kernel = weight("w", [4, 3, 3, 3], TensorProto.UINT8)
    model = make(node, {"x": [1, 9, 8, 3]}, [*scales, kernel], kind=TensorProto.UINT8)
    site = sites(tmp_path, model)["y"]
    assert [(axis, window.input) for axis, window in site.windows] == [("H", 9), ("W", 8)]
    assert (site.output_shape, site.problem) == ((1, 7, 6, None), None)
