"""Where a wrong layer's errors sit, from the spec to the sentence; and what the axes of a case are called."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases, functions, verified

from gradverify import GradientsError, assert_gradients
from gradverify.checks.axes import axis_names
from gradverify.layers.registry import LAYERS
from gradverify.reporters.error_map import map_lines
from gradverify.results import Verdict

WINDOW = {"input": "x", "kernel": "w", "stride": "stride", "padding": "pad"}
CONV = {"inputs": {"x": [2, 3, 6, 8], "w": [2, 3, 3, 3]}, "params": {"stride": 1, "pad": 1}, "geometry": WINDOW}
PLAIN = {"inputs": {"x": [2, 3, 5, 7]}}


def conv(backward, **changes):
    return {"functions": functions("misplaced_errors", "conv_forward", backward), **CONV, **changes}


def plain(backward, **changes):
    return {"functions": functions("misplaced_errors", "scale_forward", backward), **PLAIN, **changes}


def maps(**entry) -> dict[str, list[str]]:
    """Return the lines of the map of every failing gradient of a case."""
    return {part.input: lines for part in verified(**entry).gradients if (lines := list(map_lines(part)))}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            conv("conv_backward_crops_one_too_many"),
            "everything in the last row of H or in the last column of W (78 of 288 elements)",
        ),
        (
            conv("conv_backward_without_the_edge"),
            "everything at the border of H and W, 1 wide (144 of 288 elements)",
        ),
        (plain("one_channel_twice"), "everything in the last index of axis 1 (70 of 210 elements)"),
        (plain("one_sample_dropped"), "everything in the last index of axis 0 (105 of 210 elements)"),
        (plain("one_element_off"), "one element: [0, 2, 3, 3] (of 210)"),
        (plain("everything_twice"), "every element (210)"),
        (plain("not_a_number"), "everything in index 4 of axis 3 (30 of 210 elements)"),
        (
            plain("holes"),
            (
                "everything in every second index of axis 2 from 1 or in every second index of axis 3 from 1"
                " (138 of 210 elements)"
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value["functions"]["backward"].partition(":")[2],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_sentence_of_a_wrong_layer(entry, sentence, dtype):
    assert maps(**entry, dtype=dtype)["x"][0] == f"errors: {sentence}"


def test_the_gradient_of_a_kernel_has_the_axes_of_a_kernel():
    found = maps(**conv("conv_backward_centre_of_the_kernel_alone"))
    assert list(found) == ["w"]
    assert found["w"] == [
        "errors: everything in the first and last row of HH (36 of 54 elements)",
        "  axis 0  ++   2 of 2",
        "  axis 1  +++  3 of 3",
        "  HH      #.#  2 of 3",
        "  WW      +++  3 of 3",
    ]


def test_a_layout_names_every_axis():
    window = {"input": "x", "kernel": "w", "layout": "NHWC", "kernel_layout": "HWIO"}
    entry = {
        "functions": functions("misplaced_errors", "rows_last_forward", "rows_last_backward"),
        "inputs": {"x": [2, 5, 6, 3], "w": [3, 3, 3, 2]},
        "geometry": window,
    }
    found = maps(**entry)
    assert found["x"][0] == "errors: everything in the last row of H (36 of 180 elements)"
    assert [line.split()[0] for line in found["x"][1:]] == ["N", "H", "W", "C"]
    assert found["w"][0] == "errors: everything in index 1 of I (18 of 54 elements)"
    assert [line.split()[0] for line in found["w"][1:]] == ["HH", "WW", "I", "O"]


@pytest.mark.parametrize("entry", [conv("conv_backward"), plain("scale_backward")], ids=["conv", "scale"])
def test_a_right_layer_has_no_map(entry):
    result = verified(**entry)
    assert result.verdict is Verdict.PASS
    assert all(part.error_map is None for part in result.gradients)


def test_where_only_some_elements_were_looked_at_there_is_no_map():
    entry = plain(None, inputs={"x": [20, 20]})
    entry["functions"] = functions("misplaced_errors", "coupled_forward", "coupled_backward_one_row_twice")
    (all_of_them,) = verified(**entry).gradients
    assert next(map_lines(all_of_them)) == "errors: everything in index 3 of axis 0 (20 of 400 elements)"
    (some,) = verified(**entry, max_passes=350).gradients
    assert (some.verdict, 0 < some.compared < some.elements) == (Verdict.FAIL, True)
    assert some.error_map is None


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_names_the_axes_of_all_its_inputs(name):
    row = LAYERS[name]
    for given in row.inputs:
        rank = len(row.example[given.name])
        names = axis_names(built_in(name), given.name, rank)
        assert len(names) == rank
        assert [known for known in names if known] == [s for s in given.shape if s.isalpha()]


def built_in(name):
    """Return the case of a built-in layer at its example."""
    row = LAYERS[name]
    inputs = {given: list(shape) for given, shape in row.example.items()}
    (case,) = cases({"layer": name, "inputs": inputs, "params": dict(row.example_params or {})})
    return case


@pytest.mark.parametrize(
    ("layer", "name", "rank", "names"),
    [
        ("affine", "x", 2, ("N", None)),
        ("affine", "x", 3, ("N", None, None)),
        ("groupnorm", "x", 4, ("N", "C", None, None)),
        ("relu", "x", 2, (None, None)),
        ("conv2d", "w", 4, ("F", "C", "HH", "WW")),
    ],
)
def test_axes_that_stand_for_any_number_have_no_name(layer, name, rank, names):
    assert axis_names(built_in(layer), name, rank) == names


@pytest.mark.parametrize(
    ("lengths", "spatial", "kernel"), [([9], ["L"], ["LL"]), ([5, 6, 7], ["D", "H", "W"], ["DD", "HH", "WW"])]
)
def test_windows_of_other_ranks(lengths, spatial, kernel):
    entry = conv("conv_backward", inputs={"x": [2, 3, *lengths], "w": [2, 3, *(2 for _ in lengths)]})
    (case,) = cases(entry)
    assert axis_names(case, "x", len(lengths) + 2) == (None, None, *spatial)
    assert axis_names(case, "w", len(lengths) + 2) == (None, None, *kernel)
    assert axis_names(case, "b", 1) == (None,)


def test_the_error_of_assert_gradients_shows_the_map():
    def backward(dout, x):
        dx = dout * 2 * x
        dx[-1] = 0
        return dx

    with pytest.raises(GradientsError) as caught:
        assert_gradients(lambda x: (x**2, x), backward, {"x": np.arange(1.0, 13.0).reshape(4, 3)})
    assert """\
       errors: everything in the last index of axis 0 (3 of 12 elements)
         axis 0  ...#  1 of 4
         axis 1  +++   3 of 3
""" in str(caught.value)
