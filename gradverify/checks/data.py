"""The arrays of a case: inputs and cotangents, from the seed or from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.numerics.sampling import cotangent, fill, signs, stream
from gradverify.spec.model import Case, Fill, InputSpec

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["cotangents_of", "differentiable_names", "file_shape", "inputs_of", "rounded"]


def inputs_of(case: Case) -> dict[str, NDArray[Any]]:
    """Return every input of a case, in its dtype.

    Data depend on the seed, the case's name and the input's name only: not on order, sweep, implementation or worker.
    They are drawn in double precision and rounded to the dtype.

    Raises
    ------
    TargetError
        A file cannot be read, or holds no array of that name or no numbers.
    """
    return {item.name: _array(item, case) for item in case.inputs}


def _array(item: InputSpec, case: Case) -> NDArray[Any]:
    if item.fill is Fill.FILE:
        loaded = _load(item)
        keep = item.dtype is None and loaded.dtype.kind in "biu"
        return loaded if keep else loaded.astype(item.dtype or case.dtype)
    if item.fill is Fill.VALUES:
        return np.array(item.values, dtype=item.dtype or case.dtype)
    shape = tuple(int(length) for length in item.shape or ())
    random = stream(case.seed, "input", case.name, item.name)
    return np.asarray(fill(item.fill.value, shape, item.options, random)).astype(item.dtype or case.dtype)


def _load(item: InputSpec) -> NDArray[Any]:
    try:
        loaded = np.load(str(item.file), allow_pickle=False)
    except (OSError, ValueError) as error:
        raise TargetError(f"input '{item.name}': {item.file} cannot be read: {error}") from None
    if item.key is None:
        array = loaded
    else:
        with loaded:
            if item.key not in loaded.files:
                names = ", ".join(loaded.files)
                raise TargetError(f"input '{item.name}': there is no '{item.key}' in {item.file}, expected {names}")
            array = loaded[item.key]
    if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)):
        raise TargetError(f"input '{item.name}': {item.file} holds {array.dtype}, expected finite real numbers")
    return np.asarray(array)


def file_shape(item: InputSpec) -> tuple[int, ...]:
    """Return the shape of an input that a file holds."""
    return tuple(_load(item).shape)


def differentiable_names(case: Case, inputs: dict[str, NDArray[Any]]) -> tuple[str, ...]:
    """Return the inputs that have a gradient: those of a floating dtype that the spec does not call constants."""
    return tuple(item.name for item in case.inputs if item.differentiable and inputs[item.name].dtype.kind == "f")


def cotangents_of(case: Case, outputs: tuple[NDArray[Any], ...], kind: str = "random") -> tuple[NDArray[Any], ...]:
    """Return a cotangent for every output, in its dtype.

    Parameters
    ----------
    case
        Gives the seed and the name.
    outputs
        What forward returned.
    kind
        ``random``: signed, from streams of their own; ``ones``; ``mean``: one over the number of entries; ``single``: 0
        but for one random entry.
    """
    drawn = []
    for number, output in enumerate(outputs):
        values = np.full(output.shape, 1.0 / max(output.size, 1) if kind == "mean" else 1.0)
        if kind in {"random", "single"}:
            random = stream(case.seed, "cotangent", case.name, str(number))
            values = np.asarray(cotangent(output.shape, random))
            if kind == "single":
                values[np.arange(output.size).reshape(output.shape) != random.integers(output.size)] = 0.0
        drawn.append(values.astype(output.dtype))
    return tuple(drawn)


def rounded(case: Case, name: str, value: NDArray[Any], dtype: np.dtype[Any], turn: int = 0) -> NDArray[Any]:
    """Return an input whose entries are moved by a rounding of a dtype, up or down at random; integers as they are.

    Every turn draws anew.
    """
    if dtype.kind != "f":
        return value
    directions = signs(value.shape, stream(case.seed, "rounding", case.name, name, str(turn)))
    moved: NDArray[Any] = value * (1 + np.finfo(dtype).eps * directions).astype(value.dtype)
    return moved
