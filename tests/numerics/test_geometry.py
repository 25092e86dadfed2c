"""The size identity against windows laid out row by row."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradverify.errors import GeometryError
from gradverify.numerics.geometry import (
    Window,
    axis_names,
    describe_impossible,
    describe_loss,
    effective_kernel,
    measure,
    output_size,
    pair,
)
from gradverify.results import GeometrySeverity

EXAMPLES = settings(deadline=None, max_examples=150)
WINDOWS = st.builds(
    Window,
    input=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 6),
    padding=st.tuples(st.integers(0, 4), st.integers(0, 4)),
    dilation=st.integers(1, 3),
    reads_padding_only=st.booleans(),
)


def laid_out(window: Window) -> list[range]:
    """Return the padded rows that each window covers, first to last."""
    reach = max(tap * window.dilation for tap in range(window.kernel)) + 1
    padded = sum(window.padding) + window.input
    return [range(start, start + reach) for start in range(0, padded - reach + 1, window.stride)]


def holds_data(rows: range, window: Window) -> bool:
    return any(window.padding[0] <= row < window.padding[0] + window.input for row in rows)


@EXAMPLES
@given(WINDOWS)
def test_possible_exactly_when_windows_can_be_laid_out(window):
    rows = laid_out(window)
    possible = bool(rows) and (window.reads_padding_only or all(holds_data(each, window) for each in rows))
    assert (describe_impossible(window) is None) == possible
    if possible:
        assert output_size(window) == len(rows)
    else:
        with pytest.raises(GeometryError, match=r"padding|padded"):
            output_size(window)


@EXAMPLES
@given(WINDOWS)
def test_lengths_by_doing_what_the_backward_pass_does(window):
    assume(describe_impossible(window) is None)
    found = measure("H", window)
    dilated = [1.0]
    for _ in range(found.output - 1):
        dilated += [0.0] * (window.stride - 1) + [1.0]
    kernel = np.zeros(effective_kernel(window.kernel, window.dilation))
    kernel[:: window.dilation] = 1
    edges = [0.0] * (len(kernel) - 1)
    wide = np.array(edges + dilated + edges)
    slid = np.correlate(wide, kernel[::-1], mode="valid")
    assert found.dilated_cotangent == len(wide)
    assert found.reconstructed == len(slid)
    assert found.padded == window.input + sum(window.padding)
    assert found.identity == (len(slid) == found.padded)
    assert found.residual == found.padded - len(slid)
    # the lengths are those of a gradient that is right: row by row, how often a tap of a window reads it
    read = np.zeros(found.padded)
    for rows in laid_out(window):
        read[rows.start : rows.stop : window.dilation] += 1
    np.testing.assert_array_equal(np.append(slid, np.zeros(found.residual)), read)


@EXAMPLES
@given(WINDOWS)
def test_unread_rows_and_gaps_by_marking_what_is_read(window):
    assume(describe_impossible(window) is None)
    rows = laid_out(window)
    found = measure("H", window)
    beyond = range(rows[-1].stop, found.padded)
    data = [row for row in beyond if window.padding[0] <= row < window.padding[0] + window.input]
    assert (found.unread_data, found.unread_padding) == (len(data), len(beyond) - len(data))
    between = {len(range(first.stop, second.start)) for first, second in itertools.pairwise(rows)}
    assert found.gap == (between.pop() if between else 0)
    assert not between
    severities = [
        (bool(data), GeometrySeverity.DATA_LOST),
        (bool(beyond), GeometrySeverity.PADDING_UNREAD),
        (found.gap > 0, GeometrySeverity.GAP),
        (True, GeometrySeverity.EXACT),
    ]
    assert found.severity is next(severity for holds, severity in severities if holds)


def applied(window: Window, suggestion: str) -> Window:
    name, value = suggestion.split(" (", maxsplit=1)[0].rsplit(" ", 1)
    number = int(value)
    if name == "padding":
        return replace(window, padding=(number, number))
    if name == "far padding":
        return replace(window, padding=(window.padding[0], number))
    return replace(window, **{name: number})


def distance(window: Window, changed: Window) -> int:
    before = (window.input, window.kernel, window.stride, window.padding[1])
    after = (changed.input, changed.kernel, changed.stride, changed.padding[1])
    return sum(abs(old - new) for old, new in zip(before, after, strict=True))


@EXAMPLES
@given(WINDOWS)
def test_suggestions_are_exact_when_computed_and_nearest_first(window):
    found = measure("H", window)
    if window.reads_padding_only:  # then a longer input makes every window fit
        assert (found.severity is GeometrySeverity.EXACT) == (not found.suggestions)
    changes = [applied(window, text) for text in found.suggestions]
    for text, changed in zip(found.suggestions, changes, strict=True):
        again = measure("H", changed)
        assert again.identity
        assert text.endswith(f"(output {again.output})")
    distances = [distance(window, changed) for changed in changes]
    assert distances == sorted(distances)
    assert all(distances)


def test_impossible_window_has_no_derived_lengths():
    found = measure("W", Window(input=2, kernel=3, stride=2, dilation=2))
    assert found.severity is GeometrySeverity.IMPOSSIBLE
    assert not found.identity
    assert (found.output, found.dilated_cotangent, found.reconstructed, found.residual) == (0, 0, 0, 0)
    assert (found.padded, found.unread_data, found.unread_padding, found.gap) == (2, 0, 0, 0)
    assert describe_impossible(Window(input=2, kernel=3, stride=2, dilation=2)) == (
        "effective kernel 5 is larger than the padded input 2 + 0 + 0 = 2"
    )
    assert describe_loss(found) == "the window does not fit its input"
    assert found.suggestions == ("input 5 (output 1)",)  # no padding, kernel or stride alone helps


def test_pooling_window_wholly_in_padding_is_impossible_and_a_convolution_s_is_not():
    window = Window(input=4, kernel=2, stride=2, padding=(2, 2))
    assert describe_impossible(window) is None
    pool = replace(window, reads_padding_only=False)
    assert describe_impossible(pool) == "padding 2 leaves the first window (kernel 2) wholly in padding"
    far = replace(pool, padding=(0, 2))
    assert describe_impossible(far) == "padding 2 leaves the last window (kernel 2) wholly in padding"
    assert describe_impossible(replace(pool, padding=(1, 1))) is None


def test_alexnet_first_layer_loses_a_row_of_data_on_224():
    found = measure("H", Window(input=224, kernel=11, stride=4))
    assert (found.output, found.padded, found.dilated_cotangent, found.reconstructed) == (54, 224, 233, 223)
    assert (found.residual, found.identity, found.unread_padding, found.unread_data) == (1, False, 0, 1)
    assert found.severity is GeometrySeverity.DATA_LOST
    assert "input 223 (output 54)" in found.suggestions
    assert describe_loss(found) == "rows never read: 1 of data at the far end"


def test_alexnet_first_layer_is_exact_on_227():
    found = measure("H", Window(input=227, kernel=11, stride=4))
    assert (found.output, found.padded, found.dilated_cotangent, found.reconstructed) == (55, 227, 237, 227)
    assert (found.residual, found.identity, found.severity) == (0, True, GeometrySeverity.EXACT)
    assert found.suggestions == ()
    assert describe_loss(found) == "every row is read"


def test_resnet_stem_leaves_a_row_of_padding_unread_and_no_data():
    found = measure("H", Window(input=224, kernel=7, stride=2, padding=(3, 3)))
    assert (found.output, found.padded, found.dilated_cotangent, found.reconstructed) == (112, 230, 235, 229)
    assert (found.residual, found.identity, found.unread_padding, found.unread_data) == (1, False, 1, 0)
    assert found.severity is GeometrySeverity.PADDING_UNREAD


def test_uneven_padding_counts_at_its_own_end():
    near = measure("H", Window(input=6, kernel=3, stride=2, padding=(2, 0)))
    far = measure("H", Window(input=6, kernel=3, stride=2, padding=(0, 2)))
    assert (near.residual, near.unread_data, near.unread_padding) == (1, 1, 0)
    assert (far.residual, far.unread_data, far.unread_padding) == (1, 0, 1)
    assert any(text.startswith("far padding") for text in far.suggestions)


def test_residual_larger_than_the_data_loses_no_more_than_there_is():
    found = measure("H", Window(input=1, kernel=1, stride=9, padding=(1, 7)))
    assert (found.output, found.residual, found.unread_data, found.unread_padding) == (1, 8, 1, 7)
    assert found.gap == 0


def test_pair_and_axis_names():
    assert pair(3) == (3, 3)
    assert pair([1, 2]) == pair((1, 2)) == (1, 2)
    assert [axis_names(count) for count in (1, 2, 3, 4)] == [
        ("L",),
        ("H", "W"),
        ("D", "H", "W"),
        ("0", "1", "2", "3"),
    ]
