"""Shapes as ONNX writes them: lengths that are known, have a name, or neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import onnx

    from gradverify.spec.site import Shape

__all__ = ["Length", "Lengths", "known", "plain", "read_shape", "same_kind", "true_inputs", "write_shape"]

# A number, the name of a symbolic size, or None.
Length: TypeAlias = int | str | None
Lengths: TypeAlias = tuple[Length, ...]

# More axes than any tensor has: a file that claims more is not followed.
_MOST_AXES = 64


def read_shape(value: onnx.TypeProto) -> Lengths | None:
    """Return the lengths of a tensor's type; ``None`` where there are none, or where it is no tensor."""
    if not value.HasField("tensor_type") or not value.tensor_type.HasField("shape"):
        return None
    dims = value.tensor_type.shape.dim
    return tuple(_length(dim) for dim in dims) if len(dims) <= _MOST_AXES else None


def write_shape(value: onnx.TypeProto, shape: Iterable[Length]) -> None:
    """Put the lengths into a tensor's type in place of those it has."""
    tensor = value.tensor_type
    tensor.ClearField("shape")
    tensor.shape.SetInParent()
    for length in shape:
        dim = tensor.shape.dim.add()
        if isinstance(length, int):
            dim.dim_value = length
        elif length is not None:
            dim.dim_param = length


def known(shape: Lengths | None) -> bool:
    """Return whether every length of a shape is a number."""
    return shape is not None and all(isinstance(length, int) for length in shape)


def plain(shape: Sequence[Length] | None) -> Shape | None:
    """Return the shape with ``None`` in the place of names."""
    return None if shape is None else tuple(length if isinstance(length, int) else None for length in shape)


def same_kind(shape: Lengths | None, other: Lengths | None) -> bool:
    """Return whether two shapes can be those of one tensor: no two known lengths differ."""
    if shape is None or other is None:
        return True
    pairs = zip(shape, other, strict=False)
    differ = any(isinstance(one, int) and isinstance(two, int) and one != two for one, two in pairs)
    return len(shape) == len(other) and not differ


def true_inputs(graph: onnx.GraphProto) -> Iterator[onnx.ValueInfoProto]:
    """Yield what goes into a graph; up to IR version 3, its weights stand among its inputs."""
    weights = {tensor.name for tensor in graph.initializer}
    yield from (value for value in graph.input if value.name not in weights)


def _length(dim: onnx.TensorShapeProto.Dimension) -> Length:
    """Return one length. A negative one is what ONNX infers of a window that does not fit: it is not known."""
    if dim.HasField("dim_value"):
        return int(dim.dim_value) if dim.dim_value >= 0 else None
    return dim.dim_param or None
