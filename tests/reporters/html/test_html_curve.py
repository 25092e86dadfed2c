"""Step-size curves: what is drawn lies where it was measured, and the sentence says what one sees."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_reports import case_result, step_curve
from pictures import element, points_of, texts_of

from gradverify.reporters.html.curve import curve_figure, what_one_sees
from gradverify.reporters.html.drawing import LogScale

SLOPE = "The verdict's slope is from differences of order 4 at h = 0.00049. "
POSITIVE = st.floats(1e-300, 1e300)


def figure(small=False, **changes):
    (gradient,) = case_result().gradients
    return element(curve_figure(replace(gradient, step_curve=step_curve(**changes)), small=small))


@given(values=st.lists(POSITIVE, min_size=1), other=POSITIVE)
def test_a_scale_holds_its_values_and_keeps_their_order(values, other):
    scale = LogScale.over(values, 10.0, 110.0)
    places = [scale.at(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(10 - 1e-6 <= place <= 110 + 1e-6 for place in places)
    decade = 100 / (scale.high - scale.low)
    assert 10 - decade - 1e-6 <= scale.at(other) <= 110 + decade + 1e-6
    assert len(scale.ticks()) <= 7


def test_scales_without_a_positive_value_have_a_decade():
    scale = LogScale.over([0.0, math.inf, math.nan], 0, 1)
    assert (scale.low, scale.high, scale.at(0.0)) == (0, 1, 0.0)


@pytest.mark.parametrize("small", [False, True])
def test_dots_lie_at_steps_and_errors(small):
    curve = step_curve()
    drawing = figure(small=small)
    points = points_of(drawing, "measured")
    assert len(points) == len(curve.steps)
    # Both axes are logarithmic: equal ratios of steps and errors are equal distances.
    (x0, y0), (x1, y1) = points[-10], points[-1]
    across, up = (
        (x1 - x0) / math.log(curve.steps[-1] / curve.steps[-10]),
        (y0 - y1) / math.log(curve.errors[-1] / curve.errors[-10]),
    )
    for (x, y), step, error in zip(points[-10:], curve.steps[-10:], curve.errors[-10:], strict=True):
        assert x - x0 == pytest.approx(across * math.log(step / curve.steps[-10]), abs=1.1)
        assert y0 - y == pytest.approx(up * math.log(error / curve.errors[-10]), abs=1.1)


def test_models_are_straight_lines_that_cross_at_the_best_step():
    (a, b), (c, d) = points_of(figure(), "truncation"), points_of(figure(), "roundoff")
    assert a[1] > b[1]  # it grows, and up is down in a drawing
    assert c[1] < d[1]
    assert a[0] <= d[0] + 20  # they meet at the lower edge


def test_levels_stand_where_their_values_are():
    curve = step_curve(bar=1e-10, allowed=1e-5, analytic=0.5 + 1e-2)
    drawing = figure(bar=1e-10, allowed=1e-5, analytic=0.5 + 1e-2)
    at = {kind: points_of(drawing, kind)[0][1] for kind in ("bar", "allowed", "off")}
    assert at["off"] < at["allowed"] < at["bar"]
    assert (at["bar"] - at["allowed"]) / (at["allowed"] - at["off"]) == pytest.approx(5 / 3, abs=0.05)
    assert {"error bar 1e-10", "allowed 1e-05", "|analytic − numerical| 0.01"} <= set(texts_of(drawing))
    same = figure(bar=curve.errors[-3], allowed=1.0)
    assert points_of(same, "bar")[0][1] == points_of(same, "measured")[-3][1]
    assert curve.step is not None
    nearest = min(points_of(drawing, "measured"), key=lambda point: abs(point[0] - points_of(drawing, "chosen")[0][0]))
    assert nearest == points_of(drawing, "measured")[curve.steps.index(curve.step)]


def test_what_is_not_finite_or_zero_breaks_nothing():
    changes = {"errors": (math.nan, math.inf, *(0.0,) * 24), "truncation": (0.0,) * 26, "bar": 0.0, "allowed": math.inf}
    drawing = figure(**changes)
    assert len(points_of(drawing, "measured")) == 24
    assert points_of(drawing, "truncation") == points_of(drawing, "bar") == points_of(drawing, "allowed") == []


@pytest.mark.parametrize("step", [None, 1e-200, 1e12])
def test_a_step_far_from_the_others_is_not_drawn(step):
    assert points_of(figure(step=step), "chosen") == []


def test_labels_that_would_cover_each_other_are_moved_apart():
    drawing = figure(bar=4.0e-7, allowed=5e-7, analytic=0.5 + 6e-7)
    heights = sorted(
        float(text.get("y"))
        for text in drawing.iter("text")
        if text.text and text.text[-1].isdigit() and text.get("class") == "over end"
    )
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 12


def test_every_drawing_is_named_and_described():
    drawing = figure()
    assert texts_of(drawing, "title") == ["Step-size curve of dx[1, 2]"]
    assert texts_of(drawing, "desc") == ["Steps from 1.5e-08 to 0.5, errors from 1e-13."]
    assert {"step size h, in units of x", "absolute error, in units of dx"} <= set(texts_of(drawing))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            SLOPE + "Below about h = 0.00098 roundoff is the "
            "larger error, above it truncation. The error bar is 1.2e+06 times smaller than what is allowed.",
        ),
        (
            {"derivative": "complex step", "step": None, "analytic": 0.75, "truncation": (0.0,) * 26},
            (
                "The verdict's slope is from complex step; drawn are differences of order 4. No truncation is seen at "
                "any step. The analytic value 0.75 is 0.25 away from the numerical one, 5e+05 times what is allowed."
            ),
        ),
        (
            {"analytic": 0.75, "sides": (0.25, 0.75), "truncation": (0.0,) * 26, "bar": 1e-6},
            SLOPE + "No truncation is seen at any step. The "
            "element is at a kink: every value between the slopes of both sides, 0.25 and 0.75, is right. The error "
            "bar is 2 times what is allowed.",
        ),
        (
            {"truncation": (1.0,) * 26},
            SLOPE + "The error bar is 1.2e+06 times smaller than what is allowed.",
        ),
        (
            {"analytic": math.nan},
            SLOPE + "Below about h = 0.00098 roundoff is the "
            "larger error, above it truncation. The analytic value nan is nan away from the numerical one, nan times "
            "what is allowed.",
        ),
    ],
)
def test_sentences_in_full(changes, said):
    assert what_one_sees(step_curve(**changes)) == said


def test_a_small_curve_has_its_numbers_below():
    drawing = figure(small=True)
    assert texts_of(drawing, "figcaption") == ["dx[1, 2] differences of order 4, h = 0.00049"]


def test_without_a_curve_nothing_is_drawn():
    (gradient,) = case_result().gradients
    assert curve_figure(gradient, small=False) is None
    assert curve_figure(replace(gradient, step_curve=step_curve(steps=())), small=False) is None
