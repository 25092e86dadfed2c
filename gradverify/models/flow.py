"""What passes from one layer of a network to the next: channels and axes, as far as they are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.layers.network_kinds import Family
from gradverify.models.lanes import Lane, advance, gives_length, pads, scale_of
from gradverify.numerics.geometry import Window, axis_names
from gradverify.numerics.receptive_field import Field, pooled, resampled, single, slid

if TYPE_CHECKING:
    from gradverify.spec.network_model import NetworkLayer
    from gradverify.spec.site import Shape

__all__ = ["Axis", "Flow", "entering", "passed_along"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One spatial axis between two layers.

    Attributes
    ----------
    name
        ``H`` and the like.
    lane
        Its length, and how much of that is padding.
    field
        What of the network's input is read; ``None`` where that cannot be followed.
    lost
        Why its length is not known.
    """

    name: str
    lane: Lane
    field: Field | None
    lost: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What comes out of a layer: features where there are no axes; ``lost`` says why channels are not known."""

    batch: int
    channels: int | None
    axes: tuple[Axis, ...]
    lost: str = ""

    @property
    def shape(self) -> Shape:
        """Lengths of all axes."""
        return (self.batch, self.channels, *(axis.lane.length for axis in self.axes))


def entering(shape: tuple[int, ...]) -> Flow:
    """Return what enters a network: batch, channels and spatial axes."""
    batch, channels, *lengths = shape
    names = axis_names(len(lengths))
    axes = (Axis(name=name, lane=Lane(length), field=single()) for name, length in zip(names, lengths, strict=True))
    return Flow(batch=batch, channels=channels, axes=tuple(axes))


def passed_along(layer: NetworkLayer, place: int, axis: Axis) -> tuple[Window | None, Axis]:
    """Return the window of a layer along one axis, if it has one, and the axis that comes out.

    Parameters
    ----------
    layer
        Resolved.
    place
        Which of its spatial axes.
    axis
        What comes in. Where its length is not known, it is not known behind the layer, unless that gives it.
    """
    if axis.lane.length is None and not gives_length(layer):
        return None, axis
    window, lane = advance(layer, place, axis.lane)
    if lane.length is None:
        return window, replace(axis, lane=lane, field=None, lost=f"{layer.name} before it is impossible")
    return window, Axis(name=axis.name, lane=lane, field=_field(layer, place, axis, window))


def _field(layer: NetworkLayer, place: int, axis: Axis, window: Window | None) -> Field | None:
    """Return what of the network's input is read behind a layer."""
    family, length = layer.row.family, axis.lane.length
    if window is not None:
        return slid(axis.field, window)
    if length is None:
        return None
    if family is Family.PAD:
        return slid(axis.field, Window(length, kernel=1, padding=pads(layer, place)))
    if family is Family.UPSAMPLE:
        return resampled(axis.field, scale_of(layer, place, length), layer.options.get("mode", "nearest"))
    if family in {Family.ADAPTIVE, Family.GLOBAL}:
        return _pooled(axis, length, advance(layer, place, axis.lane)[1].length or 1)
    return axis.field


def _pooled(axis: Axis, length: int, made: int) -> Field | None:
    """Return what is read behind a layer that pools to a length; windows of several lengths are not followed."""
    if made == 1:
        return pooled(axis.field, length)
    each, rest = divmod(length, made)
    return None if rest else slid(axis.field, Window(length, kernel=each, stride=each))
