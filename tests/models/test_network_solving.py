"""The smallest exact input against trying every length in turn, and what is said where there is none."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from network_cases import network
from test_network_chain import ALEXNET, layers_of_a_sequence

from gradverify.models.network import chain, resized
from gradverify.models.solving import Solution, smallest_exact
from gradverify.numerics.geometry import measure

CONV = {"layer": "conv1d", "kernel_size": 3, "stride": 2}


def is_exact(case, lengths):
    """Return whether the chain itself finds nothing but gaps."""
    sites = chain(resized(case, lengths)).sites
    windows = [measure(axis, window) for site in sites for axis, window in site.windows]
    return all(site.problem is None for site in sites) and all(found.identity for found in windows)


def test_alexnet_on_224_wants_227():
    found = smallest_exact(network(*ALEXNET, shape=[1, 3, 224, 200]))
    assert (found.given, found.found) == ((("H", 224), ("W", 200)), (("H", 227), ("W", 227)))
    assert (found.reason, found.proved) == (None, False)


def test_a_length_that_two_axes_share_stays_one():
    found = smallest_exact(network(*ALEXNET, shape=[1, 3, "N", "N"], dims={"N": 224}))
    assert (found.given, found.found) == ((("N", 224),), (("N", 227),))


def test_an_exact_input_is_its_own_solution():
    found = smallest_exact(network(*ALEXNET, shape=[1, 3, 227, 227]))
    assert found == Solution(given=(("H", 227), ("W", 227)), found=(("H", 227), ("W", 227)), tried=2)


def test_axes_are_searched_one_by_one():
    layer = {"layer": "conv2d", "kernel_size": 3, "stride": [2, 5]}
    found = smallest_exact(network(layer, shape=[1, 1, 10, 10]))
    assert found.found == (("H", 11), ("W", 13))


def test_gaps_do_not_stand_in_the_way():
    found = smallest_exact(network({"layer": "conv1d", "kernel_size": 1, "stride": 3}, shape=[1, 1, 9]))
    assert found.found == (("L", 10),)


def test_an_allowance_makes_no_layer_exact():
    layer = CONV | {"allow": {"residual": 1, "because": "known"}}
    assert smallest_exact(network(layer, shape=[1, 1, 10])).found == (("L", 11),)


def test_one_layer_that_is_never_exact():
    up = {"name": "up", "layer": "conv_transpose1d", "kernel_size": 3, "stride": 2, "output_padding": 1}
    found = smallest_exact(network(CONV, up, shape=[1, 1, 9]))
    assert (found.found, found.proved) == (None, True)
    assert found.reason == (
        "up is exact at no length from L = 9 on (what is left over returns every 2): "
        "rows never made: 1 of output at the far end"
    )


def test_layers_that_contradict_each_other_are_named_and_no_others():
    layers = (
        {"name": "inert", "layer": "conv1d", "kernel_size": 1},
        {"name": "up", "layer": "upsample", "scale_factor": 4},
        {"name": "odd", "layer": "maxpool1d", "kernel_size": 3, "stride": 2},
        {"name": "other", "layer": "conv1d", "kernel_size": 2},
    )
    found = smallest_exact(network(*layers, shape=[1, 1, 5]))
    assert found.proved
    assert found.reason == (
        "odd is exact at no length from L = 5 on (what is left over returns every 1): "
        "rows never read: 1 of data at the far end"
    )
    pair = (
        {"name": "before", "layer": "conv1d", "kernel_size": 2, "stride": 2},
        {"name": "up", "layer": "upsample", "scale_factor": 6},
        {"name": "quarter", "layer": "conv1d", "kernel_size": 2, "stride": 4},  # 3t + 2 rows, where it is exact
        {"name": "third", "layer": "conv1d", "kernel_size": 3, "stride": 3},  # a multiple of three, where it is
    )
    found = smallest_exact(network(*pair, shape=[1, 1, 5]))
    assert found.proved
    assert found.reason == (
        "quarter and third contradict each other: "
        "no length from L = 5 on (what is left over returns every 4) leaves all of them exact"
    )


def test_axes_of_one_length_that_contradict_each_other():
    layer = {"name": "oblong", "layer": "conv2d", "kernel_size": [2, 3], "stride": 2}
    found = smallest_exact(network(layer, shape=[1, 1, "N", "N"], dims={"N": 5}))
    assert found.proved
    assert found.reason == (
        "oblong along H and oblong along W contradict each other: "
        "no length from N = 5 on (what is left over returns every 2) leaves all of them exact"
    )


def test_an_impossible_layer_behind_a_length_that_is_given():
    layers = ({"layer": "global_avgpool"}, {"name": "wide", "layer": "conv2d", "kernel_size": 3})
    found = smallest_exact(network(*layers, shape=[1, 1, 9, "W"], dims={"W": 9}))
    assert found.reason.startswith(
        "wide is exact at no length from H = 9 on (what is left over returns every 1): kernel 3 is"
    )
    assert found.reason.count("larger than the padded input 1 + 0 + 0 = 1") == 2


def test_periods_of_several_strides_are_searched_as_a_whole():
    layers = (
        {"layer": "conv1d", "kernel_size": 1, "stride": 2},  # 2m - 1
        {"layer": "upsample", "scale_factor": 2},
        {"layer": "conv1d", "kernel_size": 2, "stride": 3},  # m = 1, 4, 7, ...
    )
    solutions = [smallest_exact(network(*layers, shape=[1, 1, length])).found[0][1] for length in range(1, 20)]
    assert solutions == [1, *[7] * 6, *[13] * 6, *[19] * 6]


@pytest.mark.parametrize(
    ("layer", "least"),
    [
        ({"layer": "conv_transpose1d", "kernel_size": 2, "stride": 2}, 21),
        ({"layer": "conv_transpose1d", "kernel_size": 2, "stride": 2, "padding": 1}, 22),
        ({"layer": "conv_transpose1d", "kernel_size": 2, "stride": 2, "padding": "same"}, 21),
        ({"layer": "upsample", "scale_factor": 2}, 21),
        ({"layer": "upsample", "scale_factor": 0.5}, 82),
        ({"layer": "pad", "padding": 5}, 31),
        ({"layer": "conv1d", "kernel_size": 3}, 43),
        ({"layer": "conv1d", "kernel_size": 3, "padding": "same"}, 41),
        ({"layer": "conv1d", "kernel_size": 3, "stride": 2, "padding": "same"}, 81),
        ({"layer": "conv1d", "kernel_size": 3, "padding": "causal"}, 41),
        ({"layer": "maxpool1d", "kernel_size": 2, "ceil_mode": True}, 81),
    ],
)
def test_windows_that_do_not_fit_yet(layer, least):
    wide = {"layer": "conv1d", "kernel_size": 41}
    assert smallest_exact(network(layer, wide, shape=[1, 1, 1])).found == (("L", least),)


def test_behind_a_fractional_scale_nothing_is_claimed():
    up = {"layer": "conv_transpose1d", "kernel_size": 1, "output_padding": 1}
    layers = ({"layer": "upsample", "scale_factor": 1.5}, up)
    found = smallest_exact(network(*layers, shape=[1, 1, 4]))
    assert (found.found, found.proved) == (None, False)
    assert found.reason.startswith("conv_transpose1d-1 is exact at no length from L = 4 to 5: ")


def test_what_no_length_mends():
    found = smallest_exact(network({"layer": "conv1d", "kernel_size": 1, "in_channels": 5}, shape=[1, 4, 9]))
    assert (found.found, found.proved) == (None, True)
    assert found.reason == "no length mends conv1d-1: 4 channels come in, expected 5 as in_channels says"


FLAT = ({"layer": "flatten"}, {"name": "fc", "layer": "linear", "in_features": 60, "out_features": 3})


def test_features_join_the_axes():
    pool = {"layer": "maxpool2d", "kernel_size": 2}
    found = smallest_exact(network(pool, *FLAT, shape=[1, 5, 4, 4]))
    assert found.found in {(("H", 6), ("W", 8)), (("H", 8), ("W", 6))}
    pairs = itertools.product(range(4, 20), repeat=2)
    exact = [pair for pair in pairs if is_exact(network(pool, *FLAT, shape=[1, 5, *pair]), {})]
    assert min(sum(pair) for pair in exact) == 14


def test_features_that_a_square_cannot_leave():
    pool = {"layer": "maxpool2d", "kernel_size": 2}
    found = smallest_exact(network(pool, *FLAT, shape=[1, 5, "N", "N"], dims={"N": 4}))
    assert (found.found, found.proved) == (None, True)
    assert found.reason == (
        "fc takes 60 features of 5 channels, so 12 positions: no exact lengths from N = 4 on leave as many"
    )
    found = smallest_exact(network(pool, *FLAT, shape=[1, 7, 4, 4]))
    assert found.reason == "fc takes 60 features of 7 channels, which is no multiple of them"
    found = smallest_exact(network({"layer": "global_avgpool"}, *FLAT, shape=[1, 5, 4, 4]))
    assert found.reason.startswith("fc takes 60 features of 5 channels, so 12 positions: no exact lengths")


def test_positions_of_an_unfold_are_searched_together():
    layers = ({"layer": "unfold", "kernel_size": 2, "stride": 2}, CONV)
    found = smallest_exact(network(*layers, shape=[1, 1, 4, 4]))
    assert found.found == (("H", 6), ("W", 6))
    never = ({"layer": "unfold", "kernel_size": 2, "stride": 2}, CONV | {"in_channels": 5})
    found = smallest_exact(network(*never, shape=[1, 1, 4, 4]))
    assert (found.found, found.proved) == (None, False)
    assert found.reason.startswith("given up after 128 lengths")


WORDS = st.sampled_from(["same", "same-lower"])
OTHERS = st.one_of(
    st.builds(lambda rows: {"layer": "adaptive_avgpool1d", "output_size": rows}, st.integers(1, 7)),
    st.builds(
        lambda kernel, stride, low: {
            "layer": "avgpool1d", "kernel_size": kernel, "stride": stride, "padding": low, "ceil_mode": True,
        },
        st.integers(1, 4), st.integers(1, 4), st.integers(0, 2),
    ),
    st.builds(
        lambda layer, kernel, stride, word: {"layer": layer, "kernel_size": kernel, "stride": stride, "padding": word},
        st.sampled_from(["conv1d", "maxpool1d", "conv_transpose1d"]), st.integers(1, 4), st.integers(1, 3), WORDS,
    ),
)  # fmt: skip


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(layers_of_a_sequence(), OTHERS), min_size=1, max_size=4), st.integers(1, 25))
def test_the_smallest_by_trying_every_length(layers, length):
    case = network(*layers, shape=[1, 2, length])
    found = smallest_exact(case)
    if found.found is not None:
        ((_, least),) = found.found
        assert is_exact(case, {"L": least})
        assert not any(is_exact(case, {"L": other}) for other in range(length, least))
    else:
        assert not any(is_exact(case, {"L": other}) for other in range(length, length + 120))
        fractional = any(layer.get("scale_factor") in {0.5, 1.5} for layer in layers)
        assert found.proved or fractional


def test_two_hundred_layers_with_a_stride_of_64_take_no_time():
    layers = [
        layer
        for _ in range(6)
        for layer in (
            {"layer": "conv2d", "kernel_size": 3, "stride": 2, "padding": 1},
            {"repeat": 16, "layers": [{"layer": "conv2d", "kernel_size": 3, "padding": 1}, {"layer": "relu"}]},
        )
    ]
    case = network(*layers, shape=[1, 8, 224, 224])
    started = time.perf_counter()
    found = smallest_exact(case)
    assert time.perf_counter() - started < 0.5
    assert (len(case.target.layers), found.found) == (198, (("H", 257), ("W", 257)))


@pytest.mark.parametrize("layer", [{"kernel_size": 3, "padding": 10**12}, {"kernel_size": 10**9}])
def test_hostile_strides_end_the_search_without_a_claim(layer):
    layers = [{"layer": "conv1d", "stride": 10**9 + 7, **layer}] * 20
    started = time.perf_counter()
    found = smallest_exact(network(*layers, shape=[1, 1, 224]))
    assert time.perf_counter() - started < 20
    assert (found.found, found.proved) == (None, False)
    assert found.reason.startswith("given up at L = ")
