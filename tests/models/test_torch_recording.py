"""Single operations through the torch reader: what the grid draws too seldom, one at a time."""

from __future__ import annotations

import contextlib

import pytest

from gradverify.numerics.geometry import describe_impossible, edges

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")

from torch.nn import functional as F  # noqa: E402, N812  as everybody calls it

from gradverify.models.torch.recording import Recorder  # noqa: E402


def recorded(function, root=None):
    recorder = Recorder(function if root is None else root, "meta")
    with torch.no_grad(), contextlib.suppress(RuntimeError), recorder.recording():
        function()
    return recorder


def convolved(**called):
    bias = torch.rand(called.pop("bias", 2))
    weight = torch.rand(called.pop("out", 2), 2, 3)
    return F.conv1d(torch.rand(1, called.pop("channels", 2), 9), weight, bias, **called)


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_the_odd_row_of_same_is_where_torch_puts_it(kernel, dilation):
    x, weight = torch.rand(1, 1, 7), torch.rand(1, 1, kernel)
    site = recorded(lambda: F.conv1d(x.to("meta"), weight.to("meta"), padding="same", dilation=dilation)).sites[0]
    padded = F.pad(x, edges(site.windows[0][1]))
    torch.testing.assert_close(
        F.conv1d(padded, weight, dilation=dilation), F.conv1d(x, weight, padding="same", dilation=dilation)
    )


@pytest.mark.parametrize(
    ("called", "said"),
    [
        ({"padding": -1}, "a negative padding, expected at least 0"),
        ({"stride": 0}, "torch refuses it: ZeroDivisionError"),
        ({"dilation": 0}, "dilation 0, expected at least 1"),
        ({"bias": 3}, "it makes 2 channels, and its bias has the shape [3]"),
        ({"groups": 2, "channels": 4, "out": 3, "bias": 3}, "groups 2 do not divide the 3 channels of the weight"),
        ({"channels": 3}, "torch refuses it: RuntimeError"),
        ({"padding": "same", "stride": 2}, "padding='same' is not supported for strided convolutions"),
    ],
)
def test_a_convolution_that_torch_refuses(called, said):
    with pytest.raises(RuntimeError):
        convolved(**called)
    recorder = Recorder(convolved, "meta")
    with torch.no_grad(), contextlib.suppress(RuntimeError, ZeroDivisionError), recorder.recording():
        convolved(**called)
    assert said in recorder.refusal.problem
    assert not recorder.sites


def test_a_transposed_window_that_makes_no_rows_is_impossible():
    recorder = recorded(lambda: F.conv_transpose2d(torch.rand(1, 1, 1, 4), torch.rand(1, 1, 2, 2), padding=(1, 0)))
    assert describe_impossible(recorder.refusal.windows[0][1]) == "padding 1 + 1 leaves none of the 2 rows it makes"
    assert not recorder.sites


def test_what_is_left_out_is_as_torch_has_it():
    def function():
        x = torch.rand(1, 2, 9, 9)
        F.unfold(x, 3)
        F.max_pool2d(x, 3)
        F.avg_pool2d(x, 2)
        F.lp_pool2d(x, 2, 3)
        F.conv2d(x, torch.rand(2, 2, 3, 3))
        F.conv_transpose2d(x, torch.rand(2, 2, 3, 3))
        F.fold(F.unfold(x, 2), (9, 9), 2)

    found = [(site.op, site.windows[0][1]) for site in recorded(function).sites]
    assert [(op, window.stride, window.padding, window.dilation) for op, window in found] == [
        ("unfold", 1, (0, 0), 1),
        ("max_pool2d", 3, (0, 0), 1),
        ("avg_pool2d", 2, (0, 0), 1),
        ("lp_pool2d", 3, (0, 0), 1),
        ("conv2d", 1, (0, 0), 1),
        ("conv_transpose2d", 1, (0, 0), 1),
        ("unfold", 1, (0, 0), 1),
        ("fold", 1, (0, 0), 1),
    ]


class PadsTwice(torch.nn.MaxPool2d):
    def forward(self, x):
        return super().forward(F.pad(F.pad(x, (1, 0)), (0, 1, 2, 0)))


class Crops(torch.nn.MaxPool2d):
    def forward(self, x):
        return super().forward(F.pad(F.pad(x, (2, 2, 2, 2)), (-1, 0, -3, 0)))


@pytest.mark.parametrize(
    ("kind", "shape", "windows"),
    [
        (PadsTwice, (1, 2, 8, 9), [(8, (2, 0), (0, 0)), (9, (1, 1), (0, 0))]),
        (Crops, (1, 2, 9, 12), [(9, (0, 0), (0, 2)), (12, (0, 0), (1, 2))]),
    ],
)
def test_padding_of_a_layer_in_several_steps(kind, shape, windows):
    module = kind(2)
    site = recorded(lambda: module(torch.rand(1, 2, 8, 9)), module).sites[0]
    assert site.input_shape == shape
    assert [(window.input, window.padding, window.padded_before) for _, window in site.windows] == windows


@pytest.mark.parametrize(
    ("between", "kept"),
    [
        (torch.relu, True),
        (F.hardswish, True),
        (lambda x: F.batch_norm(x, torch.ones(2), torch.ones(2)), True),
        (lambda x: x + torch.rand(1, 2, 1, 1), True),
        (lambda x: torch.cat([x, x * 2], 1)[:, :2].relu(), False),  # a slice is not followed
        (lambda x: torch.cat([x, x], 1), True),
        (lambda x: torch.cat([x, x], 3), False),
        (lambda x: x + torch.rand(1, 2, 9, 9), False),
        (lambda x: x.transpose(2, 3), False),
        (lambda x: F.max_pool2d(x, 1), False),
    ],
)
def test_padding_is_followed_through_what_moves_nothing(between, kept):
    def function():
        return F.avg_pool2d(between(F.pad(torch.rand(1, 2, 8, 8), (0, 1, 1, 0))), 2)

    windows = [window.padded_before for _, window in recorded(function).sites[-1].windows]
    assert windows == ([(1, 0), (0, 1)] if kept else [(0, 0), (0, 0)])


def test_windows_over_channels_are_left_out():
    assert not recorded(lambda: F.local_response_norm(torch.rand(1, 6, 5, 5), 3)).sites


def test_tensors_are_moved_to_no_other_device():
    def function():
        x = torch.rand(1, 2, 8, 8, device="cuda").to("cuda", torch.float16).cpu().to(device="cpu").to(1).cuda()
        assert x.is_meta
        assert x.to(torch.rand(1, dtype=torch.float64)).dtype is torch.float64
        return F.max_pool2d(x, 2)

    assert [site.problem for site in recorded(function).sites] == [None]
