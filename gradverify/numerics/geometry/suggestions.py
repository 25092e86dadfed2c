"""Single changes of a window that make its identity hold, nearest first; each is computed before it is suggested."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.numerics.geometry.nearest import Number, divisors_beside, solutions_beside
from gradverify.numerics.geometry.window import (
    Rounding,
    Window,
    describe_impossible,
    edges,
    gap,
    output_size,
    read_and_padded,
    room,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Changes = Iterator[tuple[str, int, Window]]

__all__ = ["holds", "suggestions"]

# How far a change is looked for where no formula gives it: last windows rounded up, padding that follows a mode.
_SEARCH = 64


def suggestions(window: Window) -> tuple[str, ...]:
    """Return the nearest changes that make the identity hold, or close the gaps of a window whose identity holds.

    Each says what becomes of the output: ``padding 2 (output 56)``. The smallest change stands first; among equal ones
    the one that changes the output least. None opens gaps that were not there.
    """
    now = output_size(window) if describe_impossible(window) is None else 0
    if window.transposed and window.output_padding:
        return tuple(f"{text} (output {size})" for text, size in _without_output_padding(window, now))
    found = [(distance, output_size(changed), text) for text, distance, changed in _single(window)]
    found.sort(key=lambda entry: (entry[0], abs(entry[1] - now)))
    return tuple(f"{text} (output {size})" for _, size, text in found)


def _without_output_padding(window: Window, now: int) -> Iterator[tuple[str, int]]:
    """Yield ways to make rows without any at the far end that the kernel does not reach, and how many rows."""
    plain, (low, high) = replace(window, output_padding=0), edges(window)
    added = window.output_padding
    yield from ((text, output_size(plain)) for text in ("output_padding 0",) if holds(plain))
    cropped = replace(plain, padding=(low, high - added), mode=None)
    longer = replace(plain, kernel=window.kernel + -(-added // window.dilation))
    for text, changed in ((f"far padding {high - added}", cropped), (f"kernel {longer.kernel}", longer)):
        if min(changed.padding) >= 0 and holds(changed) and output_size(changed) == now:
            yield f"{text} and output_padding 0", now


def _single(window: Window) -> Changes:
    """Yield each single change in words, how far it goes, and the window that it makes."""
    closing = holds(window)
    found = list(_changed(window, _strides(window, closing), "stride"))
    for number in _numbers(window, closing):
        found += _changed(window, _values(window, number), number.name)
    low, high = window.padding
    symmetric = any(text.startswith("padding") for text, _, _ in found)
    if window.mode is None and not closing and (low != high or not symmetric):
        number = Number("far padding", high, -1 if window.transposed else 1, 0, _widest(window))
        found += _changed(window, _values(window, number), number.name)
    order = ("input", "padding", "far padding", "kernel", "stride")
    yield from sorted(found, key=lambda entry: order.index(entry[0].rsplit(" ", 1)[0]))


def _numbers(window: Window, closing: bool) -> Iterator[Number]:
    """Yield the numbers that may change and are no stride; gaps are closed by the kernel alone."""
    low, high = window.padding
    sign = -1 if window.transposed else 1
    if not closing:
        yield Number("input", window.input, window.stride if window.transposed else 1, 1)
    if not closing and window.mode is None and low == high:
        yield Number("padding", low, 2 * sign, 0, _widest(window))
    yield Number("kernel", window.kernel, -sign * window.dilation, _shortest(window, closing))


def _widest(window: Window) -> int | None:
    """Return the most padding at an end that holds no whole window; ``None`` where it does already, and may."""
    allowed = window.reads_padding_only and max(edges(window)) >= window.reach
    return None if allowed or window.transposed else window.reach - 1


def _shortest(window: Window, closing: bool) -> int:
    """Return the shortest kernel that leaves no gap where there is none now, and lies nowhere wholly in padding."""
    overlaps = window.reach >= window.stride and room(window) >= 0  # one window that fills its input leaves no gap
    reach = window.stride if closing or window.transposed or overlaps else 1
    if not (window.reads_padding_only or window.transposed):
        reach = max(reach, *(edge + 1 for edge in edges(window)))
    return -(-(reach - 1) // window.dilation) + 1


def _values(window: Window, number: Number) -> Iterator[int]:
    """Yield values of a number that may make the identity hold: the nearest ones where a formula gives them."""
    if window.transposed:
        # Of n more rows, the first that makes a row where none is made now; or the first without a gap.
        missing = -(-(1 - room(window)) // abs(number.slope))
        yield number.now + (missing if number.slope > 0 else -missing)
        yield number.lowest
    else:
        yield from solutions_beside(number, room(window), window.stride)
    if window.transposed or window.mode is not None or window.rounding is not Rounding.FLOOR:
        yield from range(max(number.lowest, number.now - _SEARCH), number.now + _SEARCH + 1)


def _strides(window: Window, closing: bool) -> Iterator[int]:
    """Yield strides that may make the identity hold; none that opens a gap."""
    highest = window.reach + (0 if closing else _widest_gap(window))
    if window.transposed:
        yield window.reach
        if window.input > 1:
            yield window.stride - (room(window) - 1) // (window.input - 1)
    elif room(window) > 0:
        yield from divisors_beside(room(window), window.stride, highest)
    if window.transposed or window.mode is not None or window.rounding is not Rounding.FLOOR:
        yield from range(max(1, window.stride - _SEARCH), min(window.stride + _SEARCH, highest) + 1)


def _changed(window: Window, values: Iterable[int], name: str) -> Changes:
    """Yield the nearest of some values on either side that make the identity hold, in words."""
    change = _effect(window, name)
    now = window.padding[1] if name.endswith("padding") else getattr(window, name)
    nearest = sorted(set(values), key=lambda value: abs(value - now))
    for side in (1, -1):
        for value in nearest:
            if (value - now) * side > 0 and value >= 0 and _mends(window, changed := change(value)):
                yield f"{name} {value}", abs(value - now), changed
                break


def _effect(window: Window, name: str) -> Callable[[int], Window]:
    """Return what becomes of a window when one of its numbers has another value."""
    if name == "padding":
        return lambda value: replace(window, padding=(value, value))
    if name == "far padding":
        return lambda value: replace(window, padding=(window.padding[0], value))
    return lambda value: replace(window, **{name: value})  # type: ignore[arg-type]  # whole numbers, by name


def _mends(window: Window, changed: Window) -> bool:
    """Return whether the identity of a changed window holds, with no wider gaps; without any where it held before."""
    if not holds(changed):
        return False
    if holds(window):
        return changed.reach >= changed.stride
    return gap(changed) <= _widest_gap(window)


def _widest_gap(window: Window) -> int:
    """Return the widest gap that a change may leave: an impossible window has none yet, but its stride leaves some."""
    return gap(window) if describe_impossible(window) is None else max(0, window.stride - window.reach)


def holds(window: Window) -> bool:
    """Return whether there is an output, and every row of the padded input is read: both sides are equal."""
    if window.kernel < 1 or window.input < 1 or describe_impossible(window) is not None:
        return False
    read, padded = read_and_padded(window)
    return read == padded
