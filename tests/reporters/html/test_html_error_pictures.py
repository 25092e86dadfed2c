"""Where errors sit: a shade and a cross for every cell, and a bar for every index."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from made_reports import case_result, error_grid
from pictures import boxes_of, element, points_of, texts_of

from gradverify.reporters.html.error_pictures import grid_figure, map_table
from gradverify.results import AxisErrors, ErrorMap, Verdict


def gradient(**changes):
    (made,) = case_result(verdict=Verdict.FAIL).gradients
    return replace(made, shape=(4, 5), **changes)


def found(names=("H", "W"), **changes) -> ErrorMap:
    axes = (
        AxisErrors(axis=0, length=4, failed=(0, 0, 0, 5), indices=1, name=names[0]),
        AxisErrors(axis=1, length=5, failed=(1, 1, 1, 1, 1), indices=5, name=names[1]),
    )
    fields = {"axes": axes, "elements": 20, "failed": 5, "within": (), "along": (), "without": (), "region": 20}
    return ErrorMap(**fields | changes)


def test_cells_have_the_shade_of_their_error_and_a_cross_where_elements_fail():
    drawing = element(grid_figure(gradient(error_grid=error_grid(), error_map=found())))
    assert len(boxes_of(drawing, "e0")) == 15
    shaded = boxes_of(drawing, "e3")
    assert len(shaded) == 5
    assert len({top for _, top, _, _ in shaded}) == 1  # one row
    assert max(box[1] for box in boxes_of(drawing, "e0")) < shaded[0][1]
    crosses = points_of(drawing, "cross")
    assert len(crosses) == 5
    for (x, y), (left, top, wide, high) in zip(crosses, shaded, strict=True):
        assert left < x < left + wide
        assert top < y < top + high
    assert {"W →", "H ↓", "0", "3"} <= set(texts_of(drawing))
    assert texts_of(drawing, "desc") == ["4 by 5 cells, 5 of them with elements that fail."]
    assert texts_of(drawing, "li") == ["up to 0.001 of what is allowed", "up to 1000 times", "elements fail"]


@pytest.mark.parametrize(
    ("excess", "shade"),
    [
        (0.0, 0),
        (1e-3, 0),
        (0.5, 1),
        (1.0, 1),
        (1.1, 2),
        (10, 2),
        (11, 3),
        (1e3, 3),
        (2e3, 4),
        (math.inf, 5),
        (math.nan, 5),
    ],
)
def test_shades(excess, shade):
    grid = error_grid(excess=((excess,),), failed=((0,),))
    drawing = element(grid_figure(gradient(error_grid=grid)))
    assert len(boxes_of(drawing, f"e{shade}")) == 1


def test_cells_of_many_indices_and_axes_without_names():
    drawing = element(grid_figure(gradient(error_grid=error_grid(together=(2, 3)))))
    (caption,) = texts_of(drawing, "figcaption")
    assert "over 2 indices of axis 0 and 3 indices of axis 1" in caption
    assert "12" in texts_of(drawing)  # the last cell across begins there


def test_a_vector_is_one_row():
    grid = error_grid(axes=(0, None), together=(4, 1), excess=((0.5, 2.0),), failed=((0, 1),))
    drawing = element(grid_figure(replace(gradient(error_grid=grid), shape=(8,))))
    assert texts_of(drawing, "title") == ["Errors of dx over axis 0"]
    assert {"axis 0 →", "0", "4"} >= set(texts_of(drawing)) > {"axis 0 →"}
    assert "over 4 indices of axis 0," in texts_of(drawing, "figcaption")[0]


def test_a_single_number():
    grid = error_grid(axes=(None, None), excess=((2.0,),), failed=((1,),))
    drawing = element(grid_figure(replace(gradient(error_grid=grid), shape=())))
    assert texts_of(drawing, "title") == ["Errors of dx over its only element"]
    assert texts_of(drawing) == []


def test_bars_are_as_high_as_the_share_that_fails():
    table = element(map_table(gradient(error_map=found())))
    first, second = list(table.iter("tr"))[1:]
    ((_, top, _, high),) = boxes_of(first, "bar-failed")
    frames = boxes_of(first, "frame")
    assert (top, high) == frames[3][1::2]  # all of it fails
    bars = boxes_of(second, "bar-failed")
    assert len(bars) == 5
    assert all(high == pytest.approx(frames[0][3] / 4, abs=0.1) for _, _, _, high in bars)
    assert [texts_of(row, "td")[-1] for row in (first, second)] == ["1 of 4", "5 of 5"]
    assert texts_of(table, "p") == ["Errors: scattered: 5 of 20 elements."]


def test_nothing_is_drawn_where_everything_fails_or_nothing_is_known():
    assert grid_figure(gradient()) is None
    assert map_table(gradient()) is None
    assert map_table(gradient(error_map=found(failed=20))) == "<p>Errors: every element (20).</p>"


def test_a_last_bar_of_fewer_indices_is_as_high_as_its_share():
    axes = (AxisErrors(axis=0, length=5, failed=(2, 0, 4), indices=3, name="N", together=2),)
    drawing = element(map_table(gradient(error_map=found(axes=axes, elements=20, failed=6))))
    (first, last), (frame, *_) = boxes_of(drawing, "bar-failed"), boxes_of(drawing, "frame")
    assert first[3] == pytest.approx(frame[3] / 4, abs=0.1)  # 2 of the 8 elements of two indices
    assert last[3] == pytest.approx(frame[3], abs=0.1)  # all 4 of the one index that is left
