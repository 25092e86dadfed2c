"""The arrays of a case: inputs and cotangents, from the seed or from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError
from gradverify.numerics.sampling import cotangent, fill, signs, stream
from gradverify.spec.model import ArrayFile, Case, Fill, InputSpec

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
        loaded = _of_file(item)
        keep = item.dtype is None and loaded.dtype.kind in "biu"
        return loaded if keep else loaded.astype(item.dtype or case.dtype)
    if item.fill is Fill.VALUES:
        return np.array(item.values, dtype=item.dtype or case.dtype)
    shape = tuple(int(length) for length in item.shape or ())
    random = stream(case.seed, "input", case.name, item.name)
    return np.asarray(fill(item.fill.value, shape, item.options, random)).astype(item.dtype or case.dtype)


def _of_file(item: InputSpec) -> NDArray[Any]:
    return _load(ArrayFile(str(item.file), item.key), f"input '{item.name}'")


def _load(source: ArrayFile, what: str) -> NDArray[Any]:
    try:
        loaded = np.load(source.file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise TargetError(f"{what}: {source.file} cannot be read: {error}") from None
    if source.key is None:
        array = loaded
    else:
        with loaded:
            if source.key not in loaded.files:
                names = ", ".join(loaded.files)
                raise TargetError(f"{what}: there is no '{source.key}' in {source.file}, expected {names}")
            array = loaded[source.key]
    if array.dtype.kind not in "biuf" or not np.all(np.isfinite(array)):
        raise TargetError(f"{what}: {source.file} holds {array.dtype}, expected finite real numbers")
    return np.asarray(array)


def file_shape(item: InputSpec) -> tuple[int, ...]:
    """Return the shape of an input that a file holds."""
    return tuple(_of_file(item).shape)


def differentiable_names(case: Case, inputs: dict[str, NDArray[Any]]) -> tuple[str, ...]:
    """Return the inputs that have a gradient: those of a floating dtype that the spec does not call constants."""
    return tuple(item.name for item in case.inputs if item.differentiable and inputs[item.name].dtype.kind == "f")


def cotangents_of(case: Case, outputs: tuple[NDArray[Any], ...], kind: str = "random") -> tuple[NDArray[Any], ...]:
    """Return a cotangent for every output, in its dtype.

    Parameters
    ----------
    case
        Gives the seed and the name, or the files that hold the cotangents, whatever the kind.
    outputs
        What forward returned.
    kind
        ``random``: signed, from streams of their own; ``ones``; ``mean``: one over the number of entries; ``single``: 0
        but for one random entry.

    Raises
    ------
    TargetError
        A file cannot be read, or its array has not the shape of its output, or there is not a file for each output.
    """
    if isinstance(case.cotangent, tuple):
        return _cotangents_of_files(case.cotangent, outputs)
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


def _cotangents_of_files(sources: tuple[ArrayFile, ...], outputs: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
    if len(sources) != len(outputs):
        raise TargetError(f"cotangent: {len(sources)} in files, expected {len(outputs)}, one for each output")
    loaded = []
    for number, (source, output) in enumerate(zip(sources, outputs, strict=True), 1):
        array = _load(source, f"cotangent {number}")
        if array.shape != output.shape:
            has = f"cotangent {number}: {source.file} has shape {list(array.shape)}"
            raise TargetError(f"{has}, expected {list(output.shape)} as the output")
        loaded.append(array.astype(output.dtype))
    return tuple(loaded)


def rounded(case: Case, name: str, value: NDArray[Any], dtype: np.dtype[Any], turn: int = 0) -> NDArray[Any]:
    """Return an input whose entries are moved by a rounding of a dtype, up or down at random; integers as they are.

    Every turn draws anew.
    """
    if dtype.kind != "f":
        return value
    directions = signs(value.shape, stream(case.seed, "rounding", case.name, name, str(turn)))
    moved: NDArray[Any] = value * (1 + np.finfo(dtype).eps * directions).astype(value.dtype)
    return moved
