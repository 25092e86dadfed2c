"""The size identity of windowed layers, in whole numbers only; nothing here needs numpy.

One axis has input length ``H``, kernel length ``HH``, stride ``S``, padding ``P_lo`` and ``P_hi``, dilation ``D``
and effective kernel ``K = D (HH - 1) + 1``. The backward pass of a convolution dilates the cotangent by ``S``, pads
its edges by ``K - 1`` and correlates it with the rotated kernel, which gives ``(H' - 1) S + K`` entries. That is the
padded input ``H + P_lo + P_hi`` exactly when ``S`` divides ``H + P_lo + P_hi - K``; otherwise the residual
``r = (H + P_lo + P_hi - K) mod S`` says how many rows at the far end no window reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gradverify.errors import GeometryError
from gradverify.results import Geometry, GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "Window",
    "axis_names",
    "describe_impossible",
    "describe_loss",
    "describe_violation",
    "effective_kernel",
    "measure",
    "output_size",
    "pair",
]

Item = TypeVar("Item")

# How far from the given number a suggestion is looked for.
_SEARCH = 64


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides along one axis.

    Attributes
    ----------
    input, kernel, stride, dilation
        ``H``, ``HH``, ``S`` and ``D``, all at least 1.
    padding
        ``(P_lo, P_hi)``, both at least 0.
    reads_padding_only
        Whether a window may lie wholly in padding: true for a convolution, false for pooling.
    """

    input: int
    kernel: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    reads_padding_only: bool = True


def pair(value: Item | Sequence[Item]) -> tuple[Item, Item]:
    """Return ``(vertical, horizontal)`` of a number or a pair of numbers."""
    if isinstance(value, (list, tuple)):
        vertical, horizontal = value
        return vertical, horizontal
    return value, value  # type: ignore[return-value]  # not a sequence here


def axis_names(count: int) -> tuple[str, ...]:
    """Return the names of the spatial axes: ``L``, ``H W``, ``D H W``, or numbers beyond three."""
    names = {1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}
    return names.get(count, tuple(str(axis) for axis in range(count)))


def effective_kernel(kernel: int, dilation: int) -> int:
    """Return ``K = D (HH - 1) + 1``, the length that a dilated kernel covers."""
    return dilation * (kernel - 1) + 1


def describe_impossible(window: Window) -> str | None:
    """Say why no output exists for this window, or return ``None`` when one does."""
    low, high = window.padding
    reach = effective_kernel(window.kernel, window.dilation)
    padded = window.input + low + high
    if reach > padded:
        kernel = "effective kernel" if window.dilation > 1 else "kernel"
        return f"{kernel} {reach} is larger than the padded input {window.input} + {low} + {high} = {padded}"
    if window.reads_padding_only:
        return None
    if reach <= low:
        return f"padding {low} leaves the first window (kernel {reach}) wholly in padding"
    last = (padded - reach) // window.stride * window.stride
    if last >= low + window.input:
        return f"padding {high} leaves the last window (kernel {reach}) wholly in padding"
    return None


def output_size(window: Window) -> int:
    """Return ``H' = floor((H + P_lo + P_hi - K) / S) + 1``.

    Raises
    ------
    GeometryError
        The window does not fit its padded input, or lies wholly in padding where it must not.
    """
    impossible = describe_impossible(window)
    if impossible is not None:
        raise GeometryError(impossible)
    reach = effective_kernel(window.kernel, window.dilation)
    return (window.input + sum(window.padding) - reach) // window.stride + 1


def measure(axis: str, window: Window) -> Geometry:
    """Return the four lengths of the size identity along one axis, and what follows from them.

    Parameters
    ----------
    axis
        Name of the axis, for the report.
    window
        The window along that axis. Where it is impossible, all derived lengths but ``padded`` are 0.
    """
    reach = effective_kernel(window.kernel, window.dilation)
    padded = window.input + sum(window.padding)
    possible = describe_impossible(window) is None
    output = output_size(window) if possible else 0
    residual = _residual(window) if possible else 0
    unread_data = min(window.input, max(0, residual - window.padding[1]))
    gap = max(0, window.stride - reach) if output > 1 else 0
    reconstructed = (output - 1) * window.stride + reach if possible else 0
    return Geometry(
        axis=axis,
        input=window.input,
        kernel=window.kernel,
        stride=window.stride,
        padding=window.padding,
        dilation=window.dilation,
        output=output,
        padded=padded,
        dilated_cotangent=(output - 1) * (window.stride - 1) + output + 2 * (reach - 1) if possible else 0,
        reconstructed=reconstructed,
        residual=residual,
        identity=possible and reconstructed == padded,
        unread_padding=residual - unread_data,
        unread_data=unread_data,
        gap=gap,
        severity=_severity(possible, residual, unread_data, gap),
        suggestions=() if possible and residual == 0 else tuple(_suggestions(window)),
    )


def _severity(possible: bool, residual: int, unread_data: int, gap: int) -> GeometrySeverity:
    if not possible:
        return GeometrySeverity.IMPOSSIBLE
    if unread_data:
        return GeometrySeverity.DATA_LOST
    if residual:
        return GeometrySeverity.PADDING_UNREAD
    return GeometrySeverity.GAP if gap else GeometrySeverity.EXACT


def _suggestions(window: Window) -> Iterator[str]:
    """Yield the nearest single changes that make the identity hold, each computed before it is suggested."""
    found: list[tuple[int, str]] = []
    for name, now, lowest, change in _changes(window):
        for direction in (1, -1):
            value = _nearest_exact(now, lowest, direction, change)
            if value is not None:
                output = output_size(change(value))
                found.append((abs(value - now), f"{name} {value} (output {output})"))
    return (text for _, text in sorted(found, key=lambda entry: entry[0]))


def _changes(window: Window) -> Iterator[tuple[str, int, int, Callable[[int], Window]]]:
    """Yield the name, present value, least value and effect of each single change."""
    length, kernel, stride, (low, high) = window.input, window.kernel, window.stride, window.padding
    rest = (window.dilation, window.reads_padding_only)
    yield "input", length, 1, lambda value: Window(value, kernel, stride, (low, high), *rest)
    if low == high:
        yield "padding", low, 0, lambda value: Window(length, kernel, stride, (value, value), *rest)
    else:
        yield "far padding", high, 0, lambda value: Window(length, kernel, stride, (low, value), *rest)
    yield "kernel", kernel, 1, lambda value: Window(length, value, stride, (low, high), *rest)
    yield "stride", stride, 1, lambda value: Window(length, kernel, value, (low, high), *rest)


def _nearest_exact(now: int, lowest: int, direction: int, change: Callable[[int], Window]) -> int | None:
    for distance in range(1, _SEARCH + 1):
        value = now + direction * distance
        if value < lowest:
            return None
        window = change(value)
        if describe_impossible(window) is None and _residual(window) == 0:
            return value
    return None


def _residual(window: Window) -> int:
    """Return ``r = (H + P_lo + P_hi - K) mod S``."""
    reach = effective_kernel(window.kernel, window.dilation)
    return (window.input + sum(window.padding) - reach) % window.stride


def describe_loss(geometry: Geometry) -> str:
    """Say in words what the windows along one axis leave unread."""
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
    return f"rows never read: {', '.join(unread)}" if unread else "every row is read"


def describe_violation(geometry: Geometry) -> str:
    """Say in words how the size identity is violated along one axis, and what that costs."""
    sizes = f"(H'-1)S + K = {geometry.reconstructed}, H + 2P = {geometry.padded}"
    return f"the size identity is violated along {geometry.axis}: {sizes}; {describe_loss(geometry)}"
