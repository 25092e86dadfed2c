"""What a reader of models is asked for. Plain values, picklable: readers run in processes of their own."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TorchRequest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchRequest:
    """A factory to execute, and what its module is given.

    Attributes
    ----------
    factory
        ``module:name``, ``file.py:name``, or a call of either.
    input_shapes
        Name, lengths and dtype of every input; those without a name go by position, and no dtype is float32.
    folder
        What the path of a file is relative to, and where its modules are searched first.
    """

    factory: str
    input_shapes: tuple[tuple[str, tuple[int, ...], str], ...]
    folder: str = "."
