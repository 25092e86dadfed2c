"""Walks through networks: sizes, windows, what does not fit, and what stands behind a layer that cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import named, network

from gradverify.errors import ModelError
from gradverify.models.network import chain, resized
from gradverify.numerics.geometry import PadMode, Rounding, describe_impossible, measure
from gradverify.spec.network_model import Allowance

CONV = {"layer": "conv2d", "kernel_size": 3}
ALEXNET = (
    {"name": "conv1", "layer": "conv2d", "in_channels": 3, "out_channels": 96, "kernel_size": 11, "stride": 4},
    {"layer": "relu"},
    {"name": "pool1", "layer": "maxpool2d", "kernel_size": 3, "stride": 2},
    {"name": "conv2", "layer": "conv2d", "out_channels": 256, "kernel_size": 5, "padding": 2, "groups": 2},
    {"layer": "relu"},
    {"name": "pool2", "layer": "maxpool2d", "kernel_size": 3, "stride": 2},
    {"name": "conv3", "layer": "conv2d", "out_channels": 384, "kernel_size": 3, "padding": 1},
    {"name": "conv4", "layer": "conv2d", "out_channels": 384, "kernel_size": 3, "padding": 1, "groups": 2},
    {"name": "conv5", "layer": "conv2d", "out_channels": 256, "kernel_size": 3, "padding": 1, "groups": 2},
    {"name": "pool5", "layer": "maxpool2d", "kernel_size": 3, "stride": 2},
    {"name": "flat", "layer": "flatten"},
    {"name": "fc6", "layer": "linear", "in_features": 9216, "out_features": 4096},
    {"name": "fc7", "layer": "linear", "in_features": 4096, "out_features": 1000},
)


def severities(site):
    return tuple(measure(axis, window).severity for axis, window in site.windows)


def test_alexnet_on_227_is_exact_and_fits_its_linear_layers():
    model = chain(network(*ALEXNET, shape=[1, 3, 227, 227]))
    sites = named(model.sites)
    assert model.inputs == (("x", (1, 3, 227, 227)),)
    assert [site.problem for site in model.sites] == [None] * len(ALEXNET)
    assert {severity for site in model.sites for severity in severities(site)} == {"exact"}
    assert {name: site.output_shape for name, site in sites.items() if "relu" not in name} == {
        "conv1": (1, 96, 55, 55),
        "pool1": (1, 96, 27, 27),
        "conv2": (1, 256, 27, 27),
        "pool2": (1, 256, 13, 13),
        "conv3": (1, 384, 13, 13),
        "conv4": (1, 384, 13, 13),
        "conv5": (1, 256, 13, 13),
        "pool5": (1, 256, 6, 6),
        "flat": (1, 9216),
        "fc6": (1, 4096),
        "fc7": (1, 1000),
    }


def test_the_receptive_fields_of_alexnet():
    """Size, stride and offset as Araujo, Norris and Sim list them for AlexNet v1: 195, 32, and a padding of 64."""
    sites = named(chain(network(*ALEXNET, shape=[1, 3, 227, 227])).sites)
    table = {
        name: (sites[name].receptive_field[0], sites[name].total_stride[0], sites[name].offset[0])
        for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "conv5", "pool5")
    }
    assert table == {
        "conv1": (11, 4, 0),
        "pool1": (19, 8, 0),
        "conv2": (51, 8, -16),
        "pool2": (67, 16, -16),
        "conv3": (99, 16, -32),
        "conv5": (163, 16, -64),
        "pool5": (195, 32, -64),
    }
    assert (sites["fc6"].receptive_field, sites["fc6"].total_stride, sites["fc6"].offset) == ((), (), ())


def test_alexnet_on_224_loses_data_four_times_and_its_features_do_not_fit():
    sites = named(chain(network(*ALEXNET, shape=[1, 3, 224, 224])).sites)
    lost = [name for name, site in sites.items() if "data-lost" in severities(site)]
    assert lost == ["conv1", "pool1", "pool2", "pool5"]
    assert sites["fc6"].problem == "6400 features come in, expected 9216 as in_features says"
    assert sites["fc7"].problem is None


def test_every_layer_has_a_site_with_the_shapes_on_both_sides():
    sites = chain(network({"layer": "relu"}, CONV, {"layer": "relu"}, shape=[2, 3, 8, 9])).sites
    assert [site.name for site in sites] == ["relu-1", "conv2d-1", "relu-2"]
    assert [site.input_shape for site in sites] == [(2, 3, 8, 9), (2, 3, 8, 9), (2, None, 6, 7)]
    assert [site.output_shape for site in sites] == [(2, 3, 8, 9), (2, None, 6, 7), (2, None, 6, 7)]
    assert [axis for axis, _ in sites[1].windows] == ["H", "W"]


def test_windows_have_what_the_keys_say():
    layers = (
        {"layer": "conv2d", "kernel_size": [3, 5], "stride": [1, 2], "padding": [[1, 2], 0], "dilation": [2, 1]},
        {"layer": "maxpool2d", "kernel_size": 2, "ceil_mode": True, "padding": 1},
        {"layer": "conv2d", "kernel_size": 2, "padding": "same-lower"},
        {"layer": "avgpool2d", "kernel_size": 2, "stride": 1, "padding": "valid", "count_include_pad": False},
        {"layer": "conv_transpose2d", "kernel_size": 3, "stride": 2, "output_padding": [0, 1], "padding": "same"},
    )
    sites = chain(network(*layers, shape=[1, 1, 20, 20])).sites
    (_, first), (_, second) = sites[0].windows
    assert (first.kernel, first.stride, first.padding, first.dilation) == (3, 1, (1, 2), 2)
    assert (second.kernel, second.stride, second.padding, second.dilation) == (5, 2, (0, 0), 1)
    assert (first.reads_padding_only, first.rounding, first.transposed) == (True, Rounding.FLOOR, False)
    pool = sites[1].windows[0][1]
    assert (pool.stride, pool.rounding, pool.reads_padding_only) == (2, Rounding.CEIL, False)
    assert sites[2].windows[0][1].mode is PadMode.SAME_LOWER
    assert (sites[3].windows[0][1].mode, sites[3].windows[0][1].padding) == (None, (0, 0))
    made = [window for _, window in sites[4].windows]
    assert [(window.transposed, window.output_padding, window.mode) for window in made] == [
        (True, 0, PadMode.SAME_UPPER),
        (True, 1, PadMode.SAME_UPPER),
    ]


def test_causal_padding_of_a_sequence():
    (site,) = chain(network({"layer": "conv1d", "kernel_size": 3, "padding": "causal"}, shape=[1, 1, 9])).sites
    assert (site.output_shape, site.offset) == ((1, None, 9), (-2,))


def test_pads_count_as_padding_of_the_next_window():
    layers = (
        {"layer": "pad", "padding": [[0, 1], [2, 0]]},
        {"layer": "pad", "padding": 1},
        {"layer": "relu"},
        {"name": "conv", "layer": "conv2d", "kernel_size": 2, "stride": 2},
        {"name": "next", "layer": "conv2d", "kernel_size": 2},
    )
    sites = named(chain(network(*layers, shape=[1, 1, 8, 8])).sites)
    assert [window.padded_before for _, window in sites["conv"].windows] == [(1, 2), (3, 1)]
    assert [window.padded_before for _, window in sites["next"].windows] == [(0, 0), (0, 0)]
    assert [window.input for _, window in sites["conv"].windows] == [11, 12]
    assert severities(sites["conv"]) == ("padding-unread", "exact")
    assert sites["conv"].offset == (-1, -3)


def test_rows_of_a_pad_are_data_to_a_transposed_layer():
    layers = ({"layer": "pad", "padding": 1}, {"layer": "conv_transpose1d", "kernel_size": 2, "stride": 2})
    (_, site) = chain(network(*layers, shape=[1, 1, 8])).sites
    assert [(window.input, window.padded_before) for _, window in site.windows] == [(10, (0, 0))]


def test_ceil_mode_is_that_of_torch():
    layer = {"layer": "maxpool1d", "kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True}
    assert chain(network(layer, shape=[1, 1, 4])).sites[0].output_shape == (1, 1, 2)


def test_upsample_adaptive_and_global_pools():
    layers = (
        {"name": "up", "layer": "upsample", "scale_factor": [2, 1.5]},
        {"name": "sized", "layer": "upsample", "size": [8, 12]},
        {"name": "adaptive", "layer": "adaptive_avgpool2d", "output_size": [4, 5]},
        {"name": "global", "layer": "global_avgpool"},
    )
    sites = named(chain(network(*layers, shape=[1, 3, 4, 5])).sites)
    assert {name: site.output_shape[2:] for name, site in sites.items()} == {
        "up": (8, 7),
        "sized": (8, 12),
        "adaptive": (4, 5),
        "global": (1, 1),
    }
    assert sites["up"].total_stride == ("1/2", "2/3")
    assert sites["adaptive"].receptive_field == (1, None)  # five windows over twelve rows are not of one length
    assert (sites["global"].receptive_field, sites["global"].offset) == ((4, None), (0, None))


def test_unfold_makes_one_axis_of_positions():
    layers = (
        {"layer": "unfold", "kernel_size": [2, 3], "stride": 2},
        {"name": "conv", "layer": "conv1d", "kernel_size": 3, "in_channels": 18},
    )
    sites = chain(network(*layers, shape=[1, 3, 8, 9])).sites
    assert sites[0].output_shape == (1, 18, 16)
    assert [axis for axis, _ in sites[0].windows] == ["H", "W"]
    assert [(axis, window.input) for axis, window in sites[1].windows] == [("L", 16)]
    assert (sites[1].problem, sites[1].receptive_field) == (None, (None,))


def test_channels_groups_and_features_that_do_not_fit():
    layers = (
        {"name": "a", "layer": "conv2d", "kernel_size": 1, "in_channels": 4, "out_channels": 6},
        {"name": "b", "layer": "conv2d", "kernel_size": 1, "groups": 4, "out_channels": 7},
        {"name": "c", "layer": "groupnorm", "groups": 2},
        {"name": "d", "layer": "conv2d", "kernel_size": 1},
        {"name": "e", "layer": "conv2d", "kernel_size": 1, "in_channels": 5, "groups": 3, "out_channels": 3},
        {"name": "f", "layer": "flatten"},
        {"name": "g", "layer": "linear", "in_features": 12},
        {"name": "h", "layer": "linear", "in_features": 5},
    )
    sites = named(chain(network(*layers, shape=[1, 3, 2, 2])).sites)
    assert {name: site.problem for name, site in sites.items()} == {
        "a": "3 channels come in, expected 4 as in_channels says",
        "b": "groups 4 does not divide the 6 channels that come in, expected a divisor of them; "
        "groups 4 does not divide the 7 channels that come out, expected a divisor of them",
        "c": "groups 2 does not divide the 7 channels that come in, expected a divisor of them",
        "d": None,
        "e": None,  # how many channels come in is not known
        "f": None,
        "g": None,
        "h": None,
    }
    assert len(sites["a"].windows) == 2


def test_behind_an_impossible_layer_the_rest_is_judged_as_far_as_it_is_known():
    layers = (
        {"name": "wide", "layer": "conv2d", "kernel_size": [3, 9], "out_channels": 4},
        {"layer": "relu"},
        {"name": "next", "layer": "maxpool2d", "kernel_size": 2, "stride": 3},
        {"name": "tall", "layer": "conv2d", "kernel_size": [9, 1]},
        {"name": "last", "layer": "conv2d", "kernel_size": 1},
        {"name": "given", "layer": "adaptive_avgpool2d", "output_size": [1, 2]},
        {"name": "after", "layer": "conv2d", "kernel_size": 1, "out_channels": 2},
        {"layer": "flatten"},
        {"name": "fc", "layer": "linear", "in_features": 3},
    )
    sites = named(chain(network(*layers, shape=[1, 3, 8, 8])).sites)
    wide = dict(sites["wide"].windows)
    assert describe_impossible(wide["H"]) is None
    assert describe_impossible(wide["W"]) == "kernel 9 is larger than the padded input 8 + 0 + 0 = 8"
    assert sites["wide"].problem is None
    assert sites["wide"].output_shape == (1, 4, 6, None)
    assert sites["relu-1"].problem is None
    assert sites["next"].problem == "not known along W: wide before it is impossible"
    assert [axis for axis, _ in sites["next"].windows] == ["H"]
    assert sites["last"].problem == "not known along H: tall before it is impossible; " + str(sites["next"].problem)
    assert sites["last"].windows == ()
    assert (sites["given"].output_shape, sites["given"].problem) == ((1, None, 1, 2), None)
    assert sites["after"].output_shape == (1, 2, 1, 2)
    assert sites["fc"].problem == "4 features come in, expected 3 as in_features says"


def test_what_is_flattened_behind_an_impossible_layer_is_not_known():
    layers = (CONV | {"kernel_size": 9}, CONV, {"layer": "flatten"}, {"layer": "linear", "in_features": 3})
    sites = chain(network(*layers, shape=[1, 3, 8, 8])).sites
    assert [site.problem for site in sites[1:]] == [
        "not known: conv2d-1 before it is impossible",
        None,
        "not known: conv2d-1 before it is impossible",
    ]


def test_an_upsample_to_a_size_is_known_behind_anything():
    layers = (CONV | {"kernel_size": 9}, {"layer": "upsample", "size": [3, 4]}, CONV)
    sites = chain(network(*layers, shape=[1, 3, 8, 8])).sites
    assert [site.output_shape[2:] for site in sites] == [(None, None), (3, 4), (1, 2)]
    assert (sites[1].receptive_field, sites[2].problem) == ((None, None), None)


def test_lengths_that_nothing_can_hold():
    layers = ({"layer": "upsample", "scale_factor": 0.1}, CONV)
    sites = chain(network(*layers, shape=[1, 3, 8, 20])).sites
    assert sites[0].problem == "no rows, or more than 2^63, come out along H"
    assert sites[1].problem == "not known along H: upsample-1 before it is impossible"
    huge = {"layer": "conv_transpose1d", "kernel_size": 3, "stride": 10**12}
    sites = chain(network(*[huge] * 50, shape=[1, 3, 8])).sites
    assert [site.problem is None for site in sites[:3]] == [True, False, False]


def test_output_padding_beyond_stride_and_dilation():
    layer = {"layer": "conv_transpose2d", "kernel_size": 3, "stride": [2, 3], "output_padding": 2}
    (site,) = chain(network(layer, shape=[1, 3, 8, 8])).sites
    assert site.problem == "output_padding 2 along H is not below stride 2 or dilation 1, expected less"


def test_sites_carry_allowance_and_place():
    allow = {"residual": 1, "because": "known"}
    (site,) = chain(network(CONV | {"allow": allow}, shape=[1, 3, 8, 8])).sites
    assert site.allow == Allowance(1, "known")
    assert site.place == (1, 72)  # line and column of the layer


def test_blocks_are_written_out():
    block = {"repeat": "R", "layers": [CONV | {"name": "c"}, {"repeat": 2, "layers": [{"name": "r", "layer": "relu"}]}]}
    case = network(block, {"layer": "relu"}, shape=[1, 3, 8, 8], dims={"R": 2})
    assert [site.name for site in chain(case).sites] == ["c.1", "r.1.1", "r.1.2", "c.2", "r.2.1", "r.2.2", "relu-1"]


def test_other_lengths_by_the_names_of_axes_or_dims():
    case = network(CONV, shape=[1, 3, 8, 9])
    assert chain(resized(case, {"W": 20})).sites[0].output_shape == (1, None, 6, 18)
    square = network(CONV, shape=[1, 3, "N", "N"], dims={"N": 8})
    assert chain(resized(square, {"N": 10})).sites[0].output_shape == (1, None, 8, 8)
    with pytest.raises(ModelError, match=r"'H' is no axis of the input of 'case', expected one of N"):
        resized(square, {"H": 10})
    with pytest.raises(ModelError, match=r"W = 0 is no length"):
        resized(case, {"W": 0})


def test_a_dim_that_is_more_than_one_length_does_not_name_its_axis():
    kernel = network({"layer": "conv2d", "kernel_size": "N"}, shape=[1, 3, "N", 8], dims={"N": 3})
    channels = network(CONV, shape=[1, "N", "N", 8], dims={"N": 3})
    other = network(CONV, shape=[1, 3, "W", 8], dims={"W": 4})
    assert [case.target.axes for case in (kernel, channels, other)] == [("H", "W")] * 3
    assert network(CONV, shape=[1, 3, "A", "B"], dims={"A": 4, "B": 5}).target.axes == ("A", "B")


def test_a_case_without_a_network():
    (case,) = [network(CONV, shape=[1, 3, 8, 8])]
    with pytest.raises(ModelError, match=r"has no network"):
        chain(_without(case))


def _without(case):
    from dataclasses import replace  # noqa: PLC0415  of this test alone

    from gradverify.spec.target_model import LayerTarget  # noqa: PLC0415  of this test alone

    return replace(case, target=LayerTarget("relu", "vectorized"))


@st.composite
def layers_of_a_sequence(draw):
    """Layers along one axis, as the spec has them."""
    kind = draw(st.sampled_from(["conv1d", "maxpool1d", "conv_transpose1d", "pad", "upsample"]))
    if kind == "pad":
        return {"layer": kind, "padding": [[draw(st.integers(0, 3)), draw(st.integers(0, 3))]]}
    if kind == "upsample":
        return {"layer": kind, "scale_factor": draw(st.sampled_from([1, 2, 3, 0.5, 1.5]))}
    low, high = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    found = {"layer": kind, "kernel_size": draw(st.integers(1, 4)), "stride": draw(st.integers(1, 3))}
    found["padding"] = draw(st.sampled_from([low, [[low, high]], "valid"]))
    if kind != "maxpool1d" or draw(st.booleans()):
        found["dilation"] = draw(st.integers(1, 3))
    return found


def walked(layers, length):
    """Return the lengths behind every layer, by laying out windows; none behind one that has none."""
    found = []
    for layer in layers:
        made = _laid_out(layer, length)
        if not made:
            return found
        found.append(length := made)
    return found


def _laid_out(layer, length):
    if layer["layer"] == "upsample":
        return sum(1 for place in range(6 * length) if place + 1 <= length * layer["scale_factor"])
    padding = layer.get("padding", 0)
    low, high = (0, 0) if padding == "valid" else (padding, padding) if isinstance(padding, int) else padding[0]
    if layer["layer"] == "pad":
        return low + length + high
    taps = [tap * layer.get("dilation", 1) for tap in range(layer["kernel_size"])]
    if layer["layer"] == "conv_transpose1d":
        reached = {start * layer["stride"] + tap for start in range(length) for tap in taps}
        return max(len(range(low, max(reached) + 1 - high)), 0)
    starts = [
        start for start in range(0, low + length + high, layer["stride"]) if start + taps[-1] < low + length + high
    ]
    holding = [start for start in starts if any(start <= row <= start + taps[-1] for row in range(low, low + length))]
    return 0 if layer["layer"] == "maxpool1d" and holding != starts else len(starts)


@settings(deadline=None, max_examples=150)
@given(st.lists(layers_of_a_sequence(), min_size=1, max_size=5), st.integers(1, 30))
def test_lengths_by_laying_out_windows(layers, length):
    sites = chain(network(*layers, shape=[1, 2, length])).sites
    known = [site.output_shape[2] for site in sites]
    wanted = walked(layers, length)
    assert known == wanted + [None] * (len(layers) - len(wanted))
