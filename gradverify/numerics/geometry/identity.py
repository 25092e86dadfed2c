"""The four lengths of the size identity along one axis, and what follows from them."""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING

from gradverify.numerics.geometry.suggestions import suggestions
from gradverify.numerics.geometry.window import Window, describe_impossible, edges, output_size, overhang
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
    output = output_size(window) if possible else 0
    reads, windows = (output, window.input) if window.transposed else (window.input, output)
    padded = reads + low + high + overhang(window)
    reach = window.reach
    reconstructed = (windows - 1) * window.stride + reach if possible else 0
    residual = padded - reconstructed if possible else 0
    padding = high + window.padded_before[1]
    unread_data = min(reads - window.padded_before[1], max(0, residual - padding))
    gap = max(0, window.stride - reach) if possible and windows > 1 else 0
    severity = _severity(possible, residual, unread_data, gap)
    return Geometry(
        axis=axis,
        input=window.input,
        kernel=window.kernel,
        stride=window.stride,
        padding=(low, high),
        dilation=window.dilation,
        output=output,
        padded=padded,
        dilated_cotangent=(windows - 1) * (window.stride - 1) + windows + 2 * (reach - 1) if possible else 0,
        reconstructed=reconstructed,
        residual=residual,
        identity=possible and residual == 0,
        unread_padding=residual - unread_data,
        unread_data=unread_data,
        gap=gap,
        severity=severity,
        suggestions=() if severity is GeometrySeverity.EXACT else tuple(suggestions(window)),
        transposed=window.transposed,
        output_padding=window.output_padding,
        overhang=overhang(window),
        full_padding=(reach - 1 - low, reach - 1 - high),
        notes=tuple(_notes(window, windows)),
    )


def _notes(window: Window, windows: int) -> Iterator[str]:
    """Yield what the four lengths do not show."""
    common = gcd(window.stride, window.dilation)
    if common > 1 and window.kernel > 1 and windows > 1:
        verb = "makes" if window.transposed else "reads"
        yield f"stride {window.stride} and dilation {window.dilation} share {common}: it {verb} one row in {common}"
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
