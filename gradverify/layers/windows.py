"""What every windowed layer shares: its sizes, its zero padding, and the grid of entries that a window reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from gradverify.numerics.geometry import Window, output_size, pair

__all__ = ["Array", "Edges", "Extent", "Grid", "Pair", "Slide", "crop", "gather", "pad", "scatter", "slide"]

Array: TypeAlias = NDArray[Any]
Pair: TypeAlias = tuple[int, int]
Extent: TypeAlias = int | Sequence[int]
Edges: TypeAlias = tuple[Pair, Pair]
Grid: TypeAlias = tuple[slice, slice]


class Slide(NamedTuple):
    """How a window slides over an image; every field is ``(vertical, horizontal)``.

    Attributes
    ----------
    input, kernel, stride, padding, dilation, output
        ``H``, ``HH``, ``S``, ``P``, ``D`` and ``H'``.
    """

    input: Pair
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    output: Pair

    @property
    def edges(self) -> Edges:
        """The padding as ``((P, P), (P, P))``: before and after, per axis."""
        (rows, columns) = self.padding
        return (rows, rows), (columns, columns)

    def window(self, k: int, l: int) -> Grid:  # noqa: E741  the formulas call it l
        """Return the entries of the padded input that output ``(k, l)`` reads: ``kS + hD`` for ``h < HH``."""
        (rows, columns), (down, right) = self.stride, self.dilation
        return _grid(k * rows, self.kernel[0], down), _grid(l * columns, self.kernel[1], right)

    def meets(self, h: int, w: int) -> Grid:
        """Return the entries of the padded input that kernel entry ``(h, w)`` meets: ``hD + kS`` for ``k < H'``."""
        (rows, columns), (down, right) = self.stride, self.dilation
        return _grid(h * down, self.output[0], rows), _grid(w * right, self.output[1], columns)

    @property
    def entries(self) -> Iterator[Pair]:
        """The places ``(h, w)`` of the kernel, row by row."""
        return product(range(self.kernel[0]), range(self.kernel[1]))


def _grid(first: int, count: int, step: int) -> slice:
    return slice(first, first + (count - 1) * step + 1, step)


def slide(  # noqa: PLR0913  a window has this many numbers
    size: Sequence[int],
    kernel: Extent,
    *,
    stride: Extent = 1,
    padding: Extent = 0,
    dilation: Extent = 1,
    reads_padding_only: bool = True,
) -> Slide:
    """Return how a window slides over an image of ``size`` ``(H, W)``.

    Raises
    ------
    GeometryError
        The window does not fit its padded input, or lies wholly in padding where it must not.
    """
    vertical, horizontal = size
    return _slide((vertical, horizontal), pair(kernel), pair(stride), pair(padding), pair(dilation), reads_padding_only)


# A gradient check runs one geometry thousands of times.
@lru_cache(maxsize=256)
def _slide(  # noqa: PLR0913, PLR0917  a window has this many numbers
    size: Pair,
    kernel: Pair,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    reads_padding_only: bool,
) -> Slide:
    vertical, horizontal = (
        output_size(Window(length, reach, step, (edge, edge), spread, reads_padding_only))
        for length, reach, step, edge, spread in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    return Slide(size, kernel, stride, padding, dilation, (vertical, horizontal))


def pad(x: Array, edges: Edges, value: float = 0) -> Array:
    """Return a copy of ``x`` with ``value`` around its last two axes; ``edges`` is ((top, bottom), (left, right))."""
    (top, bottom), (left, right) = edges
    rows, columns = x.shape[-2:]
    shape = (*x.shape[:-2], top + rows + bottom, left + columns + right)
    padded = np.full(shape, value, dtype=x.dtype) if value else np.zeros(shape, dtype=x.dtype)
    padded[..., top : top + rows, left : left + columns] = x
    return padded


def crop(padded: Array, edges: Edges) -> Array:
    """Return a copy of what ``pad`` was given: the array without its edges."""
    (top, bottom), (left, right) = edges
    rows, columns = padded.shape[-2:]
    return padded[..., top : rows - bottom, left : columns - right].copy()


def gather(padded: Array, moves: Slide) -> Array:
    """Return every window as ``(N, C, HH, WW, H', W')``, a read-only view of the padded input."""
    samples, channels, vertical, horizontal = padded.strides
    (down, right), (rows, columns) = moves.dilation, moves.stride
    inside, between = (vertical * down, horizontal * right), (vertical * rows, horizontal * columns)
    shape = (*padded.shape[:2], *moves.kernel, *moves.output)
    return as_strided(padded, shape, (samples, channels, *inside, *between), writeable=False)


def scatter(windows: Array, moves: Slide) -> Array:
    """Add windows ``(N, C, HH, WW, H', W')`` up where they were gathered, and crop the padding: ``(N, C, H, W)``.

    The transpose of padding and ``gather``.
    """
    (rows, columns), (vertical, horizontal) = moves.input, moves.padding
    shape = (*windows.shape[:2], rows + 2 * vertical, columns + 2 * horizontal)
    total = np.zeros(shape, dtype=windows.dtype)
    for h, w in moves.entries:
        total[(..., *moves.meets(h, w))] += windows[:, :, h, w]
    return crop(total, moves.edges)
