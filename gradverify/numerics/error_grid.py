"""How wrong a gradient is over two of its axes: what a heat map is drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.results import ErrorGrid

if TYPE_CHECKING:
    from gradverify.numerics.nearby import Nearby

__all__ = ["axes_of", "error_grid"]

# Cells along each axis, at most.
_CELLS = 32


def error_grid(nearby: Nearby) -> ErrorGrid | None:
    """Return the errors of a gradient over two of its axes; ``None`` where nothing fails and nothing is in doubt.

    Of the other axes, and of neighbours on long ones, the largest error counts.
    """
    comparison, shape = nearby.comparison, nearby.analytic.shape
    if not nearby.everything or not np.any(comparison.failed | comparison.inconclusive):
        return None
    axes = axes_of(shape)
    excess = _excess(comparison.difference, comparison.allowed)
    (worst, together), (counts, _) = (
        _over(values.reshape(shape), axes, reduce)
        for values, reduce in ((excess, np.fmax), (comparison.failed.astype(np.int64), np.add))
    )
    return ErrorGrid(
        axes=axes,
        together=together,
        excess=tuple(tuple(float(value) for value in row) for row in worst),
        failed=tuple(tuple(int(count) for count in row) for row in counts),
    )


def axes_of(shape: tuple[int, ...]) -> tuple[int | None, int | None]:
    """Return the axes that a gradient is shown over: the last two, where both are longer than 1, else the two longest.

    Those of images and windows are the last. A vector has one axis, a single number none.
    """
    longer = [axis for axis, length in enumerate(shape) if length > 1]
    if len(longer) < 2:
        return (longer[0] if longer else None), None
    last = (len(shape) - 2, len(shape) - 1)
    if set(last) <= set(longer):
        return last
    one, other = sorted(sorted(longer, key=lambda axis: -shape[axis])[:2])
    return one, other


def _excess(difference: Any, allowed: Any) -> Any:
    """Return differences in units of what is allowed: 0 where there is none, without end where none is allowed."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(difference == 0, 0.0, np.where(np.isinf(difference), np.inf, difference / allowed))


def _over(values: Any, axes: tuple[int | None, int | None], reduce: np.ufunc) -> tuple[Any, tuple[int, int]]:
    """Return an array over two axes as rows of cells, and how many indices of each axis make a cell.

    A vector becomes one row.
    """
    kept = [axis for axis in axes if axis is not None]
    others = tuple(axis for axis in range(values.ndim) if axis not in kept)
    flat = reduce.reduce(values, axis=others) if others else values
    together = [-(-length // _CELLS) for length in flat.shape]
    for axis, count in enumerate(together):
        flat = reduce.reduceat(flat, np.arange(0, flat.shape[axis], count), axis=axis)
    down, across = (*together, 1, 1)[:2]
    return np.atleast_2d(flat), (down, across)
