"""Whole numbers that stand in a model: attributes of nodes, and small constant tensors."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import onnx
from onnx import numpy_helper

from gradverify.models.onnx.words import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.models.onnx.graph import Scope

__all__ = ["Attributes", "UnreadableError", "constant_numbers", "small_array"]

# Lengths of windows and paddings are few; nothing larger is one.
_MOST_NUMBERS = 256
# What passes numbers on as they are.
_PASSES = frozenset({"Identity", "Cast"})
_FARTHEST = 16


class UnreadableError(ValueError):
    """Something of a node cannot be read; says what, what was expected and what was found."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """The attributes of a node, where ONNX leaves out those that have their defaults."""

    node: onnx.NodeProto

    def has(self, name: str) -> bool:
        """Return whether the attribute stands on the node."""
        return self._find(name) is not None

    def says_nothing(self, name: str) -> bool:
        """Return whether an attribute of numbers holds what counts without it: dilations of 1, or 0."""
        attribute = self._find(name)
        return attribute is not None and not attribute.s and attribute.i == 0 and set(attribute.ints) <= {1}

    def number(self, name: str, default: int) -> int:
        """Return a whole number."""
        attribute = self._find(name)
        if attribute is None:
            return default
        if attribute.type != onnx.AttributeProto.INT:
            raise UnreadableError(f"attribute {name} must be a whole number, got {_found(attribute)}")
        return int(attribute.i)

    def word(self, name: str, default: str) -> str:
        """Return a word."""
        attribute = self._find(name)
        if attribute is None:
            return default
        if attribute.type != onnx.AttributeProto.STRING:
            raise UnreadableError(f"attribute {name} must be a word, got {_found(attribute)}")
        return shown(attribute.s)

    def numbers(self, name: str, count: int, *, least: int, default: int | None = None) -> tuple[int, ...]:
        """Return ``count`` whole numbers, none below ``least``; the default for all of them where there are none.

        Raises
        ------
        UnreadableError
            There are others, or too many or few.
        """
        attribute = self._find(name)
        if attribute is None:
            if default is None:
                raise UnreadableError(f"attribute {name} is missing, expected {count} whole numbers")
            return (default,) * count
        listed = attribute.type in {onnx.AttributeProto.INTS, onnx.AttributeProto.UNDEFINED}
        found = tuple(attribute.ints)
        if not listed or len(found) != count or min(found, default=least) < least:
            expected = f"{count} whole number{'s' if count != 1 else ''} of at least {least}"
            raise UnreadableError(f"attribute {name} must be {expected}, got {_found(attribute)}")
        return found

    def _find(self, name: str) -> onnx.AttributeProto | None:
        """Return an attribute; of two with one name the last, as ONNX does."""
        return next((each for each in reversed(self.node.attribute) if each.name == name), None)


def constant_numbers(scope: Scope, name: str) -> tuple[int, ...] | None:
    """Return the whole numbers of a small constant tensor, flat; ``None`` where they are not in the file."""
    for _ in range(_FARTHEST):
        tensor = scope.constant(name)
        if tensor is not None:
            return _numbers(tensor)
        home = scope.home(name)
        maker = home.makers.get(name) if home else None
        if home is None or maker is None:
            return None
        if maker.node.op_type == "Constant":
            return _listed(maker.node)
        if maker.node.op_type not in _PASSES or not maker.node.input:
            return None
        scope, name = home, maker.node.input[0]
    return None


def small_array(tensor: onnx.TensorProto, most: int) -> NDArray[Any] | None:
    """Return what a tensor of at most so many numbers holds; ``None`` where that is not in the file."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL or not 0 <= prod(tensor.dims) <= most:
        return None
    try:
        return numpy_helper.to_array(tensor)  # type: ignore[no-any-return]  # onnx is not followed
    except (ValueError, TypeError, KeyError):
        return None  # it has fewer values than its lengths say, or values of no type


def _listed(node: onnx.NodeProto) -> tuple[int, ...] | None:
    """Return the numbers of a ``Constant`` that has them as attributes."""
    for attribute in node.attribute:
        if attribute.name == "value_ints":
            return tuple(attribute.ints)
        if attribute.name == "value_int":
            return (int(attribute.i),)
    return None


def _numbers(tensor: onnx.TensorProto) -> tuple[int, ...] | None:
    whole = tensor.data_type in {onnx.TensorProto.INT64, onnx.TensorProto.INT32}
    found = small_array(tensor, _MOST_NUMBERS) if whole else None
    return None if found is None else tuple(int(value) for value in found.ravel())


def _found(attribute: onnx.AttributeProto) -> str:
    """Write what an attribute holds, shortly."""
    if attribute.type == onnx.AttributeProto.INTS:
        return str(list(attribute.ints)) if len(attribute.ints) <= 12 else f"{len(attribute.ints)} whole numbers"
    if attribute.type == onnx.AttributeProto.INT:
        return str(attribute.i)
    if attribute.type == onnx.AttributeProto.STRING:
        return repr(shown(attribute.s))
    kinds = {number: name for name, number in onnx.AttributeProto.AttributeType.items()}
    return f"an attribute of the type {kinds.get(attribute.type, attribute.type)}"
