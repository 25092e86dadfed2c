"""The windowed operations of torch, and what their arguments are called; torch itself is not needed here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["OPERATIONS", "Kind", "Operation", "bound", "on_one_axis", "operation_of", "specific"]


class Kind(Enum):
    """What an operation does with its windows."""

    CONVOLUTION = auto()
    TRANSPOSED = auto()
    POOL = auto()
    ADAPTIVE = auto()
    FRACTIONAL = auto()
    UNPOOL = auto()
    UNFOLD = auto()
    FOLD = auto()
    SLICES = auto()


@dataclass(frozen=True, slots=True)
class Operation:
    """A windowed operation.

    Attributes
    ----------
    name
        As people call it: ``conv2d``.
    kind
        What it does with its windows.
    axes
        How many spatial axes it has.
    parameters
        Names of its arguments, in their order.
    """

    name: str
    kind: Kind
    axes: int
    parameters: tuple[str, ...]


_CONVOLUTION = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_TRANSPOSED = ("input", "weight", "bias", "stride", "padding", "output_padding", "groups", "dilation")
_ANY_CONVOLUTION = (*_CONVOLUTION[:-1], "transposed", "output_padding", "groups")
_MAX_POOL = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
_AVERAGE_POOL = ("input", "kernel_size", "stride", "padding", "ceil_mode")
_LP_POOL = ("input", "norm_type", "kernel_size", "stride", "ceil_mode")
_UNPOOL = ("input", "indices", "kernel_size", "stride", "padding", "output_size")
_FOLD = ("input", "output_size", "kernel_size", "dilation", "padding", "stride")

# Each with its parameters, for one, two and three axes.
_FAMILIES = {
    "conv{}d": (Kind.CONVOLUTION, _CONVOLUTION),
    "conv_transpose{}d": (Kind.TRANSPOSED, _TRANSPOSED),
    "max_pool{}d": (Kind.POOL, _MAX_POOL),
    "avg_pool{}d": (Kind.POOL, _AVERAGE_POOL),
    "lp_pool{}d": (Kind.POOL, _LP_POOL),
    "adaptive_avg_pool{}d": (Kind.ADAPTIVE, ("input", "output_size")),
    "adaptive_max_pool{}d": (Kind.ADAPTIVE, ("input", "output_size")),
    "fractional_max_pool{}d": (Kind.FRACTIONAL, ("input", "kernel_size", "output_size")),
    "max_unpool{}d": (Kind.UNPOOL, _UNPOOL),
}

OPERATIONS: dict[str, Operation] = {
    family.format(axes): Operation(family.format(axes), kind, axes, parameters)
    for family, (kind, parameters) in _FAMILIES.items()
    for axes in (1, 2, 3)
} | {
    "unfold": Operation("unfold", Kind.UNFOLD, 2, ("input", "kernel_size", "dilation", "padding", "stride")),
    "fold": Operation("fold", Kind.FOLD, 2, _FOLD),
    # A method: as an operation of aten it comes soon enough.
    "Tensor.unfold": Operation("unfold", Kind.SLICES, 1, ("input", "dimension", "size", "step")),
    # Of any number of axes, and of both directions.
    "convolution": Operation("convolution", Kind.CONVOLUTION, 0, _ANY_CONVOLUTION),
}

# What aten calls otherwise; the indices are one more output, nothing else.
_ATEN_NAMES = {
    "_convolution": "convolution",
    "unfold": "Tensor.unfold",
    "im2col": "unfold",
    "col2im": "fold",
}


def operation_of(name: str, *, aten: bool) -> Operation | None:
    """Return the windowed operation of a name: of a function of torch, or in ``aten``; ``None`` for all others."""
    plain = name.removesuffix("_with_indices")
    if not aten:
        return OPERATIONS.get(plain)
    plain = plain.removeprefix("_") if plain.startswith("_adaptive") else plain
    found = OPERATIONS.get(_ATEN_NAMES.get(plain, plain))
    # aten's is told where each value goes, and not how wide its windows are
    return replace(found, kind=Kind.FRACTIONAL) if found is not None and found.kind is Kind.UNPOOL else found


def bound(operation: Operation, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call by name."""
    given = dict(zip(operation.parameters, args, strict=False)) | dict(kwargs)
    if "self" in given:
        given["input"] = given.pop("self")
    return given


def specific(operation: Operation, arguments: Mapping[str, Any]) -> Operation:
    """Return the operation of a call of ``convolution``: its name, axes and direction; others as they are."""
    if operation.axes:
        return operation
    kind = "conv_transpose" if arguments.get("transposed") else "conv"
    return OPERATIONS[f"{kind}{arguments['weight'].dim() - 2}d"]


def on_one_axis(operation: Operation, arguments: Mapping[str, Any]) -> tuple[Operation, dict[str, Any]]:
    """Return the same call on one axis: torch pools one axis as two, of which the first has the length 1."""
    last = {name: value[-1:] if isinstance(value, (tuple, list)) else value for name, value in arguments.items()}
    return OPERATIONS.get(operation.name.replace("2d", "1d"), operation), last
