"""What is asked of the readers of models: plain values that cross process borders."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.site import Model, Shape

__all__ = ["ModelRequest", "NamedShape", "OnnxRequest", "TorchRequest", "reshaped"]


class NamedShape(NamedTuple):
    """The shape of an input: its name, or nothing for inputs in order; lengths; dtype, or nothing for the usual one."""

    name: str
    lengths: tuple[int, ...]
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class OnnxRequest:
    """Read an ONNX file.

    Attributes
    ----------
    file
        As the user named it.
    input_shapes
        Lengths by the input's name.
    in_order
        Lengths that were given without a name: those of the first inputs, in the order of the file.
    resizes
        Whether these may replace lengths that the file fixes: sizes are tried.
    beside_others
        Whether other models are read with the same shapes: a name that this one does not have is theirs.
    """

    file: str
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    in_order: tuple[tuple[int, ...], ...] = ()
    resizes: bool = False
    beside_others: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchRequest:
    """Make a torch module, and run it without data.

    Attributes
    ----------
    factory
        ``module:name``, ``file.py:name``, or a call of either.
    input_shapes
        Name (or nothing, for inputs in order), lengths and dtype (or nothing, for that of the weights) of every input.
    folder
        What the path of a file is relative to, and where its modules are searched first.
    """

    factory: str
    input_shapes: tuple[NamedShape, ...] = ()
    folder: str = "."


ModelRequest: TypeAlias = OnnxRequest | TorchRequest


def reshaped(request: ModelRequest, model: Model, shapes: Mapping[str, Shape]) -> ModelRequest:
    """Return a request that gives some inputs other shapes, and asks of the others what it asked before.

    Parameters
    ----------
    request
        Reads the model as it is.
    model
        What was read.
    shapes
        By the name of the input, as the model has it. A length that is not known, that of a batch, is 1.
    """
    whole = {name: tuple(1 if length is None else length for length in shape) for name, shape in shapes.items()}
    if isinstance(request, TorchRequest):
        pairs = zip(model.inputs, request.input_shapes, strict=True)
        inputs = tuple(given._replace(lengths=whole.get(name, given.lengths)) for (name, _), given in pairs)
        return replace(request, input_shapes=inputs)
    ordered = {name: lengths for (name, _), lengths in zip(model.inputs, request.in_order, strict=False)}
    known = {**ordered, **request.input_shapes, **whole}
    return replace(request, input_shapes=known, in_order=(), resizes=True)
