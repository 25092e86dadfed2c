"""Sizes of networks beside those that torch computes, layer by layer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import network

from gradverify.models.network import chain

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")

CHANNELS = 2
MODULES = {
    "conv2d": torch.nn.Conv2d,
    "conv_transpose2d": torch.nn.ConvTranspose2d,
    "maxpool2d": torch.nn.MaxPool2d,
    "avgpool2d": torch.nn.AvgPool2d,
    "lppool2d": torch.nn.LPPool2d,
    "adaptive_avgpool2d": torch.nn.AdaptiveAvgPool2d,
    "adaptive_maxpool2d": torch.nn.AdaptiveMaxPool2d,
    "upsample": torch.nn.Upsample,
    "pad": torch.nn.ZeroPad2d,
    "relu": torch.nn.ReLU,
}
SCALES = [{"scale_factor": 2}, {"scale_factor": [1.5, 3]}, {"scale_factor": 0.7}, {"size": [7, 9]}]


def module(layer):
    """Return a layer of the spec as torch has it."""
    options = {name: tuple(value) if isinstance(value, list) else value for name, value in layer.items()}
    kind = MODULES[options.pop("layer")]
    if kind is torch.nn.ZeroPad2d:
        return kind([end for axis in reversed(options["padding"]) for end in axis])
    if "out_channels" in options:
        return kind(CHANNELS, **options)
    return kind(norm_type=2, **options) if kind is torch.nn.LPPool2d else kind(**options)


def two(items):
    return st.lists(items, min_size=2, max_size=2)


def pairs(least, most):
    return st.one_of(st.integers(least, most), two(st.integers(least, most)))


@st.composite
def layers(draw):
    kind = draw(st.sampled_from(list(MODULES)))
    found = {"layer": kind}
    if kind == "relu":
        return found
    if kind == "pad":
        return found | {"padding": draw(two(two(st.integers(0, 2))))}
    if kind == "upsample":
        return found | draw(st.sampled_from(SCALES))
    if kind.startswith("adaptive"):
        return found | {"output_size": draw(pairs(1, 5))}
    found |= {"kernel_size": draw(pairs(1, 4)), "stride": draw(pairs(1, 3))}
    if kind != "lppool2d":
        found["padding"] = draw(pairs(0, 2))
    if kind in {"conv2d", "conv_transpose2d", "maxpool2d"}:
        found["dilation"] = draw(pairs(1, 2))
    if kind == "conv_transpose2d":
        found["output_padding"] = draw(pairs(0, 2))
    return found | ({"ceil_mode": draw(st.booleans())} if "pool" in kind else {"out_channels": CHANNELS})


def both(value):
    return value if isinstance(value, list) else [value, value]


def judged_alike(layer):
    """Return whether torch judges by sizes alone.

    It refuses a pool whose padding exceeds half its kernel, and without data looks at no output_padding.
    """
    kernels, strides, dilations, paddings, made = (
        both(layer.get(name, default))
        for name, default in (
            ("kernel_size", 9),
            ("stride", 1),
            ("dilation", 1),
            ("padding", 0),
            ("output_padding", 0),
        )
    )
    if layer["layer"] in {"maxpool2d", "avgpool2d"}:
        return all(2 * rows <= kernel for rows, kernel in zip(paddings, kernels, strict=True))
    return all(rows < max(limits) for rows, *limits in zip(made, strides, dilations, strict=True))


@settings(deadline=None, max_examples=150)
@given(st.lists(layers().filter(judged_alike), min_size=1, max_size=6), two(st.integers(2, 24)))
def test_every_size_is_the_one_that_torch_computes(chosen, lengths):
    sites = chain(network(*chosen, shape=[1, CHANNELS, *lengths])).sites
    array = torch.empty(1, CHANNELS, *lengths, device="meta")
    for site, layer in zip(sites, chosen, strict=True):
        impossible = site.problem is not None or None in site.output_shape
        try:
            array = module(layer).to("meta")(array)
        except RuntimeError:
            assert impossible, (site, layer)
            return
        if 0 in array.shape:  # a transposed convolution may make no rows
            assert impossible, (site, layer)
            return
        assert not impossible, (site, array.shape)
        assert site.output_shape == tuple(array.shape)


def test_features_and_positions_are_those_of_torch():
    layers = (
        {"layer": "unfold", "kernel_size": [2, 3], "padding": 1, "stride": 2, "dilation": 2},
        {"layer": "flatten"},
        {"layer": "linear", "in_features": 18 * 12, "out_features": 4},
    )
    sites = chain(network(*layers, shape=[2, 3, 7, 8])).sites
    made = torch.nn.Unfold((2, 3), padding=1, stride=2, dilation=2)(torch.empty(2, 3, 7, 8))
    assert sites[0].output_shape == tuple(made.shape)
    assert sites[1].output_shape == tuple(torch.flatten(made, 1).shape)
    assert (sites[2].output_shape, sites[2].problem) == ((2, 4), None)


@pytest.mark.parametrize("rows", range(4))
def test_output_padding_is_refused_where_torch_refuses_it(rows):
    layer = {"layer": "conv_transpose2d", "kernel_size": 3, "stride": 2, "dilation": 3, "output_padding": rows}
    (site,) = chain(network(layer, shape=[1, CHANNELS, 5, 5])).sites
    options = {name: value for name, value in layer.items() if name != "layer"}
    made = torch.nn.ConvTranspose2d(CHANNELS, CHANNELS, **options)
    if site.problem is None:
        assert tuple(made(torch.empty(1, CHANNELS, 5, 5)).shape[2:]) == site.output_shape[2:]
    else:
        with pytest.raises(RuntimeError, match="output padding must be smaller"):
            made(torch.empty(1, CHANNELS, 5, 5))
