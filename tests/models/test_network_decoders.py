"""Decoders: a layer that undoes another says so where it does not come back, and what would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from network_cases import named, network

from gradverify.models.decoders import describe_repair
from gradverify.models.network import chain
from gradverify.models.placing import network_of
from gradverify.numerics.geometry import PadMode, Window, describe_impossible, output_size

DOWN = {"layer": "conv1d", "kernel_size": 3, "stride": 2, "padding": 1}
UP = {"layer": "conv_transpose1d", "kernel_size": 3, "stride": 2, "padding": 1}


def notes(*layers, length):
    sites = chain(network(*layers, shape=[1, 1, length])).sites
    return {name: site.notes for name, site in named(sites).items() if site.notes}


def test_a_decoder_that_comes_back_has_no_note():
    assert notes(DOWN, UP | {"output_padding": 1}, length=224) == {}
    assert notes(DOWN, UP, length=223) == {}


def test_output_padding_restores_what_a_stride_left_out():
    said = notes(DOWN | {"name": "down"}, {"layer": "relu"}, UP | {"name": "up"}, length=224)
    assert said == {"up": (("L", "restores 223 of the 224 that down had: output_padding 1 restores it"),)}


def test_the_report_of_a_network_has_the_notes_also_of_layers_without_windows():
    down = {"layer": "maxpool2d", "kernel_size": 2}
    case = network(down | {"name": "down"}, {"layer": "upsample", "scale_factor": 2, "name": "up"}, shape=[1, 1, 9, 7])
    noted = {layer.name: layer.notes for layer in network_of(chain(case), case).layers}
    assert noted == {
        "down": (),
        "up": (
            "along H: restores 8 of the 9 that down had: size 9 restores it",
            "along W: restores 6 of the 7 that down had: size 7 restores it",
        ),
    }
    square = network(
        down | {"name": "down"}, {"layer": "upsample", "scale_factor": 2, "name": "up"}, shape=[1, 1, 9, 9]
    )
    (_, up) = network_of(chain(square), square).layers
    assert up.notes == ("along H and W: restores 8 of the 9 that down had: size 9 restores it",)


def test_another_kernel_where_output_padding_is_not_enough():
    said = notes(DOWN | {"name": "down"}, UP | {"name": "up", "kernel_size": 1}, length=224)
    assert said == {
        "up": (("L", "restores 221 of the 224 that down had: kernel_size 3 and output_padding 1 restore it"),)
    }


def test_a_decoder_that_makes_too_much():
    said = notes(DOWN | {"name": "down"}, UP | {"name": "up", "output_padding": 1}, length=223)
    assert said == {"up": (("L", "makes 224 of the 223 that down had: output_padding 0 restores it"),)}


def test_layers_are_matched_as_brackets_are():
    down = [DOWN | {"name": name} for name in ("outer", "middle", "inner")]
    up = [UP | {"name": name, "output_padding": 1} for name in ("in", "mid", "out")]
    assert notes(*down, *up, length=224) == {}
    up[1] = UP | {"name": "mid", "kernel_size": 5, "padding": 2}
    said = notes(*down, *up, length=224)
    assert said == {"mid": (("L", "restores 111 of the 112 that middle had: output_padding 1 restores it"),)}


def test_what_is_inside_of_a_match_is_not_matched_later():
    layers = (
        {"name": "outer", "layer": "maxpool1d", "kernel_size": 2},
        {"name": "inner", "layer": "maxpool1d", "kernel_size": 2},
        {"layer": "adaptive_avgpool1d", "output_size": 10},
        {"name": "out", "layer": "conv_transpose1d", "kernel_size": 2, "stride": 2},
        {"layer": "adaptive_avgpool1d", "output_size": 5},
        {"name": "free", "layer": "conv_transpose1d", "kernel_size": 3, "stride": 2},
    )
    said = notes(*layers, length=21)
    assert said == {"out": (("L", "restores 20 of the 21 that outer had: output_padding 1 restores it"),)}


def test_each_axis_by_itself():
    down = {"name": "down", "layer": "conv2d", "kernel_size": 3, "stride": 2, "padding": 1}
    up = {"name": "up", "layer": "conv_transpose2d", "kernel_size": 3, "stride": 2, "padding": 1}
    sites = named(chain(network(down, up, shape=[1, 1, 9, 8])).sites)
    assert sites["up"].notes == (("W", "restores 7 of the 8 that down had: output_padding 1 restores it"),)


def test_an_upsample_undoes_a_stride_too():
    pool = {"name": "pool", "layer": "maxpool1d", "kernel_size": 2}
    said = notes(pool, {"name": "up", "layer": "upsample", "scale_factor": 2}, length=25)
    assert said == {"up": (("L", "restores 24 of the 25 that pool had: size 25 restores it"),)}


def test_what_is_behind_an_unfold_undoes_nothing_before_it():
    layers = ({"layer": "maxpool2d", "kernel_size": 2}, {"layer": "unfold", "kernel_size": 1}, UP)
    sites = chain(network(*layers, shape=[1, 1, 25, 2])).sites
    assert [site.output_shape[2:] for site in sites] == [(12, 1), (12,), (23,)]
    assert sites[2].notes == ()


def test_a_mode_that_knows_no_single_change():
    window = Window(5, kernel=3, stride=2, transposed=True, mode=PadMode.SAME_UPPER)
    assert output_size(window) == 10
    assert describe_repair(window, 5000) is None
    assert describe_repair(window, 9) is None  # output_padding changes nothing here


TRANSPOSED = st.builds(
    Window,
    input=st.integers(1, 20),
    kernel=st.integers(1, 6),
    stride=st.integers(1, 4),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    dilation=st.integers(1, 2),
    transposed=st.just(True),
    output_padding=st.integers(0, 1),
)


@settings(deadline=None, max_examples=200)
@given(TRANSPOSED, st.sampled_from([-3, -2, -1, 1, 2, 3]))
def test_repairs_are_those_that_come_back_when_they_are_made(window, more):
    assume(describe_impossible(window) is None and window.output_padding < window.stride)
    wanted = output_size(window) + more
    said = describe_repair(window, wanted)
    assume(wanted >= 1)
    if said is None:  # no rows can be taken off a window that is as short as it can be
        shortest = (window.input - 1) * window.stride + 1 - sum(window.padding)
        assert wanted < max(shortest, window.dilation)
        return
    parts = dict(part.rsplit(" ", 1) for part in said.split(" and "))
    changed = Window(
        window.input,
        kernel=int(parts.get("kernel_size", window.kernel)),
        stride=window.stride,
        padding=(int(parts["padding"]),) * 2 if "padding" in parts else window.padding,
        dilation=window.dilation,
        transposed=True,
        output_padding=int(parts.get("output_padding", window.output_padding)),
    )
    assert output_size(changed) == wanted
    assert changed.output_padding < max(window.stride, window.dilation)
    if set(parts) != {"output_padding"}:  # which is not enough by itself
        alone = [replace(window, output_padding=rows) for rows in range(window.stride)]
        assert wanted not in [output_size(other) for other in alone if describe_impossible(other) is None]


@pytest.mark.parametrize("length", range(5, 40))
def test_every_note_on_a_decoder_is_right(length):
    sites = chain(network(DOWN, UP, shape=[1, 1, length])).sites
    restored = sites[1].output_shape[2]
    assert bool(sites[1].notes) == (restored != length)
