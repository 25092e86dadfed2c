"""What a window leaves unread, and what that means for the backward pass, in words."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

from gradverify.numerics.geometry.window import effective_kernel
from gradverify.results import GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradverify.results import Geometry

__all__ = [
    "Gradient",
    "alike_axes",
    "both_sides",
    "describe_backward",
    "describe_loss",
    "describe_violation",
    "is_covered",
    "is_read",
    "window_count",
]


class Gradient(StrEnum):
    """Which gradient of a windowed layer a sentence is about.

    ``INPUT`` is that of what a convolution slides over, ``KERNEL`` that of its kernel, and ``POOLED`` that of what a
    window without a kernel slides over: a pool, an unfold.
    """

    INPUT = "input"
    KERNEL = "kernel"
    POOLED = "pooled"


def alike_axes(measured: Iterable[Geometry]) -> tuple[Geometry, ...]:
    """Return each different geometry once, named after all axes that have it: ``H and W``."""
    alike: dict[Geometry, list[str]] = {}
    for geometry in measured:
        alike.setdefault(replace(geometry, axis=""), []).append(geometry.axis)
    return tuple(replace(geometry, axis=" and ".join(axes)) for geometry, axes in alike.items())


def describe_loss(geometry: Geometry) -> str:
    """Say in words what the windows along one axis leave unread, or a transposed one leaves unmade."""
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return geometry.notes[0]
    unread = [
        f"{count} {what}"
        for count, what in (
            (geometry.unread_data, f"of {'output' if geometry.transposed else 'data'} at the far end"),
            (geometry.unread_padding, "of padding at the far end"),
            (geometry.gap, "between neighbouring windows"),
        )
        if count
    ]
    if _has_holes(geometry):
        unread.append("some in holes of the dilation")
    verb = "made" if geometry.transposed else "read"
    return f"rows never {verb}: {', '.join(unread)}" if unread else f"every row is {verb}"


def _has_holes(geometry: Geometry) -> bool:
    """Return whether a dilated window leaves rows within its reach that no other one meets.

    Counted from the first row of the first window, row 1 is met by no tap where both stride and dilation exceed 1. With
    stride 1, ``H'`` windows meet the first ``H'`` rows, and the next tap begins at row ``D``.
    """
    if geometry.dilation == 1 or geometry.kernel == 1:
        return False
    return geometry.stride > 1 or window_count(geometry) < geometry.dilation


def describe_violation(geometry: Geometry) -> str:
    """Say in words how the size identity is violated along one axis, and what that costs."""
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return f"impossible geometry along {geometry.axis}: {describe_loss(geometry)}"
    return f"the size identity is violated along {geometry.axis}: {both_sides(geometry)}; {describe_loss(geometry)}"


def both_sides(geometry: Geometry) -> str:
    """Return both sides of the size identity in numbers; ``2P`` stands for ``P_lo + P_hi``."""
    windows, rows = ("H", "H'") if geometry.transposed else ("H'", "H")
    return f"({windows}-1)S + K = {geometry.reconstructed}, {rows} + 2P = {geometry.padded}"


def is_read(geometry: Geometry, row: int) -> bool:
    """Return whether some window reads a row of the input, counted without the padding; of a window that slides."""
    return _meets(geometry, geometry.output, row)


def is_covered(geometry: Geometry, row: int) -> bool:
    """Return whether some window lies on a row, counted without the padding and negative before it.

    Rows are those of the input; of a transposed window, which makes rows, those of the output.
    """
    return _meets(geometry, window_count(geometry), row)


def window_count(geometry: Geometry) -> int:
    """Return how many windows there are: one for each row of the output, of a transposed window of the input."""
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return 0
    return geometry.input if geometry.transposed else geometry.output


def _meets(geometry: Geometry, windows: int, row: int) -> bool:
    padded = row + geometry.padding[0]
    starts = (padded - tap * geometry.dilation for tap in range(geometry.kernel))
    return any(start % geometry.stride == 0 and start // geometry.stride in range(windows) for start in starts)


def describe_backward(geometry: Geometry, gradient: Gradient = Gradient.INPUT) -> tuple[str, ...]:
    """Say what the windows along one axis ask of one gradient beyond the formula; nothing where that is enough.

    The formula is the correlation of the dilated cotangent: with the rotated kernel for the input, with the padded
    input for the kernel. Of a transposed window, where forward and backward change places, the sentences say which part
    of the cotangent reaches neither gradient.
    """
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return ()
    if geometry.transposed:
        return tuple(_unmade(geometry))
    if gradient is Gradient.KERNEL:
        return tuple(_correlated(geometry))
    return (*(_rotated(geometry) if gradient is Gradient.INPUT else ()), *_zero(geometry))


def _rotated(geometry: Geometry) -> Iterator[str]:
    """Yield where the correlation with the rotated kernel is too short, or its edges are negative."""
    axis, residual = geometry.axis, geometry.residual
    if residual:
        ends = ((geometry.unread_data, "data"), (geometry.unread_padding, "padding"))
        split = " and ".join(f"{many} of {what}" for many, what in ends if many)
        found = f"rot180 gives {geometry.reconstructed} of {geometry.padded} padded rows along {axis}"
        crop = ", then crop the padding" if any(geometry.padding) else ""
        yield f"{found}: append {_rows(residual, 'zero row')} at the far end ({split}){crop}"
    # Padding that no window reads needs no cropping: the rows appended stand for it.
    near, far = geometry.full_padding[0], geometry.full_padding[1] + residual
    cropped = [f"{-edge} at the {end} end" for end, edge in (("near", near), ("far", far)) if edge < 0]
    if cropped:
        exceeds = f"the padding exceeds K - 1 = {geometry.full_padding[0] + geometry.padding[0]} along {axis}"
        yield f"{exceeds}: the full convolution crops rows of the dilated cotangent, {' and '.join(cropped)}"


def _correlated(geometry: Geometry) -> Iterator[str]:
    """Yield where the correlation with the dilated cotangent is longer than the kernel."""
    if geometry.residual:
        reach = effective_kernel(geometry.kernel, geometry.dilation)
        step = "" if geometry.dilation == 1 else f", and of those every {geometry.dilation}th"
        found = f"the correlation with the dilated cotangent has {reach + geometry.residual} entries"
        yield f"{found} along {geometry.axis}, {geometry.residual} too many: keep the first {reach}{step}"


def _zero(geometry: Geometry) -> Iterator[str]:
    """Yield which rows no window reads, so that their gradient is zero."""
    if geometry.unread_data:
        last = f"the last {_counted(geometry.unread_data)} along {geometry.axis}"
        yield f"no window reads {last}: the gradient there is zero"
    if geometry.gap:
        every = f"{geometry.gap} of every {geometry.stride} rows along {geometry.axis}"
        yield f"between windows lie {every}: the gradient there is zero"


def _unmade(geometry: Geometry) -> Iterator[str]:
    """Yield which rows of the cotangent reach nothing but the bias."""
    if geometry.unread_data:
        last = f"the last {_counted(geometry.unread_data)} along {geometry.axis}"
        yield f"the cotangent of {last} reaches the bias alone: no window makes that part of the output"
    if geometry.gap:
        every = f"{geometry.gap} of every {geometry.stride} rows along {geometry.axis}"
        yield f"the cotangent of {every} reaches the bias alone: they lie between windows"


def _counted(rows: int) -> str:
    return "row" if rows == 1 else f"{rows} rows"


def _rows(many: int, what: str) -> str:
    return f"{many} {what}" if many == 1 else f"{many} {what}s"
