"""Lengths that a user gives for the inputs of a model: checked, and put in the place of what the file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.errors import ModelError, nearest_name
from gradverify.models.onnx.shapes import read_shape, true_inputs, write_shape
from gradverify.models.onnx.words import described_inputs, shape_text, shown

if TYPE_CHECKING:
    import onnx

    from gradverify.models.onnx.shapes import Length, Lengths
    from gradverify.models.requests import OnnxRequest

__all__ = ["Inputs", "give_shapes", "inputs_of"]

Inputs = tuple[tuple[str, "Lengths | None"], ...]


def inputs_of(model: onnx.ModelProto) -> Inputs:
    """Return name and lengths of everything that goes into a model."""
    return tuple((value.name, read_shape(value.type)) for value in true_inputs(model.graph))


def give_shapes(model: onnx.ModelProto, request: OnnxRequest) -> bool:
    """Put the lengths that were given into the model, and return whether there were any for it.

    A symbolic size that is given once counts wherever it stands.

    Raises
    ------
    ModelError
        An input is unknown or given twice, has another number of axes, or a fixed length that differs.
    """
    declared = dict(inputs_of(model))
    given = _given(request, declared)
    symbols: dict[Length, int] = {}
    for name, shape in given.items():
        _check(name, shape, declared, request)
        for length, number in zip(declared[name] or (), shape, strict=False):
            if isinstance(length, str) and symbols.setdefault(length, number) != number:
                detail = f"the symbolic size {shown(length)!r} is {symbols[length]} and {number}"
                raise ModelError(_wrong(name, detail, "expected one number for it", declared, request.file))
    for value in true_inputs(model.graph):
        lengths = given.get(value.name) or declared[value.name]
        if lengths is not None:
            write_shape(value.type, [symbols.get(length, length) for length in lengths])
    return bool(given)


def _given(request: OnnxRequest, declared: dict[str, Lengths | None]) -> dict[str, tuple[int, ...]]:
    """Return what was given by the name of the input that is meant."""
    file, shapes = request.file, request.in_order
    named = request.input_shapes
    if request.beside_others:
        named = {name: shape for name, shape in named.items() if name in declared}
    if not declared and (shapes or named):
        raise ModelError(f"{file}: has no inputs, expected none in --input-shape: leave it out")
    if len(shapes) > len(declared):
        got = f"{len(shapes)} shapes without a name were given"
        raise ModelError(f"{file}: {got}, expected one for each input at most ({_listed(declared)})")
    ordered = dict(zip(declared, shapes, strict=False))
    for name in named:
        if name not in declared:
            nearest = nearest_name(name, tuple(shown(other) for other in declared))
            raise ModelError(f"{file}: has no input {shown(name)!r}, {nearest} ({_listed(declared)})")
        if name in ordered:
            got = f"{shape_text(ordered[name])} and {shape_text(named[name])} were given"
            raise ModelError(_wrong(name, got, "expected one shape, in order or by name", declared, file))
    return {**ordered, **named}


def _check(name: str, shape: tuple[int, ...], declared: dict[str, Lengths | None], request: OnnxRequest) -> None:
    """Refuse lengths that the model's own contradict."""
    file = request.file
    if any(length < 1 for length in shape):
        raise ModelError(_wrong(name, f"got {shape_text(shape)}", "expected lengths of at least 1", declared, file))
    own = declared[name]
    if own is None:
        return
    got = f"{shape_text(shape)} was given"
    if len(shape) != len(own):
        raise ModelError(_wrong(name, got, f"expected {len(own)} lengths", declared, file))
    for axis, (fixed, length) in enumerate(zip(own, shape, strict=True)):
        if isinstance(fixed, int) and fixed != length and not request.resizes:
            expected = f"expected {fixed} along axis {axis}, where the model's size is fixed"
            raise ModelError(_wrong(name, got, expected, declared, file))


def _wrong(name: str, got: str, expected: str, declared: dict[str, Lengths | None], file: str) -> str:
    return f"{file}: input {shown(name)!r}: {got}, {expected} ({_listed(declared)})"


def _listed(declared: dict[str, Lengths | None]) -> str:
    return f"its inputs are {described_inputs(declared.items())}"
