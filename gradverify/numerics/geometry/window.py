"""A window that slides along one axis: how long its output is, and whether there is any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from gradverify.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "PadMode",
    "Rounding",
    "Window",
    "axis_names",
    "describe_impossible",
    "describe_output_padding",
    "edges",
    "effective_kernel",
    "folded",
    "gap",
    "halves",
    "output_size",
    "overhang",
    "pair",
    "read_and_padded",
    "room",
    "windows_and_rows",
]

Item = TypeVar("Item")


class PadMode(StrEnum):
    """Padding that follows from the other numbers.

    ``SAME_UPPER`` is TensorFlow's, Keras' and ONNX' padding for ``H' = ceil(H / S)``, the odd row at the far end; with
    stride 1 it is torch's ``same``. ``SAME_LOWER`` puts the odd row first. ``CAUSAL`` is Keras': ``K - 1`` rows first.
    Of a transposed window, the first two make ``Y = H S``.
    """

    SAME_UPPER = "same"
    SAME_LOWER = "same-lower"
    CAUSAL = "causal"


class Rounding(StrEnum):
    """What becomes of a last window that does not fit.

    ``FLOOR`` leaves it out; ``CEIL`` keeps it where it starts in the input or in the padding before it, as torch does
    and ONNX from opset 22 on; ``CEIL_ALWAYS`` keeps it wherever it starts, as ONNX did up to opset 21.
    """

    FLOOR = "floor"
    CEIL = "ceil"
    CEIL_ALWAYS = "ceil-always"


@dataclass(frozen=True, slots=True)
class Window:
    """A window that slides along one axis.

    Attributes
    ----------
    input, kernel, stride, dilation
        ``H``, ``HH``, ``S`` and ``D``, all at least 1.
    padding
        ``(P_lo, P_hi)``, both at least 0; not used where there is a mode.
    reads_padding_only
        Whether a window may lie wholly in padding: true for a convolution, false for pooling.
    mode
        Padding that follows from the other numbers.
    rounding
        What becomes of a last window that does not fit.
    transposed, output_padding
        Whether the window makes rows instead of reading them, and how many it makes at the far end besides.
    padded_before
        How many of the input's own rows at either end are padding of a layer before this one.
    """

    input: int
    kernel: int
    stride: int = 1
    padding: tuple[int, int] = (0, 0)
    dilation: int = 1
    reads_padding_only: bool = True
    mode: PadMode | None = None
    rounding: Rounding = Rounding.FLOOR
    transposed: bool = False
    output_padding: int = 0
    padded_before: tuple[int, int] = (0, 0)

    @property
    def reach(self) -> int:
        """The effective kernel ``K = D (HH - 1) + 1``."""
        return effective_kernel(self.kernel, self.dilation)


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


def edges(window: Window) -> tuple[int, int]:
    """Return ``(P_lo, P_hi)``: as given, or as the mode has it.

    With ``same``, ``max((ceil(H/S) - 1) S + K - H, 0)`` rows in all; of a transposed window what it makes beyond
    ``H S``.
    """
    if window.mode is None:
        return window.padding
    if window.mode is PadMode.CAUSAL:
        return window.reach - 1, 0
    last = (-(-window.input // window.stride) - 1) * window.stride
    needed = _beyond(window) if window.transposed else last + window.reach - window.input
    total = max(needed, 0)
    return halves(total, window.mode)


def halves(total: int, mode: PadMode) -> tuple[int, int]:
    """Split padding between both ends, the odd row where the mode has it."""
    less, more = total // 2, total - total // 2
    return (less, more) if mode is PadMode.SAME_UPPER else (more, less)


def describe_impossible(window: Window) -> str | None:
    """Say why no output exists for this window, or return ``None`` when one does."""
    low, high = edges(window)
    if window.transposed:
        made = _made(window)
        return None if made >= 1 else f"padding {low} + {high} leaves none of the {made + low + high} rows it makes"
    padded = window.input + low + high
    last = _last_start(window)
    kernel = f"{'effective ' if window.dilation > 1 else ''}kernel {window.reach}"
    if last < 0:
        return f"{kernel} is larger than the padded input {window.input} + {low} + {high} = {padded}"
    if window.reads_padding_only:
        return None
    if window.reach <= low:
        return f"padding {low} leaves the first window ({kernel}) wholly in padding"
    if last >= low + window.input:
        why = "rounding up" if last > room(window) else f"padding {high}"
        return f"{why} leaves the last window ({kernel}) wholly in padding"
    return None


def describe_output_padding(axis: str, window: Window) -> str | None:
    """Say that a window makes more rows at its far end than torch lets it, or return ``None``."""
    if window.output_padding < max(window.stride, window.dilation):
        return None
    limits = f"stride {window.stride} or dilation {window.dilation}"
    return f"output_padding {window.output_padding} along {axis} is not below {limits}, expected less"


def folded(window: Window) -> Window:
    """Return the transposed window that lays out again what a sliding one takes apart, into the same length.

    Raises
    ------
    GeometryError
        The window does not fit its padded input.
    """
    read, padded = read_and_padded(window)
    return replace(window, input=output_size(window), transposed=True, output_padding=padded - read)


def output_size(window: Window) -> int:
    """Return ``H' = floor((H + P_lo + P_hi - K) / S) + 1``, with the window's own rounding.

    A transposed one has ``(H - 1) S + K - P_lo - P_hi + output_padding``; with the mode ``same``, ``H S``.

    Raises
    ------
    GeometryError
        The window does not fit its padded input, or lies wholly in padding where it must not; a transposed one makes
        no rows.
    """
    impossible = describe_impossible(window)
    if impossible is not None:
        raise GeometryError(impossible)
    return _made(window) if window.transposed else _last_start(window) // window.stride + 1


def overhang(window: Window) -> int:
    """Return how many rows a last window that was rounded up hangs over the padded input; 0 for the others."""
    if window.transposed or describe_impossible(window) is not None:
        return 0
    return max(0, _last_start(window) + window.reach - window.input - sum(edges(window)))


def room(window: Window) -> int:
    """Return ``H + P_lo + P_hi - K``, in which a window moves; of a transposed one, how many rows it makes.

    Either may be negative; then the window is impossible.
    """
    if window.transposed:
        return _made(window)
    return window.input + sum(edges(window)) - window.reach


def windows_and_rows(window: Window) -> tuple[int, int]:
    """Return how many windows there are, and how many rows, unpadded, they read or make; of a possible window."""
    output = output_size(window)
    return (window.input, output) if window.transposed else (output, window.input)


def read_and_padded(window: Window) -> tuple[int, int]:
    """Return both sides of the size identity, ``(H' - 1) S + K`` and ``H + P_lo + P_hi``, of a possible window.

    Those of a transposed one are ``(H - 1) S + K`` and ``H' + P_lo + P_hi``.
    """
    windows, rows = windows_and_rows(window)
    return (windows - 1) * window.stride + window.reach, rows + sum(edges(window)) + overhang(window)


def gap(window: Window) -> int:
    """Return how many rows lie between neighbouring windows of a possible window; 0 where there is one only."""
    windows, _ = windows_and_rows(window)
    return max(0, window.stride - window.reach) if windows > 1 else 0


def _made(window: Window) -> int:
    """Return how many rows a transposed window makes."""
    lacking = 0 if window.mode is None else max(-_beyond(window), 0)
    made = (window.input - 1) * window.stride + window.reach + window.output_padding
    return made + lacking - sum(edges(window))


def _beyond(window: Window) -> int:
    """Return how many rows an unpadded transposed window makes beyond ``H S``."""
    return window.reach + window.output_padding - window.stride


def _last_start(window: Window) -> int:
    """Return where in the padded input the last window starts; negative when there is none."""
    free = room(window)
    if window.rounding is Rounding.FLOOR:
        return free // window.stride * window.stride if free >= 0 else -1
    last = -(-free // window.stride) * window.stride
    if window.rounding is Rounding.CEIL and last >= window.input + edges(window)[0]:
        last -= window.stride
    return last
