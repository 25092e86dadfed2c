"""The roles of a window, and what they read."""

from __future__ import annotations

from typing import Any

import pytest

from gradverify.errors import RoleError
from gradverify.layers.registry import LAYERS, WindowRoles
from gradverify.numerics.geometry import Window
from gradverify.spec.windows import parameter_at, parameter_paths, windows

SHAPES = {"x": (2, 3, 7, 9), "w": (4, 3, 3, 2), "line": (2, 3, 9), "flat": (9,), "b": (4,), "unknown": None}


def _read(shapes: dict[str, Any] = SHAPES, params: dict[str, Any] | None = None, **roles: Any) -> Any:
    found = windows(WindowRoles(**roles), shapes, params or {})
    assert found is not None
    return {
        axis: (window.input, window.kernel, window.stride, window.padding, window.dilation) for axis, window in found
    }


def test_of_an_input() -> None:
    assert _read(input="x", kernel="w") == {"H": (7, 3, 1, (0, 0), 1), "W": (9, 2, 1, (0, 0), 1)}


def test_of_parameters() -> None:
    params = {"conv_param": {"stride": [2, 1], "pad": 1}, "HH": 3, "WW": 2, "d": 2}
    roles = {"kernel": ["HH", "WW"], "stride": "conv_param.stride", "padding": "conv_param.pad", "dilation": "d"}
    assert _read(params=params, input="x", **roles) == {"H": (7, 3, 2, (1, 1), 2), "W": (9, 2, 1, (1, 1), 2)}


def test_paddings_of_both_ends() -> None:
    found = _read(params={"p": [[0, 1], 2]}, input="x", kernel=2, padding="p")
    assert [window[3] for window in found.values()] == [(0, 1), (2, 2)]
    assert [window[3] for window in _read(input="x", kernel=2, padding=[1, 0]).values()] == [(1, 1), (0, 0)]


@pytest.mark.parametrize(("name", "axes"), [("line", 1), ("flat", 1), ("x", 2)])
def test_axes(name: str, axes: int) -> None:
    assert len(_read(input=name, kernel=3)) == axes


def test_a_list_of_kernels_says_how_many_axes() -> None:
    assert len(_read(input="x", kernel=[3])) == 1
    assert len(_read(input="x", kernel=[1, 1, 1])) == 3


def test_a_shape_that_is_not_known_yet() -> None:
    assert windows(WindowRoles(input="unknown", kernel=3), SHAPES, {}) is None
    assert windows(WindowRoles(input="x", kernel="unknown"), SHAPES, {}) is None


def test_of_the_layers() -> None:
    assert {name for name, layer in LAYERS.items() if layer.window} == {"conv2d", "maxpool2d", "avgpool2d"}
    roles = LAYERS["maxpool2d"].window
    assert roles is not None
    found = windows(roles, {"x": (1, 1, 4, 5)}, {"kernel_size": 2, "stride": 2, "padding": (0, 1)})
    assert found == (
        ("H", Window(4, 2, 2, (0, 0), 1, reads_padding_only=False)),
        ("W", Window(5, 2, 2, (1, 1), 1, reads_padding_only=False)),
    )


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"input": "z", "kernel": 3}, "input", "there is no input 'z', expected one of b, flat, line, unknown, w, x"),
    ({"input": "lin", "kernel": 3}, "input", "there is no input 'lin', did you mean 'line'?"),
    ({"input": "x", "kernel": "strid"}, "kernel", "there is no input or parameter 'strid' for the kernel, did you"),
    ({"input": "x", "kernel": 3, "stride": "q"}, "stride", "there is no parameter 'q' for the stride, expected one of"),
    ({"input": "x", "kernel": 3, "padding": "p.q.r"}, "padding", "there is no parameter 'p.q.r' for the padding, "),
    ({"input": "x", "kernel": 0}, "kernel", "the kernel is 0, expected a whole number of at least 1"),
    ({"input": "x", "kernel": 3, "stride": 0}, "stride", "the stride is 0, expected a whole number of at least 1"),
    ({"input": "x", "kernel": 3, "padding": "neg"}, "padding", "the padding is -1, expected a whole number of at "),
    ({"input": "x", "kernel": 3, "stride": "yes"}, "stride", "the stride is True, expected a whole number"),
    ({"input": "x", "kernel": 3, "stride": "half"}, "stride", "the stride is 0.5, expected a whole number"),
    ({"input": "x", "kernel": 3, "stride": "p"}, "stride", "the stride is {'q': 1}, expected a whole number"),
    ({"input": "x", "kernel": 3, "stride": [1, 2, 3]}, "stride", "the stride has 3 values, expected one or 2"),
    ({"input": "x", "kernel": 3, "padding": [1]}, "padding", "the padding has 1 values, expected one or 2"),
    ({"input": "x", "kernel": 3, "padding": "deep"}, "padding", "the padding has 3 values, expected one or 2"),
    ({"input": "flat", "kernel": [1, 1]}, "input", "'flat' has shape [9], expected at least 2 axes"),
    ({"input": "b", "kernel": "w"}, "input", "'b' has shape [4], expected at least 2 axes"),
]  # fmt: skip


@pytest.mark.parametrize(("roles", "role", "message"), WRONG)
def test_roles_that_cannot_be_read(roles: dict[str, Any], role: str, message: str) -> None:
    params = {"stride": 2, "p": {"q": 1}, "neg": -1, "yes": True, "half": 0.5, "deep": [[1, 2, 3], 1]}
    with pytest.raises(RoleError) as caught:
        windows(WindowRoles(**roles), SHAPES, params)
    assert caught.value.role == role
    assert caught.value.message.startswith(message)


def test_paths() -> None:
    params = {"a": {"b": {"c": 1}, "d.e": {"f": 2}}, "g": 3}
    assert parameter_paths(params) == ["a", "a.b", "a.b.c", "g"]
    assert [parameter_at(params, path) for path in parameter_paths(params)] == [params["a"], {"c": 1}, 1, 3]
    for path in ("a.d.e", "a.x", "g.h", ""):
        with pytest.raises(KeyError):
            parameter_at(params, path)
