"""What a reader of models is asked for; plain values that cross process borders."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OnnxRequest"]


@dataclass(frozen=True, slots=True)
class OnnxRequest:
    """An ONNX model to audit.

    Attributes
    ----------
    file
        Where it lies.
    input_shapes
        Lengths by the name of the input; the empty name stands for the first one.
    """

    file: str
    input_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
