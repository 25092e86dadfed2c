"""Whether the channels of a convolution's input fit its kernel and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.models.onnx.values import Attributes
from gradverify.models.onnx.words import shape_text, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.models.onnx.graph import Step
    from gradverify.models.onnx.operators import Operator
    from gradverify.models.onnx.shapes import Length, Lengths

__all__ = ["describe_channels"]


def describe_channels(step: Step, operator: Operator, shape: Lengths) -> Iterator[str]:
    """Yield how the input of a convolution, its kernel and its groups contradict one another.

    Parameters
    ----------
    step
        The node. A kernel is ``(M, C / group, ...)``, of a transposed convolution ``(C, M / group, ...)``.
    operator
        How it is read; pools have no kernel.
    shape
        Of its input, ``(N, C, ...)``.
    """
    attributes = Attributes(step.node)
    if operator.weight is None or operator.channels_last:
        return
    name = step.node.input[operator.weight] if len(step.node.input) > operator.weight else ""
    kernel = step.scope.shape(name)
    if kernel is None:
        return
    what = f"the kernel {shown(name)!r} of shape {shape_text(kernel)}"
    if len(kernel) != len(shape):
        yield f"{what} has {len(kernel)} axes, its input {len(shape)}"
        return
    groups = attributes.number("group", 1)
    if groups < 1:
        yield f"attribute group must be at least 1, got {groups}"
        return
    yield from _groups(operator, shape[1], (kernel[0], kernel[1]), (groups, what))
    yield from _kernel_shape(attributes, kernel, what)


def _groups(
    operator: Operator, channels: Length, kernel: tuple[Length, Length], described: tuple[int, str]
) -> Iterator[str]:
    """Yield what does not fit between channels, the first two lengths of the kernel, and groups."""
    groups, what = described
    first, second = kernel
    asked = first if operator.transposed else second * groups if isinstance(second, int) else None
    if isinstance(channels, int) and isinstance(asked, int) and channels != asked:
        yield f"its input has {channels} channels, {what} with group {groups} asks for {asked}"
    if isinstance(first, int) and first % groups:
        whose = "input" if operator.transposed else "output"
        yield f"{first} {whose} channels cannot be split into {groups} groups"


def _kernel_shape(attributes: Attributes, kernel: Lengths, what: str) -> Iterator[str]:
    """Yield how the attribute contradicts the kernel."""
    if not attributes.has("kernel_shape"):
        return
    said = attributes.numbers("kernel_shape", len(kernel) - 2, least=1)
    if any(isinstance(length, int) and length != other for length, other in zip(kernel[2:], said, strict=True)):
        yield f"kernel_shape is {shape_text(said)}, {what} says otherwise"
