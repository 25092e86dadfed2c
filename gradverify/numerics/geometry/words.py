"""What a window leaves unread, and what that means for the backward pass, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.results import GeometrySeverity

if TYPE_CHECKING:
    from gradverify.results import Geometry

__all__ = ["describe_backward", "describe_loss", "describe_violation"]


def describe_loss(geometry: Geometry) -> str:
    """Say in words what the windows along one axis leave unread, or a transposed one leaves unmade."""
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return "the window does not fit its input"
    unread = [
        f"{count} {what}"
        for count, what in (
            (geometry.unread_data, "of data at the far end"),
            (geometry.unread_padding, "of padding at the far end"),
            (geometry.gap, "between neighbouring windows"),
        )
        if count
    ]
    verb = "made" if geometry.transposed else "read"
    return f"rows never {verb}: {', '.join(unread)}" if unread else f"every row is {verb}"


def describe_violation(geometry: Geometry) -> str:
    """Say in words how the size identity is violated along one axis, and what that costs."""
    if geometry.transposed:
        sizes = f"(H-1)S + K = {geometry.reconstructed}, H' + 2P = {geometry.padded}"
    else:
        sizes = f"(H'-1)S + K = {geometry.reconstructed}, H + 2P = {geometry.padded}"
    return f"the size identity is violated along {geometry.axis}: {sizes}; {describe_loss(geometry)}"


def describe_backward(geometry: Geometry) -> tuple[str, ...]:
    """Say what the windows along one axis ask of a backward pass beyond the formula; nothing where it is enough.

    Each sentence is about one of: rows that ``rot180`` leaves out or makes too many, rows whose gradient is zero, a
    full convolution that crops instead of padding.
    """
    if geometry.severity is GeometrySeverity.IMPOSSIBLE or geometry.transposed:
        return ()
    axis = geometry.axis
    said = []
    if geometry.residual:
        short = f"{geometry.residual} short of the padded {geometry.padded}"
        said.append(f"rot180 gives {geometry.reconstructed} rows along {axis}, {short}: append {_zeros(geometry)}")
        kept = f"keep the first {geometry.reconstructed - (geometry.output - 1) * geometry.stride}"
        said.append(f"the kernel gradient's correlation has {geometry.residual} too many along {axis}: {kept}")
    if geometry.unread_data:
        last = "the last row" if geometry.unread_data == 1 else f"the last {geometry.unread_data} rows"
        said.append(f"{last} of the input's gradient along {axis} must be zero: no window reads them")
    if geometry.overhang:
        said.append(f"rot180 gives {geometry.overhang} too many along {axis}: crop what hangs over the end")
    if geometry.gap:
        said.append(
            f"between windows along {axis}, {geometry.gap} of every {geometry.stride} rows must get zero gradient"
        )
    low, high = (max(0, -edge) for edge in geometry.full_padding)
    if low or high:
        where = f"{low} before and {high} behind" if low != high else f"{low} at both ends"
        said.append(f"P exceeds K - 1 along {axis}: the full convolution crops {where} instead of padding")
    return tuple(said)


def _zeros(geometry: Geometry) -> str:
    return "a row of zeros" if geometry.residual == 1 else f"{geometry.residual} rows of zeros"
