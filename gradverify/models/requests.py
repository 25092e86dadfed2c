"""What is asked of the readers of models: plain values that cross process borders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ModelRequest", "OnnxRequest", "TorchRequest"]


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
    """

    file: str
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    in_order: tuple[tuple[int, ...], ...] = ()
    resizes: bool = False


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
    input_shapes: tuple[tuple[str, tuple[int, ...], str], ...] = ()
    folder: str = "."


ModelRequest: TypeAlias = OnnxRequest | TorchRequest
