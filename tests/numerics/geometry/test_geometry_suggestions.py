"""Suggestions against trying every change, each laid out row by row."""

from __future__ import annotations

import time
from dataclasses import replace
from math import gcd, isqrt

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from row_layouts import (
    EXAMPLES,
    SLIDING,
    TRANSPOSED,
    is_possible,
    kept_rows,
    laid_out,
    made_rows,
    reach_of,
    rows_beyond,
)

from gradverify.numerics.geometry import PadMode, Rounding, Window, measure
from gradverify.numerics.geometry.nearest import Number, divisors_beside, solutions_beside
from gradverify.results import GeometrySeverity

NAMES = ("input", "padding", "far padding", "kernel", "stride")
# Every window of these tests is mended this near, if at all.
FAR = 30


def number_of(window: Window, name: str) -> int:
    return window.padding[1] if name.endswith("padding") else getattr(window, name)


def with_number(window: Window, name: str, value: int) -> Window:
    if name == "padding":
        return replace(window, padding=(value, value))
    if name == "far padding":
        return replace(window, padding=(window.padding[0], value))
    return replace(window, **{name: value})


def is_exact(window: Window) -> bool:
    """Return whether every row at the far end is read, or made."""
    if window.transposed:
        last = window.stride * (window.input - 1) + reach_of(window)
        return len(kept_rows(window)) > 0 and len(made_rows(window)) == last
    return is_possible(window) and not rows_beyond(window)


def is_closed(window: Window) -> bool:
    return reach_of(window) >= window.stride


def mends(window: Window, changed: Window) -> bool:
    if is_exact(window):
        return is_exact(changed) and is_closed(changed)
    possible = len(kept_rows(window)) > 0 if window.transposed else is_possible(window)
    widest = between(window) if possible else max(0, window.stride - reach_of(window))
    return is_exact(changed) and between(changed) <= widest


def between(window: Window) -> int:
    """Return how many rows lie between neighbouring windows, where there are several."""
    several = window.input > 1 if window.transposed else len(laid_out(window)) > 1
    return max(0, window.stride - reach_of(window)) if several else 0


def nearest(window: Window, name: str) -> list[int]:
    """Return the nearest values above and below that mend a window, found by trying them."""
    now = number_of(window, name)
    least = 0 if name.endswith("padding") else 1
    largest = now + FAR
    if name.endswith("padding") and not window.transposed:
        wide = window.reads_padding_only and max(window.padding) >= reach_of(window)
        largest = largest if wide else min(largest, reach_of(window))  # no more windows wholly in padding
    sides = range(now + 1, largest), range(now - 1, least - 1, -1)
    tried = ([value for value in side if mends(window, with_number(window, name, value))][:1] for side in sides)
    return [value for found in tried for value in found]


def expected(window: Window) -> set[tuple[str, int]]:
    low, high = window.padding
    found = {(name, value) for name in ("input", "kernel", "stride") for value in nearest(window, name)}
    if window.mode is not None:
        return found
    symmetric = {("padding", value) for value in nearest(window, "padding")} if low == high else set()
    return found | (symmetric or {("far padding", value) for value in nearest(window, "far padding")})


def read_back(text: str) -> tuple[str, int, int]:
    """Return name, value and output of a suggestion."""
    words, output = text.removesuffix(")").split(" (output ")
    name, value = words.rsplit(" ", 1)
    return name, int(value), int(output)


def length_of(window: Window) -> int:
    return len(kept_rows(window)) if window.transposed else len(laid_out(window)) if is_possible(window) else 0


@settings(EXAMPLES, max_examples=300)
@given(SLIDING | TRANSPOSED.map(lambda window: replace(window, output_padding=0)))
def test_suggestions_are_the_nearest_that_trying_finds_ranked(window):
    found = measure("H", window)
    said = [read_back(text) for text in found.suggestions]
    if found.severity is GeometrySeverity.EXACT:
        assert not said
        return
    assert {(name, value) for name, value, _ in said} == expected(window)
    assert len(said) == len(set(said))
    ranks = []
    for name, value, output in said:
        changed = with_number(window, name, value)
        assert output == length_of(changed) == measure("H", changed).output
        assert measure("H", changed).identity
        distance = abs(value - number_of(window, name))
        ranks.append((distance, abs(output - found.output), NAMES.index(name)))
    assert ranks == sorted(ranks)


@EXAMPLES
@given(TRANSPOSED)
def test_output_padding_has_three_ways_out_and_two_keep_the_size(window):
    assume(window.output_padding and kept_rows(window))
    added = window.output_padding
    plain = replace(window, output_padding=0)
    low, high = measure("H", window).padding
    longer = range(window.kernel + 1, window.kernel + FAR)
    tried = (
        ("output_padding 0", plain, length_of(plain)),
        (f"far padding {high - added}", replace(plain, padding=(low, high - added), mode=None), length_of(window)),
        *((f"kernel {kernel}", replace(plain, kernel=kernel), length_of(window)) for kernel in longer),
    )
    fits = [
        f"{text}{' and output_padding 0' if changed != plain else ''} (output {length})"
        for text, changed, length in tried
        if min(changed.padding) >= 0 and is_exact(changed) and length_of(changed) == length
    ]
    if window.mode is not None:  # then any kernel keeps the size: the nearest that is long enough is said
        kernels = [text for text in measure("H", window).suggestions if text.startswith("kernel")]
        fits = [text for text in fits if not text.startswith("kernel") or text in kernels]
    assert list(measure("H", window).suggestions) == fits


STRIDED = [
    (Window(224, 11, 4), ("input 223 (output 54)", "kernel 12 (output 54)", "stride 3 (output 72)",
                          "input 227 (output 55)", "far padding 3 (output 55)", "kernel 8 (output 55)")),
    (Window(224, 7, 2, (3, 3)), ("input 223 (output 112)", "far padding 2 (output 112)", "kernel 8 (output 112)",
                                 "input 225 (output 113)", "far padding 4 (output 113)", "kernel 6 (output 113)",
                                 "stride 1 (output 224)")),
    (Window(56, 1, 2), ("input 55 (output 28)", "kernel 2 (output 28)", "input 57 (output 29)",
                        "stride 1 (output 56)")),
    (Window(56, 1, 2, mode=PadMode.SAME_UPPER), ("input 55 (output 28)", "kernel 2 (output 28)",
                                                 "input 57 (output 29)", "stride 1 (output 56)")),
    (Window(4, 2, 3, (1, 1), rounding=Rounding.CEIL), ("input 3 (output 2)", "padding 0 (output 2)",
                                                       "kernel 3 (output 2)", "stride 2 (output 3)",
                                                       "input 6 (output 3)")),
    (Window(9, 2, 3, reads_padding_only=False, padding=(4, 4)), ("padding 1 (output 4)", "kernel 5 (output 5)")),
    (Window(28, 3, 2, (1, 1), transposed=True, output_padding=1), (
        "output_padding 0 (output 55)", "far padding 0 and output_padding 0 (output 56)",
        "kernel 4 and output_padding 0 (output 56)")),
    (Window(1, 2, 2), ("input 2 (output 1)", "far padding 1 (output 1)", "kernel 1 (output 1)")),
    (Window(4, 2, 5), ("input 2 (output 1)", "kernel 4 (output 1)", "stride 2 (output 2)")),
    (Window(5, 2, 4, transposed=True), ("kernel 4 (output 20)", "stride 2 (output 10)")),
    (Window(1, 2, 4, (3, 3), transposed=True), ("input 3 (output 4)", "padding 0 (output 2)", "kernel 7 (output 1)")),
]  # fmt: skip


@pytest.mark.parametrize(("window", "said"), STRIDED)
def test_known_suggestions(window, said):
    assert measure("H", window).suggestions == said


SLOPES = st.sampled_from([1, 2, -1, -2, -3, -8])
BOUNDS = {"lowest": st.integers(0, 10), "highest": st.none() | st.integers(0, 50)}


@EXAMPLES
@given(st.integers(-40, 200), st.integers(1, 30), st.builds(Number, st.just("n"), st.integers(0, 50), SLOPES, **BOUNDS))
def test_solutions_are_the_nearest(room, stride, number):
    def solves(value: int) -> bool:
        there = room + number.slope * (value - number.now)
        return there >= 0 and there % stride == 0 and (number.highest is None or value <= number.highest)

    sides = range(number.now + 1, 400), range(number.now - 1, number.lowest - 1, -1)
    nearest_ones = [[value for value in side if value >= number.lowest and solves(value)][:1] for side in sides]
    assert list(solutions_beside(number, room, stride)) == [value for found in nearest_ones for value in found]


@EXAMPLES
@given(st.integers(0, 2**80), st.integers(1, 2**70), SLOPES)
def test_solutions_of_large_strides_are_exact_and_the_next_ones(room, stride, slope):
    number = Number("n", 2**90, slope, 0)
    found = list(solutions_beside(number, room, stride))
    for value in found:
        there = room + slope * (value - number.now)
        assert there >= 0
        assert there % stride == 0
    assert bool(found) == (room % gcd(slope, stride) == 0)
    if len(found) == 2:  # neighbours: no more than one period apart, and the present value may lie on one
        assert found[0] - found[1] in {stride // gcd(slope, stride), 2 * stride // gcd(slope, stride)}


@EXAMPLES
@given(st.integers(1, 400), st.integers(1, 450), st.integers(1, 450))
def test_divisors_are_the_nearest(length, now, highest):
    divisors = [value for value in range(1, length + 1) if length % value == 0 and value <= highest]
    above = [value for value in divisors if value > now][:1]
    below = [value for value in divisors if value < now][-1:]
    assert list(divisors_beside(length, now, highest)) == above + below


@EXAMPLES
@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 2**24))
def test_divisors_of_long_lengths_are_the_nearest(first, second, now):
    length = first * second
    small = [value for value in range(1, isqrt(length) + 1) if length % value == 0]
    divisors = sorted({*small, *(length // value for value in small)})
    above = [value for value in divisors if value > now][:1]
    below = [value for value in divisors if value < now][-1:]
    assert list(divisors_beside(length, now, length)) == above + below


def test_strides_of_a_thousand_million_take_no_time():
    started = time.perf_counter()
    found = measure("H", Window(10**10, 3, 10**9))
    huge = measure("H", Window(2**62, 11, 2**31 + 1))
    assert time.perf_counter() - started < 0.5
    assert found.suggestions[0] == "input 10000000003 (output 11)"
    assert "input 9000000003 (output 10)" in found.suggestions
    for text in huge.suggestions:
        name, value, _ = read_back(text)
        assert measure("H", with_number(Window(2**62, 11, 2**31 + 1), name, value)).identity
    assert {read_back(text)[0] for text in huge.suggestions} == {"input", "padding", "kernel"}
