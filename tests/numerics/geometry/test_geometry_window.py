"""Output sizes, modes and roundings against windows laid out row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from row_layouts import EXAMPLES, SLIDING, TRANSPOSED, edges_of, is_possible, kept_rows, laid_out, made_rows

from gradverify.errors import GeometryError
from gradverify.numerics.geometry import (
    PadMode,
    Rounding,
    Window,
    axis_names,
    describe_impossible,
    edges,
    output_size,
    overhang,
    pair,
)


@EXAMPLES
@given(SLIDING)
def test_possible_exactly_when_windows_can_be_laid_out(window):
    assert edges(window) == edges_of(window)
    assert (describe_impossible(window) is None) == is_possible(window)
    if is_possible(window):
        assert output_size(window) == len(laid_out(window))
        assert overhang(window) == max(0, laid_out(window)[-1].stop - window.input - sum(edges_of(window)))
    else:
        assert overhang(window) == 0
        with pytest.raises(GeometryError, match=r"padding|padded"):
            output_size(window)


@EXAMPLES
@given(TRANSPOSED)
def test_a_transposed_window_makes_the_rows_that_its_taps_write(window):
    kept = kept_rows(window)
    assert (describe_impossible(window) is None) == (len(kept) > 0)
    if kept:
        assert output_size(window) == len(kept)
        assert edges(window) == (kept.start, len(made_rows(window)) - kept.stop)
        assert overhang(window) == 0
    else:
        with pytest.raises(GeometryError, match=r"padding \d+ \+ \d+ leaves none of the \d+ rows it makes"):
            output_size(window)


@EXAMPLES
@given(SLIDING, st.sampled_from([PadMode.SAME_UPPER, PadMode.SAME_LOWER]))
def test_same_has_an_output_for_every_stride_and_differs_at_its_ends_by_one_row_at_most(window, mode):
    window = replace(window, mode=mode, rounding=Rounding.FLOOR)
    low, high = edges(window)
    assert (high if mode is PadMode.SAME_UPPER else low) - min(low, high) in {0, 1}
    assume(describe_impossible(window) is None)
    assert output_size(window) == len(range(0, window.input, window.stride))


@EXAMPLES
@given(SLIDING)
def test_causal_reads_nothing_that_comes_later(window):
    window = replace(window, mode=PadMode.CAUSAL, rounding=Rounding.FLOOR, reads_padding_only=True)
    for place, rows in enumerate(laid_out(window)):
        assert rows[-1] - edges(window)[0] == place * window.stride


@EXAMPLES
@given(TRANSPOSED, st.sampled_from([PadMode.SAME_UPPER, PadMode.SAME_LOWER]))
def test_transposed_same_makes_the_input_times_the_stride(window, mode):
    assert output_size(replace(window, mode=mode)) == window.input * window.stride


def test_the_three_roundings_of_one_pool():
    pool = Window(4, 2, 3, (1, 1))
    sizes = {rounding: output_size(replace(pool, rounding=rounding)) for rounding in Rounding}
    assert sizes == {Rounding.FLOOR: 2, Rounding.CEIL: 2, Rounding.CEIL_ALWAYS: 3}
    assert overhang(replace(pool, rounding=Rounding.CEIL_ALWAYS)) == 2


def test_rounding_up_makes_room_for_a_kernel_that_is_larger_than_its_input():
    window = Window(2, 3, 2)
    assert describe_impossible(window) == "kernel 3 is larger than the padded input 2 + 0 + 0 = 2"
    assert output_size(replace(window, rounding=Rounding.CEIL)) == 1
    assert overhang(replace(window, rounding=Rounding.CEIL)) == 1
    tall = Window(2, 4, 2, rounding=Rounding.CEIL)
    assert describe_impossible(tall) == "kernel 4 is larger than the padded input 2 + 0 + 0 = 2"


IMPOSSIBLE = [
    (Window(2, 3, 2, dilation=2), "effective kernel 5 is larger than the padded input 2 + 0 + 0 = 2"),
    (Window(2, 5, padding=(1, 0)), "kernel 5 is larger than the padded input 2 + 1 + 0 = 3"),
    (
        Window(4, 2, 2, (2, 2), reads_padding_only=False),
        "padding 2 leaves the first window (kernel 2) wholly in padding",
    ),
    (
        Window(4, 2, 2, (0, 2), reads_padding_only=False),
        "padding 2 leaves the last window (kernel 2) wholly in padding",
    ),
    (
        Window(4, 2, 3, (3, 0), dilation=2, reads_padding_only=False),
        "padding 3 leaves the first window (effective kernel 3) wholly in padding",
    ),
    (
        Window(4, 2, 5, reads_padding_only=False, rounding=Rounding.CEIL_ALWAYS),
        "rounding up leaves the last window (kernel 2) wholly in padding",
    ),
    (Window(1, 2, 2, (1, 2), transposed=True), "padding 1 + 2 leaves none of the 2 rows it makes"),
    (Window(2, 1, 1, (1, 2), transposed=True, output_padding=1), "padding 1 + 2 leaves none of the 3 rows it makes"),
]


@pytest.mark.parametrize(("window", "reason"), IMPOSSIBLE)
def test_why_a_window_is_impossible(window, reason):
    assert describe_impossible(window) == reason


def test_a_pooling_window_wholly_in_padding_is_impossible_and_a_convolution_s_is_not():
    window = Window(input=4, kernel=2, stride=2, padding=(2, 2))
    assert describe_impossible(window) is None
    assert describe_impossible(replace(window, padding=(1, 1), reads_padding_only=False)) is None


def test_pair_and_axis_names():
    assert pair(3) == (3, 3)
    assert pair([1, 2]) == pair((1, 2)) == (1, 2)
    assert [axis_names(count) for count in (1, 2, 3, 4)] == [
        ("L",),
        ("H", "W"),
        ("D", "H", "W"),
        ("0", "1", "2", "3"),
    ]
