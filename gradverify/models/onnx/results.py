"""What a node makes: as ONNX infers it, beside what its windows make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.models.onnx.shapes import plain
from gradverify.models.onnx.words import shape_text
from gradverify.numerics.geometry import axis_names, describe_impossible, output_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradverify.models.onnx.operators import Operator
    from gradverify.models.onnx.shapes import Lengths
    from gradverify.numerics.geometry import Window
    from gradverify.spec.site import Shape

__all__ = ["contradiction", "output_lengths"]


def output_lengths(
    windows: Sequence[tuple[str, Window]], operator: Operator, shapes: tuple[Lengths, Lengths | None]
) -> Shape | None:
    """Return the shape that ONNX infers; the windows' own lengths are unknown where one of them is impossible.

    Where ONNX infers none, it is what the windows make.

    Parameters
    ----------
    windows
        By axis.
    operator
        Of the node.
    shapes
        Of its input, and of its output as ONNX infers it.
    """
    shape, possible = plain(shapes[1]), not any(describe_impossible(window) for _, window in windows)
    if shape is None and possible and windows:
        sizes, batch = [output_size(window) for _, window in windows], plain(shapes[0][:1]) or ()
        whole = len(sizes) == len(operator.spatial(len(shapes[0]))) or operator.folds
        return ((*batch, *sizes, None) if operator.channels_last else (*batch, None, *sizes)) if whole else None
    if shape is None or possible:
        return shape
    spatial = operator.spatial(len(shape))
    return tuple(None if axis in spatial else length for axis, length in enumerate(shape))


def contradiction(windows: Sequence[tuple[str, Window]], operator: Operator, made: Lengths | None) -> Iterator[str]:
    """Yield where ONNX infers another length than the windows make: nodes after this one are judged by ONNX's."""
    if made is None:
        return
    spatial = operator.spatial(len(made))
    places = dict(zip(axis_names(len(spatial)), spatial, strict=True))
    for name, window in windows:
        if name not in places:
            yield f"ONNX infers the shape {shape_text(made)} for its output, which has no {name}"
        elif (
            describe_impossible(window) is None
            and isinstance(made[places[name]], int)
            and (made[places[name]] != output_size(window))
        ):
            yield f"ONNX infers {made[places[name]]} along {name}, its windows make {output_size(window)}"
