"""The four lengths, and what is unread, against doing what the backward pass does and marking rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from row_layouts import (
    EXAMPLES,
    SLIDING,
    TRANSPOSED,
    WINDOWS,
    data_rows,
    edges_of,
    gap_of,
    is_possible,
    kept_rows,
    laid_out,
    made_rows,
    reach_of,
    rows_beyond,
)

from gradverify.numerics.geometry import Rounding, Window, effective_kernel, measure, output_size
from gradverify.results import GeometrySeverity


@EXAMPLES
@given(WINDOWS)
def test_lengths_by_doing_what_the_backward_pass_does(window):
    assume(is_possible(window))
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


def severity_of(data: int, beyond: int, gap: int) -> GeometrySeverity:
    if data:
        return GeometrySeverity.DATA_LOST
    if beyond:
        return GeometrySeverity.PADDING_UNREAD
    return GeometrySeverity.GAP if gap else GeometrySeverity.EXACT


@EXAMPLES
@given(SLIDING)
def test_unread_rows_and_gaps_by_marking_what_is_read(window):
    assume(is_possible(window))
    found = measure("H", window)
    beyond, rows = rows_beyond(window), laid_out(window)
    data = [row for row in beyond if row in data_rows(window)]
    assert found.padding == edges_of(window)
    assert found.padded == window.input + sum(found.padding)
    assert found.overhang == max(0, rows[-1].stop - found.padded)
    assert found.reconstructed == rows[-1].stop
    assert (found.residual, found.identity) == (len(beyond), not beyond)
    assert (found.unread_data, found.unread_padding) == (len(data), len(beyond) - len(data))
    assert found.gap == gap_of(window)
    assert found.severity is severity_of(len(data), len(beyond), found.gap)


@EXAMPLES
@given(SLIDING, st.tuples(st.integers(0, 5), st.integers(0, 5)))
def test_padding_of_a_layer_before_is_no_data(window, before):
    assume(is_possible(window) and sum(before) <= window.input)
    found = measure("H", replace(window, padded_before=before))
    rows = data_rows(window)
    own = range(rows.start + before[0], rows.stop - before[1])
    data = [row for row in rows_beyond(window) if row in own]
    assert (found.unread_data, found.residual) == (len(data), len(rows_beyond(window)))
    assert found.unread_padding == found.residual - len(data)


@EXAMPLES
@given(TRANSPOSED)
def test_a_transposed_window_by_making_rows_of_ones(window):
    kept, made = kept_rows(window), made_rows(window)
    assume(kept)
    found = measure("H", window)
    reach = reach_of(window)
    spans = [range(start, start + reach) for start in range(0, window.input * window.stride, window.stride)]
    beyond = range(spans[-1].stop, len(made))
    assert not any(made[row] for row in beyond)
    output = [row for row in beyond if row in kept]
    assert (found.output, found.padded, found.reconstructed) == (len(kept), len(made), spans[-1].stop)
    assert (found.residual, found.identity) == (len(beyond), not beyond)
    assert (found.unread_data, found.unread_padding) == (len(output), len(beyond) - len(output))
    padded = measure("H", replace(window, padded_before=(1, 1)))  # what it reads is not what it makes
    assert (padded.unread_data, padded.unread_padding) == (found.unread_data, found.unread_padding)
    between = max(0, spans[1].start - spans[0].stop) if len(spans) > 1 else 0
    assert found.gap == between
    assert found.severity is severity_of(len(output), len(beyond), between)
    assert found.transposed
    assert found.output_padding == window.output_padding
    wide = [tap for place in range(window.input) for tap in [0] * (window.stride - 1 if place else 0) + [1]]
    assert found.dilated_cotangent == len(wide) + 2 * (reach - 1)
    if window.dilation == 1 and not between:
        assert sum(not made[row] for row in kept) == found.unread_data


@EXAMPLES
@given(WINDOWS)
def test_a_decoder_restores_its_encoder_s_size_with_the_residual_as_output_padding(window):
    assume(is_possible(window))
    encoder = measure("H", window)
    decoder = replace(window, input=encoder.output, transposed=True, output_padding=encoder.residual)
    assert output_size(decoder) == window.input
    restored = measure("H", decoder)
    for name in ("padded", "dilated_cotangent", "reconstructed", "residual", "unread_data", "unread_padding", "gap"):
        assert getattr(restored, name) == getattr(encoder, name)


@EXAMPLES
@given(SLIDING | TRANSPOSED)
def test_full_padding_is_what_the_kernel_reaches_beyond_the_padding(window):
    found = measure("H", window)
    low, high = found.padding
    assert found.full_padding == (reach_of(window) - 1 - low, reach_of(window) - 1 - high)


@EXAMPLES
@given(WINDOWS)
def test_holes_are_rows_between_taps_that_no_window_ever_reads(window):
    window = replace(window, input=60, reads_padding_only=True)
    found = measure("H", window)
    taps = {row for rows in laid_out(window) for row in rows[:: window.dilation]}
    middle = range(20, 20 + window.stride)  # all windows that could read them exist
    met = sum(row in taps for row in middle)
    holes = [note for note in found.notes if "holes" in note]
    if window.dilation > 1 and window.kernel > 1:
        assert bool(holes) == (met < window.stride)
    else:
        assert not holes
    for note in holes:
        assert note == (
            f"stride {window.stride}, dilation {window.dilation} and kernel {window.kernel} leave holes: "
            f"it reads at most {met} of {window.stride} neighbouring rows"
        )


@EXAMPLES
@given(SLIDING)
def test_padding_that_a_full_convolution_must_crop_is_noted(window):
    assume(is_possible(window))
    found = measure("H", window)
    noted = [note for note in found.notes if "full convolution" in note]
    assert bool(noted) == (min(found.full_padding) < 0)


def test_notes_say_what_a_layer_before_padded_and_why_a_window_is_impossible():
    padded = measure("H", Window(8, 3, 2, padded_before=(1, 0)))
    assert padded.notes == ("its input begins with 1 and ends with 0 rows of padding that a layer before it added",)
    made = measure("H", Window(8, 3, 2, dilation=2, transposed=True))
    assert made.notes == ("stride 2, dilation 2 and kernel 3 leave holes: it makes at most 1 of 2 neighbouring rows",)
    assert measure("H", Window(2, 3)).notes == ("kernel 3 is larger than the padded input 2 + 0 + 0 = 2",)


def test_impossible_window_has_no_derived_lengths():
    found = measure("W", Window(input=2, kernel=3, stride=2, dilation=2))
    assert found.severity is GeometrySeverity.IMPOSSIBLE
    assert not found.identity
    assert (found.output, found.dilated_cotangent, found.reconstructed, found.residual) == (0, 0, 0, 0)
    assert (found.padded, found.unread_data, found.unread_padding, found.gap) == (2, 0, 0, 0)
    # no even padding, kernel or stride alone helps
    assert found.suggestions == ("input 5 (output 1)", "far padding 3 (output 1)")
    made = measure("W", Window(1, 2, 2, (2, 2), transposed=True))
    assert made.severity is GeometrySeverity.IMPOSSIBLE
    assert (made.output, made.padded, made.reconstructed, made.residual, made.identity) == (0, 4, 0, 0, False)


def test_alexnet_first_layer_loses_a_row_of_data_on_224():
    found = measure("H", Window(input=224, kernel=11, stride=4))
    assert (found.output, found.padded, found.dilated_cotangent, found.reconstructed) == (54, 224, 233, 223)
    assert (found.residual, found.identity, found.unread_padding, found.unread_data) == (1, False, 0, 1)
    assert found.severity is GeometrySeverity.DATA_LOST


def test_alexnet_first_layer_is_exact_on_227():
    found = measure("H", Window(input=227, kernel=11, stride=4))
    assert (found.output, found.padded, found.dilated_cotangent, found.reconstructed) == (55, 227, 237, 227)
    assert (found.residual, found.identity, found.severity) == (0, True, GeometrySeverity.EXACT)
    assert found.suggestions == ()


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


def test_residual_larger_than_the_data_loses_no_more_than_there_is():
    found = measure("H", Window(input=1, kernel=1, stride=9, padding=(1, 7)))
    assert (found.output, found.residual, found.unread_data, found.unread_padding) == (1, 8, 1, 7)
    assert found.gap == 0


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("rounding", Rounding)
def test_lengths_beyond_what_floats_and_64_bits_hold_are_exact(transposed, rounding):
    huge, stride = 2**62 + 1, 2**31 - 1
    found = measure("H", Window(huge, 5, stride, (7, 9), 3, rounding=rounding, transposed=transposed))
    windows, rows = (huge, found.output) if transposed else (found.output, huge)
    assert found.padded == rows + 16
    assert found.reconstructed == (windows - 1) * stride + 13
    assert found.residual == found.padded + found.overhang - found.reconstructed
    assert 0 <= found.residual < stride
    assert found.dilated_cotangent == (windows - 1) * (stride - 1) + windows + 24
