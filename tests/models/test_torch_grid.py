"""Every windowed operation of torch, over a grid: what is recorded makes what torch makes of real data, or says no."""

from __future__ import annotations

import contextlib
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.geometry import describe_impossible, measure, output_size

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")

from torch.nn import functional as F  # noqa: E402, N812  as everybody calls it

from gradverify.models.torch.recording import Recorder  # noqa: E402

EXAMPLES = settings(deadline=None, max_examples=80)
AXES = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


def recorded(function):
    """Return what is recorded of a function without arguments, and what it returned on the meta device."""
    recorder, result = Recorder(function, "meta"), None
    with torch.no_grad(), contextlib.suppress(Exception), recorder.recording():
        result = function()
    return recorder, result


def made(function):
    """Return what torch makes where there are data, or ``None`` where it refuses."""
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of kernels with an even length, torch says that they copy
            return function()
    except (RuntimeError, ValueError, TypeError):
        return None


def data(*shape):
    return torch.rand(*shape)


def each(axes, low, high):
    return st.tuples(*[st.integers(low, high)] * axes)


@st.composite
def windows(draw):
    """Draw the axes, and for every axis a length and the numbers of a window."""
    axes = draw(st.integers(1, 3))
    names = {"size": (1, 11), "kernel": (1, 4), "stride": (1, 4), "padding": (0, 2), "dilation": (1, 3), "more": (0, 3)}
    return axes, {name: draw(each(axes, *bounds)) for name, bounds in names.items()}


def judge(function, *, spatial=None):
    """Compare what is recorded with what torch makes of real data; return the sites."""
    torch_made = made(function)
    recorder, _ = recorded(function)
    if torch_made is None or 0 in torch_made.shape:  # of a window that makes no rows, torch may return nothing
        said = recorder.refusal
        assert said is not None, recorder.sites
        assert said.problem or any(describe_impossible(window) for _, window in said.windows)
        assert all(measure(axis, window) for axis, window in said.windows)
        return recorder
    assert recorder.refusal is None, recorder.refusal
    site = recorder.sites[-1]
    assert site.problem is None
    assert site.output_shape == tuple(torch_made.shape)
    if site.windows:
        lengths = [output_size(window) for _, window in site.windows]
        assert lengths == list(torch_made.shape[-len(lengths) :] if spatial is None else spatial(torch_made))
        assert [measure(axis, window).output for axis, window in site.windows] == lengths
    return recorder


@EXAMPLES
@given(windows(), st.sampled_from(["numbers", "same", "valid"]), st.sampled_from([1, 2]), st.booleans())
def test_convolutions(drawn, padding, groups, batched):
    axes, numbers = drawn
    edges = numbers["padding"] if padding == "numbers" else padding
    stride = numbers["stride"] if padding != "same" else 1
    called = {"stride": stride, "padding": edges, "dilation": numbers["dilation"], "groups": groups}
    lead = (2, 4) if batched else (4,)

    def function():
        weight = data(2, 4 // groups, *numbers["kernel"])
        return getattr(F, f"conv{axes}d")(data(*lead, *numbers["size"]), weight, **called)

    recorder = judge(function)
    if recorder.refusal is None:
        (site,) = recorder.sites
        assert (site.name, site.op) == (f"conv{axes}d", f"conv{axes}d")
        assert tuple(axis for axis, _ in site.windows) == AXES[axes]
        assert site.input_shape == (*lead, *numbers["size"])


@EXAMPLES
@given(windows(), st.integers(3, 5), st.integers(1, 3), st.integers(-1, 1), st.integers(0, 2))
def test_convolutions_that_may_be_wrong(drawn, channels, groups, padding, stride):
    axes, numbers = drawn

    def function():
        weight = data(3, 3, *numbers["kernel"])
        return getattr(F, f"conv{axes}d")(
            data(1, channels, *numbers["size"]), weight, data(channels), stride, padding, 1, groups
        )

    judge(function)


@EXAMPLES
@given(windows(), st.integers(3, 4))
def test_transposed_convolutions(drawn, channels):
    axes, numbers = drawn
    called = {
        "stride": numbers["stride"],
        "padding": numbers["padding"],
        "dilation": numbers["dilation"],
        "output_padding": numbers["more"],
    }

    def function():
        weight = data(3, 2, *numbers["kernel"])
        return getattr(F, f"conv_transpose{axes}d")(data(1, channels, *numbers["size"]), weight, None, **called)

    recorder = judge(function)
    if recorder.refusal is None:
        assert all(window.transposed for _, window in recorder.sites[0].windows)


@EXAMPLES
@given(windows(), st.integers(-1, 4))
def test_transposed_convolutions_of_a_size_that_is_asked_for(drawn, more):
    axes, numbers = drawn
    steps = zip(numbers["size"], numbers["kernel"], numbers["stride"], numbers["padding"], strict=True)
    wanted = [(size - 1) * stride + kernel - 2 * edge + more for size, kernel, stride, edge in steps]

    def function():
        kind = getattr(torch.nn, f"ConvTranspose{axes}d")
        module = kind(2, 2, numbers["kernel"], numbers["stride"], numbers["padding"])
        return module(data(1, 2, *numbers["size"]), output_size=wanted)

    torch_made = made(function)
    recorder, _ = recorded(function)
    if torch_made is None or min(wanted) < 1:
        assert not recorder.sites
        return
    (site,) = recorder.sites
    assert [window.output_padding for _, window in site.windows] == [more] * axes
    assert [output_size(window) for _, window in site.windows] == wanted == list(torch_made.shape[2:])


@EXAMPLES
@given(windows(), st.booleans(), st.booleans(), st.booleans())
def test_max_pools(drawn, ceil_mode, indices, by_default):
    axes, numbers = drawn
    stride = None if by_default else numbers["stride"]

    def function():
        found = getattr(F, f"max_pool{axes}d")(
            data(1, 2, *numbers["size"]),
            numbers["kernel"],
            stride,
            [
                edge if edge * 2 <= kernel else 0
                for edge, kernel in zip(numbers["padding"], numbers["kernel"], strict=True)
            ],
            numbers["dilation"],
            ceil_mode,
            indices,
        )
        return found[0] if indices else found

    judge(function)


@EXAMPLES
@given(windows(), st.booleans(), st.booleans(), st.sampled_from(["max", "avg"]))
def test_pools_with_any_padding(drawn, ceil_mode, counted, kind):
    axes, numbers = drawn
    pool = getattr(F, f"{kind}_pool{axes}d")
    more = {"count_include_pad": counted} if kind == "avg" else {}

    def function():
        given = (numbers["kernel"], numbers["stride"], numbers["padding"])
        return pool(data(1, 2, *numbers["size"]), *given, ceil_mode=ceil_mode, **more)

    judge(function)


@EXAMPLES
@given(windows(), st.booleans(), st.booleans())
def test_lp_pools(drawn, ceil_mode, by_default):
    axes, numbers = drawn
    kernel, stride = (numbers[name][0] if axes == 1 else numbers[name] for name in ("kernel", "stride"))

    def function():
        size = data(1, 2, *numbers["size"])
        return getattr(F, f"lp_pool{axes}d")(size, 2, kernel, None if by_default else stride, ceil_mode)

    judge(function)


@EXAMPLES
@given(windows(), st.booleans(), st.sampled_from(["avg", "max"]))
def test_adaptive_pools_have_windows_where_they_all_have_one_size(drawn, keeps, kind):
    axes, numbers = drawn
    wanted = (*numbers["kernel"][:-1], None) if keeps and axes > 1 else numbers["kernel"]

    def function():
        return getattr(F, f"adaptive_{kind}_pool{axes}d")(data(1, 2, *numbers["size"]), wanted)

    recorder = judge(function)
    divides = all(
        size % (size if kernel is None else kernel) == 0 for size, kernel in zip(numbers["size"], wanted, strict=True)
    )
    (site,) = recorder.sites
    assert bool(site.windows) == divides
    assert all(measure(axis, window).identity for axis, window in site.windows)


@EXAMPLES
@given(windows())
def test_unfolding_an_image(drawn):
    _, numbers = drawn
    given = {name: (numbers[name] * 2)[:2] for name in ("size", "kernel", "stride", "padding", "dilation")}

    def function():
        image = data(1, 2, *given["size"])
        return F.unfold(image, given["kernel"], given["dilation"], given["padding"], given["stride"])

    def blocks(found):
        windows = recorded(function)[0].sites[-1].windows
        rows, columns = (output_size(window) for _, window in windows)
        assert rows * columns == found.shape[-1]
        return rows, columns

    judge(function, spatial=blocks)


@EXAMPLES
@given(windows(), st.integers(-1, 1))
def test_folding_blocks_to_an_image(drawn, more):
    _, numbers = drawn
    given = {name: (numbers[name] * 2)[:2] for name in ("size", "kernel", "stride", "padding", "dilation")}
    columns = zip(given["size"], given["kernel"], given["stride"], given["padding"], given["dilation"], strict=True)
    count = 1
    for size, kernel, stride, edge, dilation in columns:
        count *= (size + 2 * edge - dilation * (kernel - 1) - 1) // stride + 1

    def function():
        blocks = data(1, 2 * given["kernel"][0] * given["kernel"][1], max(1, count + more))
        return F.fold(blocks, given["size"], given["kernel"], given["dilation"], given["padding"], given["stride"])

    judge(function)


@EXAMPLES
@given(windows(), st.integers(0, 4))
def test_slices_of_a_tensor(drawn, axis):
    axes, numbers = drawn
    axis = axis % (axes + 2)

    def function():
        return data(2, 3, *numbers["size"]).unfold(axis, numbers["kernel"][0], numbers["stride"][0])

    recorder = judge(function, spatial=lambda found: (found.shape[axis],))
    if recorder.refusal is None:
        ((name, _),) = recorder.sites[0].windows
        assert name == (AXES[axes][axis - 2] if axis >= 2 else str(axis))


@EXAMPLES
@given(windows(), st.integers(-3, 3), st.booleans())
def test_unpooling(drawn, more, asks):
    axes, numbers = drawn
    steps = zip(numbers["size"], numbers["kernel"], numbers["stride"], strict=True)
    wanted = [(size - 1) * stride + kernel + more for size, kernel, stride in steps] if asks else None

    def function():
        image = data(1, 1, *numbers["size"])
        indices = torch.zeros(1, 1, *numbers["size"], dtype=torch.int64)
        return getattr(F, f"max_unpool{axes}d")(image, indices, numbers["kernel"], numbers["stride"], 0, wanted)

    judge(function)


@EXAMPLES
@given(windows(), st.data(), st.sampled_from(["constant", "reflect", "replicate", "circular"]))
def test_padding_before_a_window_is_no_data(drawn, draw, mode):
    axes, numbers = drawn
    pads = draw.draw(each(2 * axes, 0, 3))

    def function():
        padded = F.relu(F.pad(data(1, 2, *numbers["size"]), pads, mode=mode))
        return getattr(F, f"conv{axes}d")(padded, data(2, 2, *numbers["kernel"]), None, numbers["stride"])

    if made(lambda: F.pad(data(1, 2, *numbers["size"]), pads, mode=mode)) is None:
        return
    recorder = judge(function)
    site = (recorder.sites or [recorder.refusal])[0]
    before = [window.padded_before for _, window in site.windows]
    assert before == [(pads[2 * place], pads[2 * place + 1]) for place in reversed(range(axes))]


@EXAMPLES
@given(windows(), st.sampled_from(["reflect", "replicate", "circular"]))
def test_a_padding_mode_is_padding_of_the_layer(drawn, mode):
    axes, numbers = drawn
    module = getattr(torch.nn, f"Conv{axes}d")(
        2, 2, numbers["kernel"], numbers["stride"], numbers["padding"], padding_mode=mode, device="meta"
    )
    recorder = Recorder(module, "meta")
    with torch.no_grad(), contextlib.suppress(RuntimeError), recorder.recording():
        module(data(1, 2, *numbers["size"]))
    for site in recorder.sites:
        assert site.input_shape == (1, 2, *numbers["size"])
        assert [window.input for _, window in site.windows] == list(numbers["size"])
        assert [window.padding for _, window in site.windows] == [(edge, edge) for edge in numbers["padding"]]
        assert [window.padded_before for _, window in site.windows] == [(0, 0)] * axes
        assert [output_size(window) for _, window in site.windows] == list(site.output_shape[2:])
