"""From a node to the windows along its axes.

Where attributes are left out, ONNX's defaults count. Sizes are those that ONNX infers: explicit ``pads`` win over
``auto_pad``, and ``auto_pad`` of a transposed convolution pads ``max(K - S, 0)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.models.onnx.channels import describe_channels
from gradverify.models.onnx.operators import Operator, schema_of
from gradverify.models.onnx.transposed import read_fold, shaped
from gradverify.models.onnx.values import Attributes, UnreadableError
from gradverify.models.onnx.words import shape_text, shown
from gradverify.numerics.geometry import PadMode, Rounding, Window, axis_names, edges

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.models.onnx.graph import Step
    from gradverify.models.onnx.shapes import Lengths

__all__ = ["Reading", "read_windows", "spatial_axes"]

_MODES = {"SAME_UPPER": PadMode.SAME_UPPER, "SAME_LOWER": PadMode.SAME_LOWER}
_AUTO_PADS = ("NOTSET", "VALID", *_MODES)
# From this version of a pool on, a last window that starts in the padding behind is dropped.
_DROPS = 22


@dataclass(frozen=True, slots=True)
class Reading:
    """What a node says of its windows.

    Attributes
    ----------
    windows
        By axis, those whose input length is known.
    problems
        What is wrong with the node all the same.
    """

    windows: tuple[tuple[str, Window], ...]
    problems: tuple[str, ...] = ()


def spatial_axes(step: Step, operator: Operator, shape: Lengths) -> range:
    """Return which axes of its input the windows of a node slide along.

    Raises
    ------
    UnreadableError
        There are none.
    """
    if len(shape) < 3:
        name = shown(step.node.input[0])
        detail = f"its input {name!r} has the shape {shape_text(shape)}"
        raise UnreadableError(f"{detail}, expected at least one axis beside batch and channels")
    return operator.spatial(len(shape))


def read_windows(step: Step, operator: Operator, shape: Lengths, opsets: Mapping[str, int]) -> Reading:
    """Return the windows of a node along every axis whose length is known.

    Raises
    ------
    UnreadableError
        The node does not say what its windows are.
    """
    if operator.folds:
        return Reading(read_fold(step, shape), tuple(_unknown_attributes(step, opsets)))
    axes = spatial_axes(step, operator, shape)
    templates = _templates(step, operator, len(axes), opsets)
    problems = [*_unknown_attributes(step, opsets), *describe_channels(step, operator, shape)]
    windows = []
    for index, (name, axis) in enumerate(zip(axis_names(len(axes)), axes, strict=True)):
        length = shape[axis]
        if length == 0:
            problems.append(f"its input has the length 0 along {name}")
        elif isinstance(length, int):
            window = replace(templates[index], input=length)
            window = shaped(step, window, index, len(axes)) if operator.transposed else window
            windows.append((name, window))
    problems.extend(_contradicting_pads(step, tuple(windows)))
    return Reading(tuple(windows), tuple(problems))


def _templates(step: Step, operator: Operator, count: int, opsets: Mapping[str, int]) -> list[Window]:
    """Return the window along every axis, but for the length of its input."""
    attributes = Attributes(step.node)
    kernel = _kernel(step, operator, count)
    strides = attributes.numbers("strides", count, least=1, default=1)
    dilations = (1,) * count
    if _takes(step, "dilations", opsets):
        dilations = attributes.numbers("dilations", count, least=1, default=1)
    mode, padding = _padding(attributes, count)
    made = attributes.numbers("output_padding", count, least=0, default=0) if operator.transposed else (0,) * count
    return [
        Window(
            input=1,
            kernel=kernel[axis],
            stride=strides[axis],
            padding=padding[axis],
            dilation=dilations[axis],
            mode=mode,
            rounding=_rounding(step, opsets),
            transposed=operator.transposed,
            output_padding=made[axis],
        )
        for axis in range(count)
    ]


def _kernel(step: Step, operator: Operator, count: int) -> tuple[int, ...]:
    """Return the lengths of the kernel, from the attribute or from the weight."""
    attributes = Attributes(step.node)
    if operator.weight is None or attributes.has("kernel_shape"):
        return attributes.numbers("kernel_shape", count, least=1)
    name = step.node.input[operator.weight] if len(step.node.input) > operator.weight else ""
    shape = step.scope.shape(name)
    lengths = tuple(length for length in (shape or ())[2:] if isinstance(length, int))
    if shape is None or len(lengths) != len(shape) - 2:
        raise UnreadableError(f"kernel_shape is left out, and the lengths of the kernel {shown(name)!r} are not known")
    if len(lengths) != count or min(lengths) < 1:
        expected = f"expected {count} lengths of at least 1 behind the first two"
        raise UnreadableError(f"the kernel {shown(name)!r} has the shape {shape_text(shape)}, {expected}")
    return lengths


def _padding(attributes: Attributes, count: int) -> tuple[PadMode | None, list[tuple[int, int]]]:
    """Return how the input is padded: by a mode, or by so much at either end of every axis."""
    word = attributes.word("auto_pad", "NOTSET")
    if word not in _AUTO_PADS:
        raise UnreadableError(f"attribute auto_pad must be one of {', '.join(_AUTO_PADS)}, got {word!r}")
    if attributes.has("pads"):
        pads = attributes.numbers("pads", 2 * count, least=0)
        return None, list(zip(pads[:count], pads[count:], strict=True))
    return _MODES.get(word), [(0, 0)] * count


def _rounding(step: Step, opsets: Mapping[str, int]) -> Rounding:
    """Return what becomes of a last window that does not fit; ONNX Runtime's own pools follow the newest rule."""
    mode = Attributes(step.node).number("ceil_mode", 0)
    if mode not in {0, 1}:
        raise UnreadableError(f"attribute ceil_mode must be 0 or 1, got {mode}")
    if mode == 0:
        return Rounding.FLOOR
    schema = schema_of(step.node, opsets)
    return Rounding.CEIL if schema is None or schema.since_version >= _DROPS else Rounding.CEIL_ALWAYS


def _takes(step: Step, name: str, opsets: Mapping[str, int]) -> bool:
    """Return whether a node's operator has an attribute, in the model's opset."""
    schema = schema_of(step.node, opsets)
    return schema is None or name in schema.attributes


def _unknown_attributes(step: Step, opsets: Mapping[str, int]) -> Iterator[str]:
    """Yield what the node asks for that its operator does not have in the model's opset."""
    operator, domain = step.node.op_type, step.node.domain
    version = opsets.get("" if domain == "ai.onnx" else domain, 1)
    if schema_of(step.node, opsets) is None and domain in {"", "ai.onnx"}:
        yield f"there is no {operator} in opset {version}"
    for name in ("dilations", "ceil_mode", "auto_pad", "output_padding", "output_shape"):
        attributes = Attributes(step.node)
        if attributes.has(name) and not attributes.says_nothing(name) and not _takes(step, name, opsets):
            ignored = ": it is passed over" if name == "dilations" else ""
            yield f"{operator} has no attribute {name} in opset {version}{ignored}"


def _contradicting_pads(step: Step, windows: tuple[tuple[str, Window], ...]) -> Iterator[str]:
    """Yield how ``pads`` and ``auto_pad`` contradict each other; they must not both be given."""
    attributes = Attributes(step.node)
    word = attributes.word("auto_pad", "NOTSET")
    if word == "NOTSET" or not attributes.has("pads"):
        return
    for name, window in windows:
        asked = edges(replace(window, mode=_MODES.get(word), padding=(0, 0)))
        if asked != window.padding:
            yield f"along {name}, pads are {window.padding} and auto_pad {word} asks for {asked}: pads count"
