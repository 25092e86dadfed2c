"""The four lengths of the size identity along one axis, and what follows from them."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from gradverify.numerics.geometry.suggestions import suggestions
from gradverify.numerics.geometry.window import (
    Window,
    describe_impossible,
    edges,
    gap,
    output_size,
    overhang,
    read_and_padded,
    windows_and_rows,
)
from gradverify.results import Geometry, GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["measure"]


def measure(axis: str, window: Window) -> Geometry:
    """Return the four lengths of the size identity along one axis, and what follows from them.

    Parameters
    ----------
    axis
        Name of the axis, for the report.
    window
        The window along that axis. Where it is impossible, all derived lengths but ``padded`` are 0.
    """
    low, high = edges(window)
    possible = describe_impossible(window) is None
    windows, rows = windows_and_rows(window) if possible else (0, 0 if window.transposed else window.input)
    read, padded = read_and_padded(window) if possible else (0, rows + low + high)
    residual = padded - read if possible else 0
    unread_data = min(_data(window, rows), max(0, residual - high - _before(window)[1]))
    between = gap(window) if possible else 0
    severity = _severity(possible, residual, unread_data, between)
    return Geometry(
        axis=axis,
        input=window.input,
        kernel=window.kernel,
        stride=window.stride,
        padding=(low, high),
        dilation=window.dilation,
        output=output_size(window) if possible else 0,
        padded=padded - overhang(window),
        dilated_cotangent=(windows - 1) * window.stride + 2 * window.reach - 1 if possible else 0,
        reconstructed=read,
        residual=residual,
        identity=possible and residual == 0,
        unread_padding=residual - unread_data,
        unread_data=unread_data,
        gap=between,
        severity=severity,
        suggestions=() if severity is GeometrySeverity.EXACT else suggestions(window),
        transposed=window.transposed,
        output_padding=window.output_padding,
        overhang=overhang(window),
        full_padding=(window.reach - 1 - low, window.reach - 1 - high),
        notes=tuple(_notes(window, windows)),
    )


def _before(window: Window) -> tuple[int, int]:
    """Return how many of the rows that are read are padding of a layer before; what a transposed one makes is not."""
    return (0, 0) if window.transposed else window.padded_before


def _data(window: Window, rows: int) -> int:
    return rows - sum(_before(window))


def _notes(window: Window, windows: int) -> Iterator[str]:
    """Yield what the four lengths do not show; first why there are none."""
    impossible = describe_impossible(window)
    if impossible is not None:
        yield impossible
    met = min(window.kernel, window.stride // gcd(window.stride, window.dilation))
    if window.dilation > 1 and window.kernel > 1 and windows > 1 and met < window.stride:
        verb = "makes" if window.transposed else "reads"
        why = f"stride {window.stride}, dilation {window.dilation} and kernel {window.kernel}"
        yield f"{why} leave holes: it {verb} at most {met} of {window.stride} neighbouring rows"
    if not window.transposed and max(edges(window)) > window.reach - 1:
        yield f"padding exceeds K - 1 = {window.reach - 1}: a full convolution crops there instead of padding"
    if any(window.padded_before):
        low, high = window.padded_before
        yield f"its input begins with {low} and ends with {high} rows of padding that a layer before it added"


def _severity(possible: bool, residual: int, unread_data: int, gap: int) -> GeometrySeverity:
    if not possible:
        return GeometrySeverity.IMPOSSIBLE
    if unread_data:
        return GeometrySeverity.DATA_LOST
    if residual:
        return GeometrySeverity.PADDING_UNREAD
    return GeometrySeverity.GAP if gap else GeometrySeverity.EXACT
