"""What windows ask of a backward pass, held against the formulas carried out literally."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from row_layouts import EXAMPLES, TRANSPOSED, WINDOWS, data_rows, is_possible, kept_rows, laid_out, made_rows

from gradverify.layers.convolution import correlate, dilate, naive_backward, naive_forward, rotate180
from gradverify.layers.pooling import avgpool2d_backward, avgpool2d_forward
from gradverify.numerics.geometry import (
    Gradient,
    Window,
    alike_axes,
    describe_backward,
    describe_loss,
    describe_violation,
    effective_kernel,
    is_covered,
    is_read,
    measure,
    window_count,
)

STEPS = st.integers(1, 5)
CONVOLUTIONS = st.builds(
    lambda length, kernel, stride, edge, dilation: Window(length, kernel, stride, (edge, edge), dilation),
    st.integers(1, 9), STEPS, STEPS, st.integers(0, 4), st.integers(1, 3),
)  # fmt: skip
DATA = np.random.default_rng(0)


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"(?<![a-z0-9])\d+", text)]


def column(window: Window):
    """Return image, kernel, cotangent and cache of a convolution along the first of two axes."""
    x = DATA.normal(size=(2, 3, window.input, 1))
    w = DATA.normal(size=(4, 3, window.kernel, 1))
    low, _ = window.padding
    vertical = {"stride": (window.stride, 1), "padding": (low, 0), "dilation": (window.dilation, 1)}
    out, cache = naive_forward(x, w, np.zeros(4), **vertical)
    return x, w, DATA.normal(size=out.shape), cache


@EXAMPLES
@given(CONVOLUTIONS)
def test_rot180_comes_out_as_short_as_it_is_said_to(window):
    assume(is_possible(window))
    found = measure("H", window)
    _, w, cotangent, cache = column(window)
    right, _, _ = naive_backward(cotangent, cache)
    kernel = rotate180(dilate(w, (window.dilation, 1)))
    reach, low = kernel.shape[2], window.padding[0]
    dilated = dilate(cotangent, (window.stride, 1))
    full = np.pad(dilated, ((0, 0), (0, 0), (reach - 1, reach - 1), (0, 0)))
    rows = correlate(full, kernel.swapaxes(0, 1))
    said = [text for text in describe_backward(found, Gradient.INPUT) if text.startswith("rot180")]
    if rows.shape[2] == window.input + 2 * low:
        assert not said
        np.testing.assert_allclose(rows[:, :, low : low + window.input], right, atol=1e-12)
        return
    short = window.input + 2 * low - rows.shape[2]
    ends = [(found.unread_data, "data"), (found.unread_padding, "padding")]
    split = " and ".join(f"{many} of {what}" for many, what in ends if many)
    padded, zeros = window.input + 2 * low, "zero row" if short == 1 else "zero rows"
    expected = f"rot180 gives {rows.shape[2]} of {padded} padded rows along H: append {short} {zeros} at the far end"
    assert said == [f"{expected} ({split}){', then crop the padding' if low else ''}"]
    appended = np.pad(rows, ((0, 0), (0, 0), (0, short), (0, 0)))
    np.testing.assert_allclose(appended[:, :, low : low + window.input], right, atol=1e-12)


@EXAMPLES
@given(CONVOLUTIONS)
def test_the_kernel_gradient_comes_out_as_long_as_it_is_said_to(window):
    assume(is_possible(window))
    found = measure("H", window)
    x, _, cotangent, cache = column(window)
    _, right, _ = naive_backward(cotangent, cache)
    low, high = window.padding
    padded = np.pad(x, ((0, 0), (0, 0), (low, high), (0, 0)))
    dilated = dilate(cotangent, (window.stride, 1))
    rows = correlate(padded.swapaxes(0, 1), dilated.swapaxes(0, 1)).swapaxes(0, 1)
    said = describe_backward(found, Gradient.KERNEL)
    reach = window.dilation * (window.kernel - 1) + 1
    np.testing.assert_allclose(rows[:, :, : reach : window.dilation], right, atol=1e-12)
    assert len(said) == (rows.shape[2] != reach)
    for text in said:
        step = f", and of those every {window.dilation}th" if window.dilation > 1 else ""
        assert text == (
            f"the correlation with the dilated cotangent has {rows.shape[2]} entries along H, "
            f"{rows.shape[2] - reach} too many: keep the first {reach}{step}"
        )


@EXAMPLES
@given(CONVOLUTIONS)
def test_a_full_convolution_crops_what_it_is_said_to(window):
    assume(is_possible(window))
    found = measure("H", window)
    _, w, cotangent, cache = column(window)
    right, _, _ = naive_backward(cotangent, cache)
    said = [text for text in describe_backward(found, Gradient.INPUT) if "crops rows" in text]
    dilated = dilate(cotangent, (window.stride, 1))
    kernel = rotate180(dilate(w, (window.dilation, 1)))
    # As many edges as give the input's rows at once: what the near padding leaves, and the rest.
    near = kernel.shape[2] - 1 - window.padding[0]
    far = window.input + kernel.shape[2] - 1 - dilated.shape[2] - near
    edged = np.pad(dilated, ((0, 0), (0, 0), (max(0, near), max(0, far)), (0, 0)))
    edged = edged[:, :, max(0, -near) : edged.shape[2] - max(0, -far)]  # padded first: it may be shorter than the crop
    np.testing.assert_allclose(correlate(edged, kernel.swapaxes(0, 1)), right, atol=1e-12)
    ends = [f"{-edge} at the {end} end" for end, edge in (("near", near), ("far", far)) if edge < 0]
    assert len(said) == bool(ends)
    for text in said:
        assert text == (
            f"the padding exceeds K - 1 = {kernel.shape[2] - 1} along H: "
            f"the full convolution crops rows of the dilated cotangent, {' and '.join(ends)}"
        )


@EXAMPLES
@given(WINDOWS)
def test_rows_said_to_have_no_gradient_are_the_rows_that_nothing_reads(window):
    assume(is_possible(window))
    found = measure("H", window)
    read = [any(row in rows[:: window.dilation] for rows in laid_out(window)) for row in data_rows(window)]
    assert [is_read(found, row) for row in range(window.input)] == read
    said = describe_backward(found, Gradient.POOLED)
    assert [text for text in said if "windows lie" not in text] == (
        []
        if not found.unread_data
        else ["no window reads the last row along H: the gradient there is zero"]
        if found.unread_data == 1
        else [f"no window reads the last {found.unread_data} rows along H: the gradient there is zero"]
    )
    assert not any(read[window.input - found.unread_data :])
    between = [text for text in said if "windows lie" in text]
    assert len(between) == (found.gap > 0)
    for text in between:
        assert (
            text == f"between windows lie {found.gap} of every {window.stride} rows along H: the gradient there is zero"
        )
    assert not any("rot180" in text for text in said)
    assert set(said) <= set(describe_backward(found, Gradient.INPUT))


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_a_pool_gives_no_gradient_to_the_rows_it_is_said_not_to_read(stride):
    x = DATA.normal(size=(1, 1, 9, 2))
    out, cache = avgpool2d_forward(x, kernel_size=2, stride=(stride, 1))
    (gradient,) = avgpool2d_backward(np.ones_like(out), cache)
    found = measure("H", Window(9, 2, stride, reads_padding_only=False))
    assert [bool(row.any()) for row in gradient[0, 0]] == [is_read(found, row) for row in range(9)]


@EXAMPLES
@given(TRANSPOSED)
def test_a_transposed_window_s_cotangent_reaches_the_bias_alone_where_nothing_is_made(window):
    kept = kept_rows(window)
    assume(kept)
    found = measure("H", window)
    said = describe_backward(found)
    assert said == describe_backward(found, Gradient.KERNEL)
    made = [made_rows(window)[row] for row in kept]
    for text in said:
        assert "reaches the bias alone" in text
    last = [text for text in said if "the last" in text]
    count = numbers(last[0])[0] if last and numbers(last[0]) else len(last)
    assert count == found.unread_data
    assert not any(made[len(made) - count :])
    assert [numbers(text) for text in said if "between" in text] == ([[found.gap, window.stride]] if found.gap else [])


def test_nothing_is_asked_where_the_formula_is_enough():
    exact = measure("H", Window(7, 3, 2, (1, 1)))
    assert [describe_backward(exact, gradient) for gradient in Gradient] == [(), (), ()]
    impossible = measure("H", Window(2, 5))
    assert [describe_backward(impossible, gradient) for gradient in Gradient] == [(), (), ()]


def test_losses_and_violations_in_words():
    assert describe_loss(measure("H", Window(227, 11, 4))) == "every row is read"
    lost = measure("H", Window(8, 3, 4))
    assert describe_loss(lost) == "rows never read: 1 of data at the far end, 1 between neighbouring windows"
    assert describe_violation(measure("H", Window(224, 11, 4))) == (
        "the size identity is violated along H: (H'-1)S + K = 223, H + 2P = 224; "
        "rows never read: 1 of data at the far end"
    )
    assert describe_loss(measure("H", Window(224, 7, 2, (3, 3)))) == "rows never read: 1 of padding at the far end"
    impossible = measure("W", Window(2, 3, 2, dilation=2))
    assert describe_loss(impossible) == "effective kernel 5 is larger than the padded input 2 + 0 + 0 = 2"
    assert describe_violation(impossible) == f"impossible geometry along W: {describe_loss(impossible)}"


@EXAMPLES
@given(st.one_of(WINDOWS, TRANSPOSED))
def test_rows_in_holes_are_said_not_to_be_read(window):
    assume(is_possible(window))
    found = measure("H", window)
    starts = [place * found.stride for place in range(window_count(found))]
    within = {start + row for start in starts for row in range(effective_kernel(found.kernel, found.dilation))}
    holes = [row for row in within if not is_covered(found, row - found.padding[0])]
    assert ("holes" in describe_loss(found)) == bool(holes)


def test_transposed_losses_and_violations_in_words():
    assert describe_loss(measure("H", Window(5, 3, 2, transposed=True))) == "every row is made"
    made = measure("H", Window(5, 3, 2, transposed=True, output_padding=2))
    assert describe_violation(made) == (
        "the size identity is violated along H: (H-1)S + K = 11, H' + 2P = 13; "
        "rows never made: 2 of output at the far end"
    )
    cropped = measure("H", Window(5, 3, 2, (1, 1), transposed=True, output_padding=1))
    assert describe_loss(cropped) == "rows never made: 1 of padding at the far end"


def test_axes_with_the_same_geometry_are_said_once():
    square = [measure(axis, Window(8, 3, 2)) for axis in "HW"]
    other = measure("D", Window(9, 3, 2))
    assert [part.axis for part in alike_axes([other, *square])] == ["D", "H and W"]
    assert alike_axes([other]) == (other,)
