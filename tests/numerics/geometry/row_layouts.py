"""Windows laid out row by row, sharing no arithmetic with the package."""

from __future__ import annotations

import itertools

from hypothesis import settings
from hypothesis import strategies as st

from gradverify.numerics.geometry import PadMode, Rounding, Window

EXAMPLES = settings(deadline=None, max_examples=150)
PLAIN = {
    "input": st.integers(1, 12),
    "kernel": st.integers(1, 5),
    "stride": st.integers(1, 6),
    "padding": st.tuples(st.integers(0, 4), st.integers(0, 4)) | st.integers(0, 4).map(lambda edge: (edge, edge)),
    "dilation": st.integers(1, 3),
    "reads_padding_only": st.booleans(),
}
# As convolutions have them, without a mode.
WINDOWS = st.builds(Window, **PLAIN)
# Whatever slides.
SLIDING = st.builds(Window, **PLAIN, mode=st.none() | st.sampled_from(PadMode), rounding=st.sampled_from(Rounding))
# What makes rows; padding beyond a mode's is not used.
TRANSPOSED = st.builds(
    Window,
    **PLAIN,
    mode=st.none() | st.sampled_from([PadMode.SAME_UPPER, PadMode.SAME_LOWER]),
    transposed=st.just(True),
    output_padding=st.integers(0, 4),
)


def reach_of(window: Window) -> int:
    """Return how many rows lie between the first and the last tap, both counted."""
    return max(tap * window.dilation for tap in range(window.kernel)) + 1


def edges_of(window: Window) -> tuple[int, int]:
    """Return the padding of a sliding window, that of a mode by trying."""
    if window.mode is None:
        return window.padding
    reach = reach_of(window)
    if window.mode is PadMode.CAUSAL:
        # The first output reads the first row last.
        return max(tap * window.dilation for tap in range(window.kernel)), 0
    wanted = len(range(0, window.input, window.stride))
    total = next(
        total for total in itertools.count() if len(range(0, window.input + total - reach + 1, window.stride)) >= wanted
    )
    halves = sorted((total // 2, total - total // 2), reverse=window.mode is PadMode.SAME_LOWER)
    return halves[0], halves[1]


def laid_out(window: Window) -> list[range]:
    """Return the padded rows that each window covers, first to last; those of a last one may be beyond the end."""
    reach = reach_of(window)
    low, high = edges_of(window)
    padded = low + window.input + high
    starts = list(range(0, padded - reach + 1, window.stride))
    if window.rounding is not Rounding.FLOOR:
        # One more, where some padded rows are left and it does not lie a stride beyond the last that fits.
        starts = [
            start for start in range(0, padded + window.stride, window.stride) if start + reach < padded + window.stride
        ]
        if window.rounding is Rounding.CEIL and starts and starts[-1] >= low + window.input:
            del starts[-1]
    return [range(start, start + reach) for start in starts]


def data_rows(window: Window) -> range:
    """Return which padded rows are the input's own."""
    low, _ = edges_of(window)
    return range(low, low + window.input)


def is_possible(window: Window) -> bool:
    rows, data = laid_out(window), data_rows(window)
    holding = (any(row in data for row in each) for each in rows)
    return bool(rows) and (window.reads_padding_only or all(holding))


def rows_beyond(window: Window) -> range:
    """Return the padded rows behind the last window."""
    return range(laid_out(window)[-1].stop, window.input + sum(edges_of(window)))


def gap_of(window: Window) -> int:
    """Return how many rows lie between neighbouring windows."""
    between = {len(range(first.stop, second.start)) for first, second in itertools.pairwise(laid_out(window))}
    assert len(between) <= 1
    return between.pop() if between else 0


def made_rows(window: Window) -> list[int]:
    """Return for every row of the unpadded output how often a tap of a transposed window writes it.

    Rows that ``output_padding`` adds stand at the far end, like those of the mode ``same`` where windows are too
    short for ``H S`` rows.
    """
    written = [0] * (window.stride * (window.input - 1) + reach_of(window) + window.output_padding)
    for start in range(0, window.stride * window.input, window.stride):
        for tap in range(window.kernel):
            written[start + tap * window.dilation] += 1
    if window.mode is not None:
        written += [0] * (window.input * window.stride - len(written))
    return written


def kept_rows(window: Window) -> range:
    """Return which of these rows a transposed window keeps."""
    made = len(made_rows(window))
    low, high = window.padding
    if window.mode is not None:
        spare = made - window.input * window.stride
        low = spare // 2 if window.mode is PadMode.SAME_UPPER else spare - spare // 2
        high = spare - low
    return range(low, made - high)
