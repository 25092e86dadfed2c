"""Rows that a layer before a window added: nothing is lost where they are not read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.models.onnx.values import Attributes, UnreadableError, constant_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradverify.models.onnx.graph import Step
    from gradverify.numerics.geometry import Window

__all__ = ["with_padding_before"]

# What leaves every row where it is, and makes it of that row alone.
_ROW_BY_ROW = frozenset({
    "BatchNormalization", "Cast", "Celu", "Clip", "DequantizeLinear", "Dropout", "Elu", "Gelu", "HardSigmoid",
    "HardSwish", "Identity", "LeakyRelu", "Mish", "PRelu", "QuantizeLinear", "Relu", "Selu", "Sigmoid", "Softplus",
    "Softsign", "Swish", "Tanh",
})  # fmt: skip
_FARTHEST = 64


def with_padding_before(
    step: Step, windows: Sequence[tuple[str, Window]], axes: Sequence[int], rank: int
) -> tuple[tuple[str, Window], ...]:
    """Return the windows of a node, with the rows that ``Pad`` nodes right before it added to their input.

    Parameters
    ----------
    step
        The node.
    windows
        Its windows, by axis.
    axes
        Which axes of its input these slide along.
    rank
        How many axes its input has.
    """
    low, high = [0] * rank, [0] * rank
    for pads in _paddings_before(step, rank):
        low = [before + more for before, more in zip(low, pads[:rank], strict=True)]
        high = [before + more for before, more in zip(high, pads[rank:], strict=True)]
    return tuple(
        (name, replace(window, padded_before=(low[axis], high[axis])))
        for (name, window), axis in zip(windows, axes, strict=True)
    )


def _paddings_before(step: Step, rank: int) -> Iterator[list[int]]:
    """Yield the rows that each ``Pad`` adds at the low and high end of all axes, upstream from the node's input."""
    for _ in range(_FARTHEST):
        name = step.node.input[0]
        home = step.scope.home(name)
        maker = home.makers.get(name) if home else None
        if maker is None or not maker.node.input or maker.node.domain not in {"", "ai.onnx"}:
            return
        if maker.node.op_type == "Pad":
            yield _pads(maker, rank)
        elif maker.node.op_type not in _ROW_BY_ROW:
            return
        if step is maker:
            return
        step = maker


def _pads(step: Step, rank: int) -> list[int]:
    """Return what a ``Pad`` adds to every axis, all lows first; nothing where it crops, or where it is not known."""
    nothing = [0] * (2 * rank)
    given = _given(step, rank)
    axes = _axes(step, rank)
    if given is None or axes is None or len(given) != 2 * len(axes):
        return nothing
    pads = nothing
    for index, axis in enumerate(axes):
        low, high = given[index], given[index + len(axes)]
        if -rank <= axis < rank and min(low, high) >= 0:
            pads[axis % rank], pads[axis % rank + rank] = low, high
    return pads


def _given(step: Step, rank: int) -> tuple[int, ...] | None:
    """Return the paddings as they stand on the node or in its input."""
    names = step.node.input
    if len(names) > 1 and names[1]:
        return constant_numbers(step.scope, names[1])
    attributes = Attributes(step.node)
    name = "pads" if attributes.has("pads") else "paddings"
    try:
        return attributes.numbers(name, 2 * rank, least=-(2**63))
    except UnreadableError:
        return None


def _axes(step: Step, rank: int) -> tuple[int, ...] | None:
    """Return which axes are padded: all, or those that the fourth input names."""
    names = step.node.input
    return constant_numbers(step.scope, names[3]) if len(names) > 3 and names[3] else tuple(range(rank))
