"""What torch refuses on a device with data, and not on the meta device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradverify.models.torch.operations import Kind
from gradverify.numerics.geometry import describe_output_padding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.models.torch.operations import Operation
    from gradverify.models.torch.windows import Windows

__all__ = ["describe_limit"]


def describe_limit(operation: Operation, arguments: Mapping[str, Any], windows: Windows) -> str | None:
    """Say what torch would refuse about a convolution, or return ``None`` where there is nothing."""
    if operation.kind not in {Kind.CONVOLUTION, Kind.TRANSPOSED}:
        return None
    added = (describe_output_padding(axis, window) for axis, window in windows if window.transposed)
    return next(filter(None, (*_channels(operation, arguments), *added)), None)


def _channels(operation: Operation, arguments: Mapping[str, Any]) -> Iterator[str]:
    shape, groups = tuple(arguments["weight"].shape), int(arguments.get("groups", 1))
    has = arguments["input"].shape[-operation.axes - 1]
    transposed = operation.kind is Kind.TRANSPOSED
    takes, makes = (shape[0], shape[1] * groups) if transposed else (shape[1] * groups, shape[0])
    bias = arguments.get("bias")
    if has != takes:
        yield f"its input has {has} channels, and the weight {list(shape)} with groups {groups} takes {takes}"
    elif shape[0] % groups:
        yield f"groups {groups} do not divide the {shape[0]} channels of the weight {list(shape)}"
    elif bias is not None and tuple(bias.shape) != (makes,):
        yield f"it makes {makes} channels, and its bias has the shape {list(bias.shape)}"
