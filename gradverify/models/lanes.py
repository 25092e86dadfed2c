"""What a layer of a network does along one axis: the window that slides there, and the length that comes out."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from gradverify.layers.network_kinds import Family
from gradverify.numerics.geometry import PadMode, Rounding, Window, describe_impossible, output_size
from gradverify.spec.model import LARGEST_WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.spec.network_model import NetworkLayer

__all__ = ["Lane", "advance", "at", "gives_length", "pads", "scale_of", "window_of"]

_MODES = {"same": PadMode.SAME_UPPER, "same-lower": PadMode.SAME_LOWER, "causal": PadMode.CAUSAL}


@dataclass(frozen=True, slots=True)
class Lane:
    """One axis between two layers.

    Attributes
    ----------
    length
        ``None`` behind a layer that makes none.
    padded
        How many of its rows at either end are padding of a layer before.
    """

    length: int | None
    padded: tuple[int, int] = (0, 0)


def at(layer: NetworkLayer, key: str, axis: int, default: Any = None) -> Any:
    """Return the value of a key for one axis: of a list its own, or else the one for all."""
    value = layer.options.get(key, default)
    return value[axis] if isinstance(value, tuple) else value


def pads(layer: NetworkLayer, axis: int) -> tuple[int, int]:
    """Return the padding before and behind one axis, where it is numbers; words give none."""
    value = at(layer, "padding", axis, 0)
    if isinstance(value, str):
        return (0, 0)
    low, high = value if isinstance(value, tuple) else (value, value)
    return low, high


def gives_length(layer: NetworkLayer) -> bool:
    """Return whether a layer makes a length of its own, whatever comes in."""
    return layer.row.family in {Family.ADAPTIVE, Family.GLOBAL} or layer.options.get("size") is not None


def scale_of(layer: NetworkLayer, axis: int, length: int) -> Fraction:
    """Return how many times as long an upsample makes an axis."""
    size = at(layer, "size", axis)
    # As it is written: a double is no tenth.
    return Fraction(str(at(layer, "scale_factor", axis))) if size is None else Fraction(size, length)


def advance(layer: NetworkLayer, axis: int, lane: Lane) -> tuple[Window | None, Lane]:
    """Return the window of a layer along one axis, if it has one, and what comes out.

    Parameters
    ----------
    layer
        Resolved.
    axis
        Which of its spatial axes.
    lane
        What comes in, its length known.
    """
    along = _ALONG.get(layer.row.family)
    return (None, lane) if along is None else along(layer, axis, lane)


def _slide(layer: NetworkLayer, axis: int, lane: Lane) -> tuple[Window | None, Lane]:
    window = window_of(layer, axis, lane)
    return window, Lane(None if describe_impossible(window) else _counted(output_size(window)))


def _counted(made: float) -> int | None:
    """Return a number of rows, or ``None`` where there are none, or more than anything can hold."""
    return int(made) if 1 <= made <= LARGEST_WHOLE else None


def window_of(layer: NetworkLayer, axis: int, lane: Lane) -> Window:
    """Return the window of a layer that has one, along one axis; the length that comes in is known."""
    assert lane.length is not None  # noqa: S101  callers know
    row = layer.row
    pooling = row.family is Family.POOLING
    kernel = at(layer, "kernel_size", axis)
    transposed = row.family is Family.TRANSPOSED
    return Window(
        input=lane.length,
        kernel=kernel,
        stride=at(layer, "stride", axis, kernel if pooling else 1),
        padding=pads(layer, axis),
        dilation=at(layer, "dilation", axis, 1),
        reads_padding_only=not pooling,
        mode=_MODES.get(layer.options["padding"]) if isinstance(layer.options.get("padding"), str) else None,
        rounding=Rounding.CEIL if layer.options.get("ceil_mode") else Rounding.FLOOR,
        transposed=transposed,
        output_padding=at(layer, "output_padding", axis, 0),
        padded_before=(0, 0) if transposed else lane.padded,
    )


def _pad(layer: NetworkLayer, axis: int, lane: Lane) -> tuple[Window | None, Lane]:
    assert lane.length is not None  # noqa: S101  callers know
    (low, high), (before, behind) = pads(layer, axis), lane.padded
    return None, Lane(_counted(lane.length + low + high), (before + low, behind + high))


def _upsample(layer: NetworkLayer, axis: int, lane: Lane) -> tuple[Window | None, Lane]:
    size = at(layer, "size", axis)
    if size is not None:
        return None, Lane(size)
    assert lane.length is not None  # noqa: S101  callers know
    # In double precision, as torch computes it.
    return None, Lane(_counted(lane.length * at(layer, "scale_factor", axis)))


def _adaptive(layer: NetworkLayer, axis: int, lane: Lane) -> tuple[Window | None, Lane]:  # noqa: ARG001  whatever comes in
    return None, Lane(at(layer, "output_size", axis))


def _global(layer: NetworkLayer, axis: int, lane: Lane) -> tuple[Window | None, Lane]:  # noqa: ARG001  whatever comes in
    return None, Lane(1)


_ALONG: dict[Family, Callable[[NetworkLayer, int, Lane], tuple[Window | None, Lane]]] = {
    Family.CONVOLUTION: _slide,
    Family.TRANSPOSED: _slide,
    Family.POOLING: _slide,
    Family.UNFOLD: _slide,
    Family.PAD: _pad,
    Family.UPSAMPLE: _upsample,
    Family.ADAPTIVE: _adaptive,
    Family.GLOBAL: _global,
}
