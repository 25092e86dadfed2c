"""ONNX files without their weights: what tensors hold is left out before anything is parsed.

Only lengths matter to an audit, and the few small tensors that say how others are shaped. A model of gigabytes is
skimmed in the time it takes to step from one tensor to the next. Field numbers are those of ``onnx.proto``; the wire
format is that of protocol buffers: a key ``number << 3 | kind``, then a varint (0), eight bytes (1), a length and as
many bytes (2), or four bytes (5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MalformedError", "skim"]

# Tensors that say how others are shaped are smaller, weights worth leaving out are larger.
_LARGEST_KEPT = 8192
# As deep as protocol buffers go themselves.
_DEEPEST = 100
_LONGEST_VARINT = 10

# Which fields of a message hold messages with tensors in them.
_WITHIN = {
    "model": {7: "graph", 25: "function"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
# The values of a tensor: float, int32, string, int64, raw, double and uint64 data.
_VALUES = frozenset({4, 5, 6, 7, 9, 10, 11})


class MalformedError(ValueError):
    """What was read is not a protocol buffer, or ends in the middle of one."""


def skim(data: memoryview) -> bytes:
    """Return a serialized ``ModelProto`` without the values of its large tensors.

    Raises
    ------
    MalformedError
        It is no protocol buffer, or one that was cut off.
    """
    return b"".join(_skim(data, "model", 0))


def _skim(data: memoryview, kind: str, depth: int) -> Iterator[bytes | memoryview]:
    """Yield what is kept of one message, piece by piece."""
    within = _WITHIN[kind]
    for start, body, end, number, wire in _fields(data):
        large = wire == 2 and end - body > _LARGEST_KEPT
        if large and kind == "tensor" and number in _VALUES:
            continue
        if large and number in within and depth < _DEEPEST:
            inner = b"".join(_skim(data[body:end], within[number], depth + 1))
            yield _varint(number << 3 | 2) + _varint(len(inner)) + inner
        else:
            yield data[start:end]


def _fields(data: memoryview) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield start, start of the body, end, number and kind of every field."""
    position = 0
    while position < len(data):
        key, body = _read_varint(data, position)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise MalformedError("it has a field without a number")
        end = body
        if wire == 0:
            _, end = _read_varint(data, body)
        elif wire == 2:
            length, body = _read_varint(data, body)
            end = body + length
        elif wire in {1, 5}:
            end += 8 if wire == 1 else 4
        else:
            raise MalformedError(f"it has a field of an unknown kind {wire}")
        if end > len(data):
            raise MalformedError(f"it ends {end - len(data)} bytes too early: it was cut off")
        yield position, body, end, number, wire
        position = end


def _read_varint(data: memoryview, position: int) -> tuple[int, int]:
    """Return a whole number, and where the next thing starts."""
    value = 0
    for shift in range(_LONGEST_VARINT):
        if position >= len(data):
            raise MalformedError("it ends in the middle of a number: it was cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, position
    raise MalformedError("it has a number of more than ten bytes")


def _varint(value: int) -> bytes:
    """Write a whole number, seven bits a byte, the lowest first."""
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
