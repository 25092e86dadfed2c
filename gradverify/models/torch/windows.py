"""The windows of a call, from its arguments and the shape of its input; torch itself is not needed here."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.models.torch.operations import Kind, Operation
from gradverify.numerics.geometry import PadMode, Rounding, Window, axis_names, folded, output_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Windows", "lengths_made", "windows_of"]

Windows: TypeAlias = tuple[tuple[str, Window], ...]


def windows_of(operation: Operation, arguments: Mapping[str, Any], shape: tuple[int, ...]) -> Windows:
    """Return the name of every spatial axis, and the window along it; nothing for an operation without any.

    Parameters
    ----------
    operation
        What is called.
    arguments
        By name, as :func:`gradverify.models.torch.operations.bound` returns them.
    shape
        Of the input; the spatial axes are the last ones.

    Raises
    ------
    KeyError, TypeError, ValueError
        The arguments are none that torch could take.
    """
    names = axis_names(operation.axes)
    lengths = shape[-operation.axes :]
    if operation.kind is not Kind.FOLD and min(lengths) < 1:
        raise ValueError("an axis without rows has no windows")
    windows = _READERS[operation.kind](arguments, tuple(lengths))
    for window in windows:
        _check(window)
    return tuple(zip(names, windows, strict=True)) if windows else ()


def _check(window: Window) -> None:
    for name in ("kernel", "stride", "dilation"):
        if getattr(window, name) < 1:
            raise ValueError(f"{name} {getattr(window, name)}, expected at least 1")
    if min(*window.padding, window.output_padding) < 0:
        raise ValueError("a negative padding, expected at least 0")


def lengths_made(kind: Kind, windows: Windows, shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the lengths that torch made and those that the windows have, side by side; ``shape`` is of the output."""
    sizes = tuple(output_size(window) for _, window in windows)
    if kind is Kind.UNFOLD:
        return shape[-1:], (prod(sizes),)
    return shape[-len(sizes) :], sizes


def _convolutions(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:
    count = len(lengths)
    padding = arguments.get("padding", 0)
    mode = PadMode.SAME_UPPER if padding == "same" else None
    edges = _spread(0 if isinstance(padding, str) else padding, count)
    kernels, strides = _kernel(arguments, count), _spread(arguments.get("stride", 1), count)
    dilations = _spread(arguments.get("dilation", 1), count)
    return [
        Window(length, kernel, stride, (edge, edge), dilation, mode=mode)
        for length, kernel, stride, edge, dilation in zip(lengths, kernels, strides, edges, dilations, strict=True)
    ]


def _transposed(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:
    count = len(lengths)
    columns = (
        _kernel(arguments, count),
        *(_spread(arguments.get(name, default), count) for name, default in _TRANSPOSED_DEFAULTS),
    )
    return [
        Window(length, kernel, stride, (edge, edge), dilation, transposed=True, output_padding=added)
        for length, kernel, stride, edge, dilation, added in zip(lengths, *columns, strict=True)
    ]


_TRANSPOSED_DEFAULTS = (("stride", 1), ("padding", 0), ("dilation", 1), ("output_padding", 0))


def _pools(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:
    count = len(lengths)
    rounding = Rounding.CEIL if arguments.get("ceil_mode", False) else Rounding.FLOOR
    kernels, strides = _kernel_and_stride(arguments, count)
    edges, dilations = _spread(arguments.get("padding", 0), count), _spread(arguments.get("dilation", 1), count)
    return [
        Window(length, kernel, stride, (edge, edge), dilation, rounding=rounding)
        for length, kernel, stride, edge, dilation in zip(lengths, kernels, strides, edges, dilations, strict=True)
    ]


def _adaptive(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:
    """Return the windows of an adaptive pool where they all have one size: where the lengths divide."""
    given = arguments["output_size"]
    wanted = given if isinstance(given, (tuple, list)) else (given,) * len(lengths)
    sizes = [length if size is None else int(size) for size, length in zip(wanted, lengths, strict=True)]
    if any(size < 1 or length % size for size, length in zip(sizes, lengths, strict=True)):
        return []
    return [Window(length, length // size, length // size) for size, length in zip(sizes, lengths, strict=True)]


def _none(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:  # noqa: ARG001  as the others have it
    return []


def _unpools(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:
    """Return what unpooling makes: a size that is asked for has rows more or less at the far end."""
    count = len(lengths)
    kernels, strides = _kernel_and_stride(arguments, count)
    edges = _spread(arguments.get("padding", 0), count)
    asked = arguments.get("output_size")
    rows = zip(lengths, kernels, strides, edges, strict=True)
    plain = [Window(length, kernel, stride, (edge, edge), transposed=True) for length, kernel, stride, edge in rows]
    if not asked:
        return plain
    return [_of_size(window, int(size)) for window, size in zip(plain, tuple(asked)[-count:], strict=True)]


def _of_size(window: Window, size: int) -> Window:
    more = size - output_size(window)
    low, high = window.padding
    return replace(window, padding=(low, high + max(0, -more)), output_padding=max(0, more))


def _folds(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:  # noqa: ARG001  blocks, not rows
    """Return what folding makes: as many blocks along each axis as the unfolding of its output would give."""
    sizes = _spread(arguments["output_size"], 2)
    return [folded(window) for window in _pools(arguments, sizes)]


def _slices(arguments: Mapping[str, Any], lengths: tuple[int, ...]) -> list[Window]:
    return [Window(lengths[0], int(arguments["size"]), int(arguments["step"]))]


_READERS: dict[Kind, Callable[[Mapping[str, Any], tuple[int, ...]], list[Window]]] = {
    Kind.CONVOLUTION: _convolutions,
    Kind.TRANSPOSED: _transposed,
    Kind.POOL: _pools,
    Kind.ADAPTIVE: _adaptive,
    Kind.FRACTIONAL: _none,
    Kind.UNPOOL: _unpools,
    Kind.UNFOLD: _pools,
    Kind.FOLD: _folds,
    Kind.SLICES: _slices,
}


def _kernel(arguments: Mapping[str, Any], count: int) -> tuple[int, ...]:
    shape = tuple(arguments["weight"].shape)
    if len(shape) != count + 2:
        raise ValueError("the weight has another number of axes")
    return shape[2:]


def _kernel_and_stride(arguments: Mapping[str, Any], count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return both; a stride that is not given is the kernel size."""
    kernels = _spread(arguments["kernel_size"], count)
    stride = arguments.get("stride")
    return kernels, kernels if stride is None or stride in ([], ()) else _spread(stride, count)


def _spread(value: Any, count: int) -> tuple[int, ...]:
    """Return a number for every axis: those given, or the one given."""
    if not isinstance(value, (tuple, list)):
        return (int(value),) * count
    numbers = tuple(int(item) for item in value)
    if len(numbers) not in {1, count}:
        raise ValueError("another number of axes")
    return numbers * count if len(numbers) == 1 else numbers
