"""Channels and features of a network: what a layer makes of them, and what does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from gradverify.layers.network_kinds import Family

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.models.flow import Flow
    from gradverify.spec.network_model import NetworkLayer

__all__ = ["channels_out", "describe_channels"]

_MAKES_CHANNELS = {Family.CONVOLUTION, Family.TRANSPOSED}


class _Channels(TypedDict):
    channels: int | None
    lost: str


def channels_out(layer: NetworkLayer, flow: Flow) -> _Channels:
    """Return how many channels come out of a layer, and why that is not known."""
    if layer.row.family in _MAKES_CHANNELS:
        return {"channels": layer.options.get("out_channels"), "lost": ""}
    return {"channels": flow.channels, "lost": flow.lost}


def describe_channels(layer: NetworkLayer, flow: Flow) -> tuple[str, ...]:
    """Say what of channels, groups and features does not fit what comes in; nothing where all does, or is not known."""
    return tuple(_mismatches(layer, flow))


def _mismatches(layer: NetworkLayer, flow: Flow) -> Iterator[str]:
    options, incoming = layer.options, flow.channels
    if incoming is None and flow.lost and "in_features" in options:
        yield f"not known: {flow.lost}"
    for name, what in (("in_channels", "channels"), ("in_features", "features")):
        if name in options and incoming is not None and options[name] != incoming:
            yield f"{incoming} {what} come in, expected {options[name]} as {name} says"
    groups = options.get("groups", 1)
    for count, where in ((incoming, "come in"), (options.get("out_channels"), "come out")):
        if count is not None and count % groups:
            yield f"groups {groups} does not divide the {count} channels that {where}, expected a divisor of them"
