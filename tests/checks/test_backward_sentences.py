"""What windows ask of each gradient, from the spec to the sentence, and errors that sit where no window reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from spec_cases import cases, functions, verified

from gradverify.checks.backward import with_backward
from gradverify.checks.case import verify
from gradverify.checks.geometry import geometry_of
from gradverify.numerics.error_map import error_map
from gradverify.results import GradientCheck, Verdict

WINDOW = {"input": "x", "kernel": "w", "stride": "stride"}
INPUTS = {"x": [2, 3, 8, 8], "w": [2, 3, 3, 3], "b": [2]}
SHORT = "rot180 gives 7 of 8 padded rows along H and W: append 1 zero row at the far end (1 of data)"
ZERO = "no window reads the last row along H and W: the gradient there is zero"
LONG = "the correlation with the dilated cotangent has 4 entries along H and W, 1 too many: keep the first 3"
INSIDE = "every element that fails lies in rows along {} that no window reads"


def conv(backward="conv_backward", **changes):
    entry = {"functions": functions("unread_rows", "conv_forward", backward), "inputs": INPUTS, "geometry": WINDOW}
    return verified(**entry | {"params": {"stride": 2}} | changes)


def sentences(found) -> dict[str, list[str]]:
    return {part.input: list(part.backward) for part in found.gradients}


@pytest.mark.parametrize("implementation", ["naive", "rot180", "im2col"])
def test_a_layer_that_passes_is_told_as_well(implementation):
    found = verified(layer="conv2d", implementation=implementation, inputs=INPUTS, params={"stride": 2})
    assert found.verdict is Verdict.PASS
    assert sentences(found) == {"x": [SHORT, ZERO], "w": [LONG], "b": []}


def test_your_own_function_is_told_the_same_by_its_roles():
    assert sentences(conv()) == {"x": [SHORT, ZERO], "w": [LONG], "b": []}
    assert sentences(conv(geometry={**WINDOW, "kernel": [3, 3]})) == {"x": [ZERO], "w": [], "b": []}
    assert sentences(conv(params={"stride": 1})) == {"x": [], "w": [], "b": []}


def test_without_a_window_there_is_nothing_to_tell():
    entry = {"functions": functions("unread_rows", "conv_forward", "conv_backward"), "inputs": INPUTS}
    assert sentences(verified(**entry, params={"stride": 2})) == {"x": [], "w": [], "b": []}


def test_a_pool_has_no_kernel_to_rotate():
    pool = {"inputs": {"x": [1, 2, 11, 8]}, "params": {"kernel_size": 2, "stride": [4, 2]}}
    found = verified(layer="maxpool2d", **pool)
    assert sentences(found) == {
        "x": [
            "no window reads the last row along H: the gradient there is zero",
            "between windows lie 2 of every 4 rows along H: the gradient there is zero",
        ]
    }


@pytest.mark.parametrize(
    ("backward", "axes"),
    [
        ("conv_last_row", "H"),
        ("conv_border", "H or W"),
        ("conv_one", "H"),
        ("conv_two", "H or W"),
        ("conv_one_there_and_one_elsewhere", None),
        ("conv_first_row", None),
        ("conv_first_and_last_row", None),
        ("conv_everywhere", None),
    ],
)
def test_errors_that_sit_where_no_window_reads(backward, axes):
    found = conv(backward)
    assert found.verdict is Verdict.FAIL
    assert sentences(found)["x"] == [SHORT, ZERO, *([INSIDE.format(axes)] if axes else [])]


def test_errors_in_read_columns_as_well_are_no_unread_rows():
    found = conv("conv_border", inputs={**INPUTS, "x": [2, 3, 8, 9]})  # every column of W is read
    assert sentences(found)["x"] == [text.replace("H and W", "H") for text in (SHORT, ZERO)]


def test_errors_of_a_kernel_are_in_no_rows_of_the_input():
    (case,) = cases({"layer": "conv2d", "inputs": INPUTS, "params": {"stride": 2}})
    mask = np.zeros((2, 3, 3, 8), dtype=bool)
    mask[..., -1] = True
    found = error_map(mask)
    named = replace(found, axes=tuple(replace(axis, name=name) for axis, name in zip(found.axes, "NCHW", strict=True)))
    checks = {
        name: GradientCheck(input=name, shape=mask.shape, verdict=Verdict.FAIL, error_map=named) for name in ("x", "w")
    }
    said = {name: with_backward(check, case, geometry_of(case)).backward for name, check in checks.items()}
    assert said == {"x": (SHORT, ZERO, INSIDE.format("W")), "w": (LONG,)}


def test_errors_in_an_axis_that_no_window_slides_along_are_no_unread_rows():
    found = conv("conv_last_row", inputs={**INPUTS, "x": [2, 3, 9, 8]})  # every row of H is read
    assert sentences(found)["x"] == [text.replace("H and W", "W") for text in (SHORT, ZERO)]


def test_errors_between_windows():
    entry = {"inputs": {"x": [1, 2, 10, 4]}, "params": {"kernel_size": 2, "stride": 4}}
    window = {"input": "x", "kernel": "kernel_size", "stride": "stride"}
    found = verified(functions=functions("unread_rows", "pool_forward", "pool_between"), geometry=window, **entry)
    assert found.verdict is Verdict.FAIL
    (gradient,) = found.gradients
    assert gradient.backward[-1] == INSIDE.format("H")


def test_a_gradient_that_is_as_short_as_rot180_leaves_it_is_told_why():
    found = conv("conv_without_the_last_row")
    assert found.gradients[0].reason == "the gradient has shape [2, 3, 7, 8], expected [2, 3, 8, 8]"
    assert sentences(found)["x"] == [SHORT, ZERO]


def test_rows_of_a_battery_are_told():
    entry = {"functions": functions("unread_rows", "conv_forward", "conv_backward"), "params": {"stride": "$stride"}}
    found = [verify(case) for case in cases({"battery": {"layer": "conv2d", "rows": ["unread-rows"]}, **entry})]
    assert [sentences(row) for row in found] == [
        {
            "x": [
                "rot180 gives 7 of 8 padded rows along H: append 1 zero row at the far end (1 of data)",
                "no window reads the last row along H: the gradient there is zero",
            ],
            "w": [
                "the correlation with the dilated cotangent has 4 entries along H, 1 too many: keep the first 3",
            ],
            "b": [],
        }
    ]


def test_a_case_that_leaves_geometry_out_is_told_nothing():
    assert sentences(conv(checks=["gradients"])) == {"x": [], "w": [], "b": []}
