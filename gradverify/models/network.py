"""A network of the spec, walked through layer by layer: every size, every window, and what of the input each reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING

from gradverify.errors import ModelError, nearest_name
from gradverify.layers.network_kinds import Family
from gradverify.models.channels import channels_out, describe_channels
from gradverify.models.decoders import with_notes
from gradverify.models.flow import Axis, Flow, entering, passed_along
from gradverify.models.lanes import Lane, at
from gradverify.numerics.geometry import describe_impossible, describe_output_padding
from gradverify.spec.model import LARGEST_WHOLE
from gradverify.spec.site import Model, Shape, Site
from gradverify.spec.target_model import NetworkTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.numerics.geometry import Window
    from gradverify.spec.model import Case
    from gradverify.spec.network_model import NetworkLayer

__all__ = ["chain", "input_shape", "network_of", "resized"]


@dataclass(frozen=True, slots=True)
class _Passed:
    """What a layer does: its windows, what comes out, and what is wrong."""

    flow: Flow
    windows: tuple[tuple[str, Window], ...] = ()
    problems: tuple[str, ...] = ()


def network_of(case: Case) -> NetworkTarget:
    """Return the network of a case.

    Raises
    ------
    ModelError
        The case has another target.
    """
    if not isinstance(case.target, NetworkTarget):
        raise ModelError(f"the case '{case.id}' has no network, expected one with the key 'network'")
    return case.target


def input_shape(case: Case) -> tuple[int, ...]:
    """Return the shape of what enters the network of a case."""
    return tuple(int(length) for length in case.inputs[0].shape or ())


def resized(case: Case, lengths: Mapping[str, int]) -> Case:
    """Return a case with other lengths of its network's input.

    Parameters
    ----------
    case
        A case with a network.
    lengths
        By the names of the axes (``H``), or of the dims that are their lengths; axes of one name change together.

    Raises
    ------
    ModelError
        No axis has this name, or a length is less than 1.
    """
    axes = network_of(case).axes
    for name, length in lengths.items():
        if name not in axes:
            hint = nearest_name(name, tuple(dict.fromkeys(axes)))
            raise ModelError(f"'{name}' is no axis of the input of '{case.name}', {hint}")
        if length < 1:
            raise ModelError(f"{name} = {length} is no length, expected a whole number of at least 1")
    batch, channels, *given = input_shape(case)
    shape = (batch, channels, *(lengths.get(name, length) for name, length in zip(axes, given, strict=True)))
    return replace(case, inputs=(replace(case.inputs[0], shape=shape),))


def chain(case: Case) -> Model:
    """Walk through the network of a case and return what is found about each layer, in order.

    Parameters
    ----------
    case
        A case with a network, at one point of its sweep.

    Returns
    -------
    Model
        A site for every layer, also those without windows. Behind a layer that cannot be, the layers are judged as far
        as their sizes are known, and say what is not.

    Raises
    ------
    ModelError
        The case has another target.
    """
    flow, sites = entering(input_shape(case)), []
    for layer in network_of(case).layers:
        passed = _passed(layer, flow)
        sites.append(_site(layer, flow.shape, passed))
        flow = passed.flow
    return Model(inputs=((case.inputs[0].name, input_shape(case)),), sites=with_notes(tuple(sites)))


def _site(layer: NetworkLayer, shape: Shape, passed: _Passed) -> Site:
    fields = [axis.field for axis in passed.flow.axes]
    return Site(
        name=layer.name or layer.kind,
        op=layer.kind,
        input_shape=shape,
        output_shape=passed.flow.shape,
        windows=passed.windows,
        problem="; ".join(passed.problems) or None,
        receptive_field=tuple(None if field is None else field.size for field in fields),
        total_stride=tuple(None if field is None else field.stride for field in fields),
        offset=tuple(None if field is None else field.offset for field in fields),
        allow=layer.allow,
        place=layer.place,
    )


def _passed(layer: NetworkLayer, flow: Flow) -> _Passed:
    family = layer.row.family
    if family is Family.FLATTEN:
        return _Passed(_flattened(flow))
    if family is Family.LINEAR:
        return _Passed(
            Flow(batch=flow.batch, channels=layer.options.get("out_features"), axes=()),
            problems=describe_channels(layer, flow),
        )
    found = [passed_along(layer, place, axis) for place, axis in enumerate(flow.axes)]
    axes = tuple(axis for _, axis in found)
    windows = tuple((axis.name, window) for window, axis in found if window is not None)
    after = replace(flow, axes=axes, **channels_out(layer, flow))
    if family is Family.UNFOLD:
        after = _unfolded(layer, after)
    problems = (
        *describe_channels(layer, flow),
        *_describe_axes(layer, flow, axes, windows),
        *filter(None, (describe_output_padding(axis, window) for axis, window in windows)),
    )
    return _Passed(after, windows, problems)


def _describe_axes(
    layer: NetworkLayer, flow: Flow, after: tuple[Axis, ...], windows: tuple[tuple[str, Window], ...]
) -> tuple[str, ...]:
    """Say along which axes a layer cannot be judged, and what makes it impossible where no window says it."""
    impossible = {name for name, window in windows if describe_impossible(window)}
    row = layer.row
    unknown = [axis for axis in flow.axes if axis.lane.length is None] if row.windowed else []
    reasons = {axis.lost for axis in unknown}
    if unknown and len(unknown) == len(flow.axes) and len(reasons) == 1:
        said = [f"not known: {unknown[0].lost}"]
    else:
        said = [f"not known along {axis.name}: {axis.lost}" for axis in unknown]
    pairs = zip(flow.axes, after, strict=True)
    lost = [new.name for old, new in pairs if old.lane.length is not None and new.lane.length is None]
    said += [f"no rows, or more than 2^63, come out along {name}" for name in lost if name not in impossible]
    return tuple(said)


def _flattened(flow: Flow) -> Flow:
    lengths = [axis.lane.length for axis in flow.axes]
    known = [length for length in (flow.channels, *lengths) if length is not None]
    lost = next((axis.lost for axis in flow.axes if axis.lane.length is None), flow.lost)
    complete = len(known) == 1 + len(lengths)
    return Flow(batch=flow.batch, channels=prod(known) if complete else None, axes=(), lost="" if complete else lost)


def _unfolded(layer: NetworkLayer, flow: Flow) -> Flow:
    """Return positions as one axis, and as channels what the windows hold."""
    lengths = [axis.lane.length for axis in flow.axes]
    held = prod(at(layer, "kernel_size", place) for place in range(len(lengths)))
    known = [length for length in lengths if length is not None]
    lost = next((axis.lost for axis in flow.axes if axis.lane.length is None), "")
    positions = prod(known)
    lost = lost or ("" if positions <= LARGEST_WHOLE else f"{layer.name} before it has more than 2^63 positions")
    axis = Axis(name="L", lane=Lane(None if lost else positions), field=None, lost=lost)
    channels = None if flow.channels is None or flow.channels * held > LARGEST_WHOLE else flow.channels * held
    return replace(flow, channels=channels, axes=(axis,))
