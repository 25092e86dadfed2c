"""Single changes of a window that make its identity hold, nearest first; each is computed before it is suggested."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.numerics.geometry.window import Window, describe_impossible, edges, output_size, overhang

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["holds", "suggestions"]

# How far from the given number a suggestion is looked for; an input is looked for as far as one stride.
_SEARCH = 64
_LARGEST_SEARCH = 4096


def suggestions(window: Window) -> Iterator[str]:
    """Yield the nearest changes that make the identity hold, or close the gaps of a window whose identity holds.

    Each says what becomes of the output: ``padding 2 (output 56)``.
    """
    found = list(_transposed(window) if window.transposed else _sliding(window))
    return (text for _, text in sorted(found, key=lambda entry: entry[0]))


def _sliding(window: Window) -> Iterator[tuple[int, str]]:
    """Yield how far away a change is, and the change in words."""
    accepts = _closes if holds(window) else holds
    for name, now, lowest, change in _changes(window):
        for direction in (1, -1):
            value = _nearest((now, lowest, direction), change, accepts, max(_SEARCH, window.stride))
            if value is not None:
                yield abs(value - now), f"{name} {value} (output {output_size(change(value))})"


def _transposed(window: Window) -> Iterator[tuple[int, str]]:
    """Yield the ways to make the same rows, or nearly as many, without any at the far end."""
    made, plain = (
        output_size(window) if describe_impossible(window) is None else None,
        replace(window, output_padding=0),
    )
    low, high = edges(window)
    changed = {
        "output_padding 0": plain,
        f"far padding {high - window.output_padding} and output_padding 0": replace(
            plain, padding=(low, high - window.output_padding), mode=None
        ),
        f"kernel {window.kernel + window.output_padding} and output_padding 0": replace(
            plain, kernel=window.kernel + window.output_padding
        ),
    }
    for distance, (text, other) in enumerate(changed.items()):
        fits = min(other.padding) >= 0 and describe_impossible(other) is None
        same = text == "output_padding 0" or (fits and output_size(other) == made)
        if window.output_padding and fits and same and holds(other):
            yield distance, f"{text} (output {output_size(other)})"


def _changes(window: Window) -> Iterator[tuple[str, int, int, Callable[[int], Window]]]:
    """Yield the name, present value, least value and effect of each single change."""
    low, high = window.padding
    yield "input", window.input, 1, lambda value: replace(window, input=value)
    if window.mode is None and low == high:
        yield "padding", low, 0, lambda value: replace(window, padding=(value, value))
    elif window.mode is None:
        yield "far padding", high, 0, lambda value: replace(window, padding=(low, value))
    yield "kernel", window.kernel, 1, lambda value: replace(window, kernel=value)
    yield "stride", window.stride, 1, lambda value: replace(window, stride=value)


def _nearest(
    start: tuple[int, int, int],
    change: Callable[[int], Window],
    accepts: Callable[[Window], bool],
    farthest: int,
) -> int | None:
    now, lowest, direction = start
    for distance in range(1, min(farthest, _LARGEST_SEARCH) + 1):
        value = now + direction * distance
        if value < lowest:
            return None
        if accepts(change(value)):
            return value
    return None


def holds(window: Window) -> bool:
    """Return whether every row of the padded input is read: ``(H' - 1) S + K = H + P_lo + P_hi``."""
    if describe_impossible(window) is not None:
        return False
    reads, windows = window.input, output_size(window)
    if window.transposed:
        reads, windows = windows, reads
    return (windows - 1) * window.stride + window.reach == reads + sum(edges(window)) + overhang(window)


def _closes(window: Window) -> bool:
    """Return whether the identity holds, and no rows lie between neighbouring windows."""
    return window.reach >= window.stride and holds(window)
