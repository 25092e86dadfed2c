"""Windows that make rows: how transposed convolutions, unpooling and folds come to their lengths."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING

from gradverify.models.onnx.values import Attributes, UnreadableError, constant_numbers
from gradverify.numerics.geometry import PadMode, Window, axis_names, describe_impossible, folded, halves, output_size

if TYPE_CHECKING:
    from gradverify.models.onnx.graph import Step
    from gradverify.models.onnx.shapes import Lengths

__all__ = ["read_fold", "shaped"]


def shaped(step: Step, window: Window, index: int, count: int) -> Window:
    """Return a transposed window with the padding that its mode or its target asks for.

    Parameters
    ----------
    step
        The node: its ``output_shape`` is the target, as an attribute or, of ``MaxUnpool``, as its third input.
    window
        Its window along one axis.
    index, count
        Which axis of how many.
    """
    target = _target(step, count)
    if target is not None:
        return _aimed(step, window, target[index])
    if window.mode is None:
        return window
    return replace(window, mode=None, padding=halves(max(window.reach - window.stride, 0), window.mode))


def read_fold(step: Step, shape: Lengths) -> tuple[tuple[str, Window], ...]:
    """Return the windows of ``Col2Im``, which lays blocks into an image of a given shape.

    Raises
    ------
    UnreadableError
        Its lengths are not in the file, or contradict one another.
    """
    image, block = (_lengths(step, index, what) for index, what in ((1, "image_shape"), (2, "block_shape")))
    if len(image) != len(block) or not image or min(*image, *block) < 1:
        raise UnreadableError(f"image_shape {image} and block_shape {block} must be as many lengths of at least 1")
    attributes, count = Attributes(step.node), len(image)
    strides = attributes.numbers("strides", count, least=1, default=1)
    dilations = attributes.numbers("dilations", count, least=1, default=1)
    pads = attributes.numbers("pads", 2 * count, least=0, default=0)
    windows = [
        _laid(image[axis], Window(1, block[axis], strides[axis], (pads[axis], pads[axis + count]), dilations[axis]))
        for axis in range(count)
    ]
    blocks, given = prod(window.input for window in windows), shape[-1]
    if isinstance(given, int) and given != blocks:
        raise UnreadableError(f"its input has {given} blocks, the image {image} has room for {blocks}")
    return tuple(zip(axis_names(count), windows, strict=True))


def _target(step: Step, count: int) -> tuple[int, ...] | None:
    """Return the lengths that a node is told to make."""
    if step.node.op_type == "MaxUnpool":
        if len(step.node.input) < 3 or not step.node.input[2]:
            return None
        return _lengths(step, 2, "output_shape")[-count:]
    attributes = Attributes(step.node)
    return attributes.numbers("output_shape", count, least=1) if attributes.has("output_shape") else None


def _aimed(step: Step, window: Window, target: int) -> Window:
    """Return the window that makes ``target`` rows: what is too much is padding, what lacks is at the far end."""
    if step.node.op_type == "MaxUnpool":
        made = output_size(window) if describe_impossible(window) is None else target
        if target < made:
            raise UnreadableError(f"its output_shape has a length {target}, its windows make {made}")
        return replace(window, output_padding=target - made)
    plain = replace(window, mode=None, padding=(0, 0))
    beyond = output_size(plain) - target
    lacking = max(-beyond, 0)
    upper = PadMode.SAME_UPPER if window.mode is PadMode.SAME_UPPER else PadMode.SAME_LOWER
    return replace(plain, padding=halves(max(beyond, 0), upper), output_padding=plain.output_padding + lacking)


def _laid(image: int, window: Window) -> Window:
    """Return the transposed window that makes an image of a given length from as many blocks as fit into it."""
    sliding = replace(window, input=image)
    impossible = describe_impossible(sliding)
    if impossible is not None:
        raise UnreadableError(f"no block fits into the image: {impossible}")
    return folded(sliding)


def _lengths(step: Step, index: int, what: str) -> tuple[int, ...]:
    """Return the whole numbers of an input that stand in the file."""
    name = step.node.input[index] if len(step.node.input) > index else ""
    found = constant_numbers(step.scope, name)
    if found is None:
        raise UnreadableError(f"its {what} is computed by the model, expected numbers that stand in the file")
    return found
