"""Lengths that nobody said: which symbolic size to give, or what stands in the way.

Whether giving a size would help is tried, not guessed: the model is inferred once more with numbers in the place of
its symbolic sizes, those of batches last.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import onnx

from gradverify.models.onnx.culprits import Upstream
from gradverify.models.onnx.graph import steps_of
from gradverify.models.onnx.inference import infer
from gradverify.models.onnx.shapes import known, read_shape, true_inputs, write_shape
from gradverify.models.onnx.words import shape_text, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradverify.models.onnx.graph import Step
    from gradverify.models.onnx.inputs import Inputs
    from gradverify.models.onnx.preparing import Source
    from gradverify.models.onnx.shapes import Length, Lengths

__all__ = ["Asker"]

# Large enough for any kernel.
_TRIED = 4096
# What an example shows: batch, channels, and any other length.
_EXAMPLE = (1, 3, 224)
# How many axes an input may have that has no shape, the likeliest first.
_RANKS = (4, 3, 5, 2)


@dataclass(frozen=True, slots=True)
class _Trial:
    """The nodes among some shapes, and where those that are not known come from."""

    steps: Sequence[Step]
    upstream: Upstream


@dataclass(slots=True)
class Asker:
    """Says why lengths are not known; trying costs an inference each, once a model.

    Attributes
    ----------
    source
        The model.
    steps
        Its nodes.
    inputs
        Its inputs, as the file and the user have them.
    """

    source: Source
    steps: Sequence[Step]
    inputs: Inputs
    _tried: dict[tuple[bool, int], _Trial] = field(default_factory=dict)
    _upstream: Upstream = field(init=False)

    def __post_init__(self) -> None:
        self._upstream = Upstream(self.source.opsets)

    def explain(self, position: int, axes: Sequence[tuple[str, int]]) -> str:
        """Say why lengths of the input of a node are not known, and what to do.

        Parameters
        ----------
        position
            Which node.
        axes
            Names and places of the axes in question; none where not even their number is known.
        """
        step = self.steps[position]
        name = step.node.input[0]
        if len(axes) == 1:
            what = f"the length of {axes[0][0]} is not known"
        elif axes:
            what = f"the lengths of {' and '.join(axis for axis, _ in axes)} are not known"
        else:
            what = f"the shape of its input {shown(name)!r} is not known"
        asked = self._ask(position, name, axes)
        if asked:
            return f"{what}: {asked}"
        symbolic = any(_asked(shape, batches=True) for _, shape in self.inputs)
        last = self._try(batches=True) if symbolic else _Trial(self.steps, self._upstream)
        culprit = last.upstream.origins(last.steps[position], name).culprit
        return f"{what} {culprit or 'because ONNX infers no shape for it'}"

    def _ask(self, position: int, name: str, axes: Sequence[tuple[str, int]]) -> str | None:
        """Name the sizes to give, if that helps."""
        step = self.steps[position]
        before = self._upstream.origins(step, name).inputs
        shapes = {other: shape for other, shape in self.inputs if other in before and not known(shape)}
        for batches in (False, True):
            if any(_asked(shape, batches=batches) for shape in shapes.values()):
                tried = self._try(batches=batches).steps[position]
                if _known_along(tried.scope.shape(name), axes):
                    found = step.scope.shape(name)
                    return _request(shapes, _symbols(found, axes), batches=batches)
        missing = [other for other, shape in shapes.items() if shape is None]
        for rank in _RANKS if missing else ():
            tried = self._try(batches=True, rank=rank).steps[position]
            if tried.scope.shape(name) and any(tried.scope.shape(made) for made in tried.node.output):
                listed = " and ".join(f"input {shown(other)!r} has no shape" for other in missing)
                return f"{listed}: give {' '.join(_example(other, (None,) * rank) for other in missing)}"
        return None

    def _try(self, *, batches: bool, rank: int = 0) -> _Trial:
        """Return the nodes among the shapes that numbers in the place of symbolic sizes lead to.

        Inputs without a shape get ``rank`` lengths, if it is not 0.
        """
        if (batches, rank) not in self._tried:
            model = onnx.ModelProto()
            model.CopyFrom(self.source.model)
            _fill(model, batches=batches, rank=rank)
            source = replace(self.source, model=model)
            self._tried[batches, rank] = _Trial(steps_of(model, infer(source)), Upstream(source.opsets))
        return self._tried[batches, rank]


def _fill(model: onnx.ModelProto, *, batches: bool, rank: int) -> None:
    """Put numbers in the place of symbolic sizes, the same for each that has one name."""
    symbols: dict[Length, int] = {}
    for value in true_inputs(model.graph):
        shape = read_shape(value.type) or ((None,) * rank if rank and value.type.HasField("tensor_type") else None)
        places = _asked(shape, batches=batches)
        for axis in places:
            length = (shape or ())[axis]
            if length is not None:
                symbols.setdefault(length, (1, 3, _TRIED)[min(axis, 2)])
        if shape is not None:
            filled = [symbols.get(length, length) for length in shape]
            write_shape(value.type, [_number(axis, each, places) for axis, each in enumerate(filled)])


def _number(axis: int, length: Length, places: Sequence[int]) -> Length:
    """Return the length, or a number where one without a name is to be filled in."""
    return (1, 3, _TRIED)[min(axis, 2)] if length is None and axis in places else length


def _asked(shape: Lengths | None, *, batches: bool) -> tuple[int, ...]:
    """Return the axes whose lengths are to be given; those of batches only where asked for."""
    return tuple(
        axis for axis, length in enumerate(shape or ()) if not isinstance(length, int) and (axis > 0 or batches)
    )


def _known_along(shape: Lengths | None, axes: Sequence[tuple[str, int]]) -> bool:
    return shape is not None and all(isinstance(shape[axis], int) for _, axis in axes if axis < len(shape))


def _symbols(shape: Lengths | None, axes: Sequence[tuple[str, int]]) -> frozenset[Length]:
    """Return the names that the lengths in question have themselves."""
    return frozenset(shape[axis] for _, axis in axes if isinstance(shape[axis], str)) if shape else frozenset()


def _request(shapes: dict[str, Lengths | None], symbols: frozenset[Length], *, batches: bool) -> str:
    """Name the inputs and their sizes that are to be given, with an example."""
    wanted = {name: _asked(shape, batches=batches) for name, shape in shapes.items()}
    exact = {
        name: tuple(axis for axis in places if (shapes[name] or ())[axis] in symbols) for name, places in wanted.items()
    }
    chosen = exact if any(exact.values()) else wanted
    named = {name: (shape, chosen[name]) for name, shape in shapes.items() if shape is not None and chosen[name]}
    listed = " and ".join(_described(name, shape, places) for name, (shape, places) in named.items())
    return f"{listed}: give {' '.join(_example(name, shape) for name, (shape, _) in named.items())}"


def _described(name: str, shape: Lengths, places: Sequence[int]) -> str:
    symbols = [repr(shown(length)) for axis in places if isinstance(length := shape[axis], str)]
    unnamed = [str(axis) for axis in places if shape[axis] is None]
    said = [f"the symbolic size{'s' if len(symbols) > 1 else ''} {' and '.join(symbols)}"] if symbols else []
    said += [f"no size along axis {' and '.join(unnamed)}"] if unnamed else []
    return f"input {shown(name)!r} has {' and '.join(said)}"


def _example(name: str, shape: Lengths) -> str:
    lengths = [each if isinstance(each, int) else _EXAMPLE[min(axis, 2)] for axis, each in enumerate(shape)]
    return f"--input-shape {shown(name)}={shape_text(lengths)}"
