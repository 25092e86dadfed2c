"""The formula of the contract, element by element, against plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.comparison import TOLERANCES, Bounds, compare, tolerance_for

NUMBERS = st.one_of(
    st.floats(-10, 10),
    st.sampled_from([0.0, 1.0, 1 + 1e-6, 1 + 2e-6, 1e-9, -1e-9, 1e-300]),
)
ANALYTIC = st.one_of(NUMBERS, st.sampled_from([math.nan, math.inf, -math.inf]))
BARS = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1e-7, 1e-6, math.inf]))
ROWS = st.lists(st.tuples(ANALYTIC, st.one_of(NUMBERS, ANALYTIC), st.floats(0, 1), BARS), min_size=1, max_size=6)
BOUNDS = st.builds(
    Bounds,
    rtol=st.sampled_from([0.0, 1e-6, 1e-2]),
    atol=st.sampled_from([0.0, 1e-9, 1e-3]),
    floor=st.sampled_from([0.0, 1e-12, 1e-3]),
)


def nearest(analytic: float, low: float, high: float) -> float:
    if not (math.isfinite(low) and math.isfinite(high)):
        return math.nan
    if not math.isfinite(analytic):
        return (low + high) / 2
    return min(max(analytic, low), high)


def restated(rows, bounds):
    """Return (verdict of each element, largest relative error) as docs/contract has them, one element at a time."""
    numerical = [nearest(a, low, low + width) for a, low, width, _ in rows]
    largest = max([abs(n) for n in numerical if not math.isnan(n)], default=0.0)
    verdicts, relative = [], 0.0
    for (a, _, _, bar), n in zip(rows, numerical, strict=True):
        if not math.isfinite(a):
            verdicts.append("fail")
            relative = math.inf
            continue
        if math.isnan(n):
            verdicts.append("inconclusive")
            continue
        rest = bounds.rtol * max(abs(a), abs(n)) + bounds.atol * largest
        if abs(a - n) > max(bar + rest, bounds.floor):
            verdicts.append("fail")
        elif bar > max(rest, bounds.floor):
            verdicts.append("inconclusive")
        else:
            verdicts.append("pass")
        if max(abs(a), abs(n)) > bar + bounds.atol * largest:
            relative = max(relative, abs(a - n) / max(abs(a), abs(n)))
    return verdicts, relative


def named(comparison) -> list[str]:
    assert not np.any(comparison.failed & comparison.inconclusive)
    pairs = zip(comparison.failed, comparison.inconclusive, strict=True)
    return ["fail" if failed else "inconclusive" if unclear else "pass" for failed, unclear in pairs]


@settings(deadline=None, max_examples=150)
@given(ROWS, BOUNDS)
def test_every_element_by_the_formula(rows, bounds):
    analytic, low, width, bar = (np.array(column) for column in zip(*rows, strict=True))
    found = compare(analytic, low, low + width, bar, bounds)
    verdicts, relative = restated(rows, bounds)
    assert named(found) == verdicts
    assert found.relative == pytest.approx(relative, rel=1e-12)


def verdict(analytic, numerical, bar=0.0, bounds=None, others=()):
    a, n = np.array([analytic, *others]), np.array([numerical, *others])
    bars = np.zeros(len(a))
    bars[0] = bar
    return named(compare(a, n, n, bars, bounds or Bounds(1e-6, 1e-9)))[0]


def test_edges_of_the_relative_tolerance():
    assert verdict(1 + 0.99e-6, 1.0) == "pass"
    assert verdict(1 + 1.01e-6, 1.0) == "fail"
    assert verdict(1 - 1.01e-6, 1.0) == "fail"


def test_absolute_tolerance_is_relative_to_the_largest_entry():
    assert verdict(0.9e-6, 0.0, others=(1000.0,)) == "pass"
    assert verdict(0.9e-6, 0.0, others=(1.0,)) == "fail"


def test_bar_widens_what_is_allowed_but_a_wide_bar_is_inconclusive():
    bounds = Bounds(1e-2, 0.0)
    assert verdict(1.019, 1.0, bar=0.0099, bounds=bounds) == "pass"
    assert verdict(1.019, 1.0, bar=0.5, bounds=bounds) == "inconclusive"
    assert verdict(1.0, 1.0, bar=0.5, bounds=bounds) == "inconclusive"
    assert verdict(1.6, 1.0, bar=0.5, bounds=bounds) == "fail"
    assert verdict(1.0, 1.0, bar=math.inf, bounds=bounds) == "inconclusive"


def test_floor_alone_decides_about_what_is_nearly_zero():
    bounds = Bounds(1e-6, 1e-9, floor=1e-12)
    assert verdict(0.9e-12, 1e-17, bounds=bounds) == "pass"
    assert verdict(1.1e-12, 1e-17, bounds=bounds) == "fail"
    assert verdict(0.0, 0.0, bounds=Bounds(0.0, 0.0)) == "pass"


def test_what_is_not_finite():
    assert verdict(math.nan, 1.0) == verdict(math.inf, 1.0) == "fail"
    assert verdict(math.nan, math.nan) == "fail"
    assert verdict(1.0, math.nan) == "inconclusive"
    assert verdict(1.0, math.inf) == "inconclusive"


def test_values_between_the_slopes_of_a_kink_are_right():
    low, high = np.array([-1.0]), np.array([2.0])
    bounds, bar = Bounds(1e-6, 0.0), np.zeros(1)
    for value, wanted in ((-1.0, "pass"), (0.5, "pass"), (2.0, "pass"), (2.1, "fail"), (-1.1, "fail")):
        assert named(compare(np.array([value]), low, high, bar, bounds)) == [wanted]


def test_empty_gradient_has_nothing_wrong():
    empty = np.zeros(0)
    found = compare(empty, empty, empty, empty, Bounds(1e-6, 1e-9))
    assert (found.failed.size, found.relative) == (0, 0.0)


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_omitted_tolerances_come_from_the_table(dtype):
    assert tolerance_for(dtype, None, None) == TOLERANCES[dtype]
    assert tolerance_for(dtype, 0.0, None) == (0.0, TOLERANCES[dtype][1])
    assert tolerance_for(dtype, None, 0.0) == (TOLERANCES[dtype][0], 0.0)
