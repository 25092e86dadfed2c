"""Whole networks through the torch reader, against what their layers saw in a pass with real data."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from gradverify.models.requests import TorchRequest
from gradverify.numerics.geometry import measure, output_size
from gradverify.results import GeometrySeverity

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'gradverify[torch]'")

import torch_nets  # noqa: E402  what needs torch

from gradverify.models.torch import read  # noqa: E402

FOLDER = str(Path(__file__).parent)
IMAGE = (1, 3, 32, 32)


def audited(factory, *shapes):
    inputs = tuple(shape if isinstance(shape[0], str) else ("", shape, "") for shape in shapes or (IMAGE,))
    return read(TorchRequest(factory=f"torch_nets:{factory}", input_shapes=inputs, folder=FOLDER))


def seen(module, *shapes):
    """Return name, class, and the shapes in and out of every call of a layer with windows, with real data."""
    found, counts = [], {}
    homes = ("torch.nn.modules.conv", "torch.nn.modules.pooling", "torch_nets")

    def hook(name):
        def remember(part, args, result):
            counts[name] = counts.get(name, 0) + 1
            shown = name if counts[name] == 1 else f"{name}#{counts[name]}"
            made = result[0] if isinstance(result, tuple) else result
            found.append((shown, type(part).__name__, tuple(args[0].shape), tuple(made.shape)))

        return remember

    for name, part in module.named_modules():
        if type(part).__module__ in homes and not list(part.children()) and type(part).__name__ != "Inner":
            part.register_forward_hook(hook(name))
    with torch.no_grad():
        module.eval()(*(torch.rand(shape) for shape in shapes))
    return found


@pytest.mark.parametrize(
    ("factory", "shape", "functional"),
    [
        ("alexnet", (2, 3, 224, 224), []),
        ("alexnet", (1, 3, 227, 227), []),
        ("ResNet", (1, 3, 65, 64), []),
        ("UNet", (1, 1, 45, 40), ["avg_pool2d"]),
        ("Sound", (1, 2, 400), []),
        ("Padded", (1, 3, 64, 63), []),
    ],
)
def test_layers_are_those_that_ran_with_the_shapes_that_they_saw(factory, shape, functional):
    model = audited(factory, shape)
    got = [(site.name, site.op, site.input_shape, site.output_shape) for site in model.sites]
    wanted = seen(getattr(torch_nets, factory)(), shape)
    assert [site for site in got if site[0] not in functional] == wanted
    assert [site[0] for site in got if site[0] in functional] == functional
    for site in model.sites:
        assert site.problem is None
        assert [output_size(window) for _, window in site.windows] in ([], list(site.output_shape[2:]))
        assert [
            window.input for _, window in site.windows if not window.padded_before[0] + window.padded_before[1]
        ] in (
            [],
            list(site.input_shape[2:]),
        )


def test_a_model_crosses_processes():
    model = audited("ResNet", (1, 3, 64, 64))
    assert pickle.loads(pickle.dumps(model)) == model  # noqa: S301  made here


def severities(model):
    return {site.name: measure(*site.windows[0]).severity.value for site in model.sites if site.windows}


def test_alexnet_loses_a_row_on_224_and_none_on_227():
    found = severities(audited("alexnet", (1, 3, 224, 224)))
    assert {name for name, severity in found.items() if severity == "data-lost"} == {"0.0", "0.3", "0.6", "0.8"}
    assert set(severities(audited("alexnet", (1, 3, 227, 227))).values()) == {"exact"}


def test_a_name_says_where_a_function_was_called_and_how_often():
    model = audited("Functional", (1, 3, 64, 64))
    assert [(site.name, site.op) for site in model.sites] == [
        ("conv2d", "conv2d"),
        ("max_pool2d", "max_pool2d"),
        ("conv2d#2", "conv2d"),
        ("avg_pool2d", "avg_pool2d"),
        ("features/max_pool2d", "max_pool2d"),
        ("features/max_pool2d#2", "max_pool2d"),
    ]


def test_a_function_that_torch_s_own_layers_call_is_not_told_besides():
    model = audited("Sound", (1, 2, 400))
    assert [site.name for site in model.sites] == ["conv", "max", "average", "lp", "up", "adaptive"]
    assert {axis for site in model.sites for axis, _ in site.windows} == {"L"}


def test_padding_of_another_layer_is_no_data_and_padding_of_its_own_is_its_padding():
    sites = {site.name: site for site in audited("Padded", (1, 3, 64, 63)).sites}
    first = dict(sites["first"].windows)
    assert (first["H"].padding, first["H"].padded_before, first["H"].input) == ((0, 0), (0, 1), 65)
    assert measure("W", first["W"]).severity is GeometrySeverity.PADDING_UNREAD
    second = dict(sites["second"].windows)
    assert (second["H"].padding, second["H"].padded_before) == ((0, 0), (1, 1))
    around = dict(sites["round"].windows)
    assert (around["H"].padding, around["H"].padded_before) == ((1, 1), (2, 0))
    same = dict(sites["same"].windows)
    assert (same["H"].input, same["H"].padding, same["H"].padded_before) == (9, (1, 1), (0, 0))


@pytest.mark.parametrize(
    ("factory", "names"),
    [
        ("normed", [("0", "Conv2d"), ("1", "Conv2d")]),
        ("compiled", [("0", "Conv2d"), ("1", "MaxPool2d")]),
        ("Past", [("conv", "Conv2d"), ("MaxPool2d", "MaxPool2d")]),
        ("Lazy", [("conv", "Conv2d")]),
        ("Caught", [("large", "Conv2d")]),
        ("instance", [("0", "Conv2d")]),
        ("nn.Conv2d(3, 4, kernel_size=3)", [("Conv2d", "Conv2d")]),
        ("returns_a_function", [("max_pool2d", "max_pool2d")]),
        ("Constants", [("conv", "Conv2d"), ("max_pool2d", "max_pool2d")]),
        ("Steps", [("max_pool2d", "max_pool2d"), ("max_pool2d#2", "max_pool2d")]),
        ("linear", []),
        ("prints", [("Conv2d", "Conv2d")]),
    ],
)
def test_modules_however_they_are_made(factory, names, capsys):
    model = audited(factory, *([(1, 4)] if factory == "linear" else [IMAGE]))
    assert [(site.name, site.op) for site in model.sites] == names
    assert [site.problem for site in model.sites] == [None] * len(names)
    assert not capsys.readouterr().out


def test_what_is_caught_is_no_finding():
    model = audited("Caught", (1, 3, 8, 8))
    assert [(site.name, site.problem) for site in model.sites] == [("small", None), ("max_pool2d", None)]


def test_a_script_is_read_by_what_it_comes_down_to():
    model = audited("scripted", (1, 3, 33, 33))
    assert [(site.name, site.op, site.output_shape) for site in model.sites] == [
        ("0", "Conv2d", (1, 4, 29, 29)),
        ("max_pool2d", "max_pool2d", (1, 4, 14, 14)),
        ("2.0", "Conv2d", (1, 4, 7, 7)),
        ("avg_pool2d", "avg_pool2d", (1, 4, 3, 3)),
    ]
    model = audited("scripted_on_one_axis", (1, 2, 33))
    assert [(site.op, site.input_shape, site.output_shape) for site in model.sites] == [
        ("Conv1d", (1, 2, 34), (1, 4, 33)),
        ("max_pool1d", (1, 4, 33), (1, 4, 16)),
        ("avg_pool1d", (1, 4, 16), (1, 4, 8)),
    ]
    assert [[axis for axis, _ in site.windows] for site in model.sites] == [["L"]] * 3
    assert model.sites[0].windows[0][1].padded_before == (0, 1)


def test_patches_and_what_folds_them():
    model = audited("Patches", (1, 3, 16, 17))
    (first, second, fold) = model.sites
    assert [(site.name, [axis for axis, _ in site.windows]) for site in (first, second)] == [
        ("unfold", ["H"]),
        ("unfold#2", ["W"]),
    ]
    assert [measure(*site.windows[0]).unread_data for site in (first, second)] == [0, 1]
    assert [(axis, window.transposed, window.output_padding) for axis, window in fold.windows] == [
        ("H", True, 0),
        ("W", True, 0),
    ]


def test_inputs_go_by_name_or_position():
    assert audited("compiled").inputs == (("input", IMAGE),)
    assert audited("convolved", (1, 2, 9), (4, 2, 3)).inputs == (("x", (1, 2, 9)), ("y", (4, 2, 3)))
    assert audited("any_number", (1, 2, 9), (4, 2, 3)).inputs == (("tensors0", (1, 2, 9)), ("tensors1", (4, 2, 3)))
    named = audited("Lazy", ("x", (1, 3, 8, 8), ""), ("mask", (6, 6), "bool"))
    assert named.inputs == (("x", (1, 3, 8, 8)), ("mask", (6, 6)))


def test_what_cannot_be_is_told_with_its_windows_and_what_comes_after_by_name():
    model = audited("too_small", (1, 3, 16, 16))
    assert [site.name for site in model.sites] == ["0", "1", "2", "not-reached"]
    refused, rest = model.sites[2:]
    assert refused.problem is None
    assert measure(*refused.windows[0]).severity is GeometrySeverity.IMPOSSIBLE
    assert rest.op == "Sequential"
    assert rest.problem == "'2' cannot run: what comes after '2' was not reached, which leaves out 4"


@pytest.mark.parametrize(
    ("factory", "name", "said"),
    [
        ("wrong_channels(5)", "1", "its input has 4 channels, and the weight [5, 4, 3, 3] with groups 1 takes 5"),
        ("wrong_padding", "0", "pad should be at most half of effective kernel size"),
        ("wrong_size", "not-reached", "the forward pass raised, in '2', RuntimeError"),
        ("Value", "not-reached", "the forward pass looks at values of what is computed from its input"),
        ("Value", "not-reached", "in forward): what comes after 'first' was not reached, which leaves out second"),
    ],
)
def test_what_torch_refuses_is_told_and_the_rest_is_audited(factory, name, said):
    model = audited(factory)
    (site,) = (site for site in model.sites if site.name == name)
    assert said in site.problem
    assert not site.windows
    assert model.sites[-1].name == "not-reached"


def test_inputs_have_the_dtype_of_the_weights_unless_another_is_given():
    assert [site.problem for site in audited("doubled").sites] == [None]
    (refused, _) = audited("doubled", ("", IMAGE, "float32")).sites
    assert "torch refuses it" in refused.problem
