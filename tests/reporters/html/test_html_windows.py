"""Geometry drawn to scale: windows lie where they read, and what is hatched is what none of them reads."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pictures import boxes_of, element, texts_of

from gradverify.numerics.geometry import Rounding, Window, describe_impossible, measure, window_count
from gradverify.reporters.html.windows import windows_figure, windows_legend
from gradverify.results import GeometrySeverity

windows = st.builds(
    Window,
    input=st.integers(1, 24),
    kernel=st.integers(1, 6),
    stride=st.integers(1, 7),
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    dilation=st.integers(1, 3),
    rounding=st.sampled_from(Rounding),
)
transposed = st.builds(
    Window,
    input=st.integers(1, 8),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    output_padding=st.integers(0, 2),
    transposed=st.just(True),
)


def drawn(window: Window):
    geometry = measure("H", window)
    return geometry, element(windows_figure(geometry))


def rows_in(drawing, kind):
    """Return the rows that boxes of a kind in the strip cover; rows are as wide as data and padding are together."""
    strip = [box for of in ("data", "padding", "overhang") for box in boxes_of(drawing, of)]
    left = min(box[0] for box in strip)
    found = []
    cell = cell_of(drawing)
    for x, top, wide, _ in boxes_of(drawing, kind):
        if top == strip[0][1]:
            found += range(round((x - left) / cell), round((x + wide - left) / cell))
    return left, cell, sorted(found)


def cell_of(drawing):
    widths = [
        float(part.get("stroke-dasharray").split()[1]) + 0.8
        for part in drawing.iter("path")
        if part.get("class") == "cells"
    ]
    strip = [box for of in ("data", "padding", "overhang") for box in boxes_of(drawing, of)]
    return widths[0] if widths else strip[0][2]


def read_rows(window: Window) -> set[int]:
    """Return the padded rows that windows lie on, by the definition: window k reads k S + i D."""
    geometry = measure("H", window)
    return {
        k * window.stride + tap * window.dilation for k in range(window_count(geometry)) for tap in range(window.kernel)
    }


@given(window=windows | transposed)
def test_what_is_drawn_is_what_the_lengths_say(window):
    assume(describe_impossible(window) is None)
    geometry, drawing = drawn(window)
    total = geometry.padded + geometry.overhang
    assume(total <= 64)
    low, high = geometry.padding
    _, _, data = rows_in(drawing, "data")
    assert data == list(range(low, geometry.padded - high))
    _, _, padding = rows_in(drawing, "padding")
    assert padding == [*range(low), *range(geometry.padded - high, geometry.padded)]
    _, _, beyond = rows_in(drawing, "overhang")
    assert beyond == list(range(geometry.padded, total))
    _, _, unread = rows_in(drawing, "unread")
    assert set(unread) == set(range(geometry.padded)) - read_rows(window)
    assert unread[-geometry.residual :] == list(range(geometry.padded - geometry.residual, geometry.padded)) or not (
        geometry.residual
    )


@given(window=windows)
def test_every_window_begins_a_stride_behind_the_one_before(window):
    assume(describe_impossible(window) is None)
    geometry, drawing = drawn(window)
    left, cell, _ = rows_in(drawing, "data")
    lanes: dict[float, list[int]] = {}
    for x, top, wide, _ in boxes_of(drawing, "window"):
        rows = range(round((x - left) / cell), round((x + wide - left) / cell))
        lanes.setdefault(top, []).extend(rows)
    names = [int(text.split()[1]) for text in texts_of(drawing) if text.startswith("window ")]
    assert len(lanes) == len(names)
    if geometry.output <= 8:
        assert names == list(range(geometry.output))
    else:
        last = geometry.output - 1
        assert names == [0, 1, 2, 3, last - 1, last]
        assert f"{geometry.output - 6} more window{'s' if geometry.output > 7 else ''}" in texts_of(drawing)
    for name, rows in zip(names, lanes.values(), strict=True):
        assert rows == [name * window.stride + tap * window.dilation for tap in range(window.kernel)]


def test_the_sides_of_the_identity_and_the_residual():
    geometry, drawing = drawn(Window(7, 3, 3))
    assert "(H'−1)S + K = 6" in texts_of(drawing)
    assert "H + 2P = 7" in texts_of(drawing)
    assert "r = 1" in texts_of(drawing)
    assert texts_of(drawing, "figcaption") == [
        "H kernel 3, stride 3, padding 0; rows never read: 1 of data at the far end"
    ]
    assert texts_of(drawing, "desc") == ["7 rows of padded input, 2 windows of 3 rows, 3 apart."]
    assert texts_of(element(windows_legend([geometry])), "li") == ["data", "read by no window", "a window"]


def test_a_transposed_window_makes_rows_of_its_output():
    _, drawing = drawn(Window(28, 2, 2, transposed=True, output_padding=1))
    assert "(H−1)S + K = 56" in texts_of(drawing)
    assert "H' + 2P = 57" in texts_of(drawing)
    assert "output" in texts_of(drawing)


def test_an_overhang_is_drawn_beyond_the_input():
    geometry, drawing = drawn(Window(12, 3, 2, rounding=Rounding.CEIL))
    assert len(boxes_of(drawing, "overhang")) == 1
    assert "H + 2P + overhang = 13" in texts_of(drawing)
    assert "beyond the padded input" in texts_of(element(windows_legend([geometry])), "li")


@pytest.mark.parametrize("window", [Window(2, 5), Window(3, 4, padding=(1, 1), dilation=3)])
def test_a_kernel_that_does_not_fit_is_longer_than_the_rows(window):
    geometry, drawing = drawn(window)
    assert geometry.severity is GeometrySeverity.IMPOSSIBLE
    ((_, _, wide, _),) = boxes_of(drawing, "misfit")
    rows = sum(box[2] for kind in ("data", "padding") for box in boxes_of(drawing, kind))
    assert wide > rows
    assert boxes_of(drawing, "window") == boxes_of(drawing, "unread") == []


@pytest.mark.parametrize(
    ("window", "names"),
    [
        (Window(224, 11, 4), [0, 1, 2, 3, 52, 53]),
        (Window(224, 7, 2, (3, 3)), [0, 1, 2, 3, 110, 111]),
        (Window(224, 224), [0]),
        (Window(224, 200, 24), [0, 1]),
        (Window(1000, 1, 100), [0, 9]),
        (Window(100, 11, 10), [0, 1, 8]),
        (Window(10**7, 3), [0, 1, 2, 3, 10**7 - 4, 10**7 - 3]),
    ],
)
def test_long_axes_are_drawn_without_their_middle(window, names):
    geometry, drawing = drawn(window)
    assert [int(text.split()[1]) for text in texts_of(drawing) if text.startswith("window ")] == names
    assert f"{geometry.padded - 50} rows" in texts_of(drawing)
    assert len(windows_figure(geometry)) < 3000
    assert bool(boxes_of(drawing, "unread")) == bool(geometry.residual or geometry.gap)


def test_a_line_through_holes_goes_from_one_end_of_a_window_to_the_other():
    _, drawing = drawn(Window(7, 2, dilation=3))
    boxes = boxes_of(drawing, "window")
    (through,) = [part.get("d") for part in drawing.iter("path") if part.get("class") == "through"]
    lines = [tuple(map(float, found)) for found in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", through)]
    tops = sorted({top for _, top, _, _ in boxes})
    ends = [[x for box in boxes if box[1] == top for x in (box[0], box[0] + box[2])] for top in tops]
    assert lines == [(min(found), max(found)) for found in ends]
    assert len(lines) == 4


def test_boxes_of_long_axes_stay_within_the_drawing():
    for window in (Window(224, 11, 4), Window(224, 200, 24), Window(500, 3, 7, (9, 9), dilation=5)):
        _, drawing = drawn(window)
        width = float(drawing.find("svg").get("width"))
        for path in ("data", "padding", "unread", "window"):
            assert all(x >= 0 and x + wide <= width for x, _, wide, _ in boxes_of(drawing, path))
