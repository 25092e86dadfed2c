"""Where in a gradient the failing elements sit: how many along each axis, and the smallest simple region around them.

A region is a product of indices of every axis, as channel 2 of all samples; or slices along some axes in it, as a
border; or all of it less a product. It is found from the mask of failing elements alone. Every failing element lies in
it, so that what is said of it is true; where it holds as many elements as fail, it is exactly those.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.results import AxisErrors, AxisPart, ErrorMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["error_map"]

# Counts that an axis is shown in, so that a line of them fits a terminal; longer axes are condensed.
_COUNTS = 32
# Failing elements up to which each is named, where they are no whole slice.
_FEW = 3
# Stretches of indices up to which a set of them counts as simple.
_STRETCHES = 3
# Widest border that is looked for where it fails in part.
_WIDEST = 2
# Failing elements an index that tell a part of an axis from elements that met there by chance.
_CROWD = 3


@dataclass(frozen=True, slots=True)
class _Region:
    """What failing elements lie in, as in ``ErrorMap``, and how many elements that holds."""

    size: int
    within: tuple[AxisPart, ...] = ()
    along: tuple[AxisPart, ...] = ()
    without: tuple[AxisPart, ...] = ()

    @property
    def parts(self) -> int:
        """How much there is to say about it."""
        return len(self.within) + len(self.along) + len(self.without)


def error_map(failed: NDArray[np.bool_]) -> ErrorMap | None:
    """Return where the failing elements of a gradient sit; ``None`` where none fails.

    Parameters
    ----------
    failed
        A mask of all elements, of the gradient's shape.
    """
    count = int(np.sum(failed))
    if not count:
        return None
    by_axis = [np.asarray(np.sum(failed, axis=_others(failed, axis))) for axis in range(failed.ndim)]
    found = _region(failed, by_axis, count)
    listed = found is None and count <= _FEW
    region = found or _Region(failed.size)
    return ErrorMap(
        axes=tuple(_axis_errors(axis, counts) for axis, counts in enumerate(by_axis)),
        elements=failed.size,
        failed=count,
        within=region.within,
        along=region.along,
        without=region.without,
        region=region.size,
        listed=tuple(tuple(int(i) for i in index) for index in np.argwhere(failed)) if listed or count == 1 else (),
    )


def _simple(indices: NDArray[np.intp], length: int) -> tuple[range, ...] | None:
    """Return some indices of an axis, ascending, as few ranges: every n-th, or some stretches; ``None``: not simple."""
    steps = np.diff(indices)
    first, last = int(indices[0]), int(indices[-1])
    if steps.size and steps[0] > 1 and np.all(steps == steps[0]):
        step = int(steps[0])
        whole = step == 2 and first < step and last + step >= length and (first, last) != (0, length - 1)
        if steps.size > 1 or whole:
            return (range(first, last + 1, step),)
    ends = np.flatnonzero(steps > 1)
    if ends.size >= _STRETCHES:
        return None
    starts = (first, *(int(indices[end + 1]) for end in ends))
    stops = (*(int(indices[end]) + 1 for end in ends), last + 1)
    return tuple(range(start, stop) for start, stop in zip(starts, stops, strict=True))


def _axis_errors(axis: int, counts: NDArray[Any]) -> AxisErrors:
    """Return the counts of one axis, condensed to those that fit a line."""
    together = -(-counts.size // _COUNTS)
    condensed = np.add.reduceat(counts, np.arange(0, counts.size, together))
    return AxisErrors(
        axis=axis,
        length=counts.size,
        together=together,
        failed=tuple(int(count) for count in condensed),
        indices=int(np.count_nonzero(counts)),
    )


def _others(mask: NDArray[Any], *axes: int) -> tuple[int, ...]:
    return tuple(axis for axis in range(mask.ndim) if axis not in axes)


def _region(failed: NDArray[np.bool_], by_axis: list[NDArray[Any]], count: int) -> _Region | None:
    """Return the smallest simple region; ``None`` where a list of the elements says more."""
    tight = _parts(by_axis)
    exact = next((region for region in _regions(failed, tight) if region.size == count), None)
    if exact is not None and (count > _FEW or exact.parts <= 1):
        return exact
    if count <= _FEW:
        return None
    crowded = tuple(part for part in tight if _is_crowded(part, by_axis[part.axis].size, count))
    slices = (*_regions(failed, crowded)[1:], *_borders(failed, crowded))
    useful = [region for region in slices if 2 * count >= region.size]
    return min((_regions(failed, crowded)[0], *useful), key=lambda region: region.size)


def _parts(by_axis: Iterable[NDArray[Any]]) -> tuple[AxisPart, ...]:
    """Return for every axis that has slices without errors a simple set of indices that holds all those with."""
    found = []
    for axis, counts in enumerate(by_axis):
        indices = np.flatnonzero(counts)
        ranges = _simple(indices, counts.size) or (range(int(indices[0]), int(indices[-1]) + 1),)
        if sum(map(len, ranges)) < counts.size:
            found.append(AxisPart(axis=axis, indices=ranges))
    return tuple(found)


def _is_crowded(part: AxisPart, length: int, count: int) -> bool:
    """Return whether a part is small, and holds more failing elements than meet in it by chance."""
    size = sum(map(len, part.indices))
    return 2 * size <= length and _CROWD * size <= count


def _regions(failed: NDArray[np.bool_], within: tuple[AxisPart, ...]) -> tuple[_Region, ...]:
    """Return a product, and where what does not fail of it is a product as well, the product less that."""
    inside, chosen = _inside(failed, within)
    whole = _Region(inside.size, within)
    fine = [np.any(~inside, axis=_others(inside, axis)) for axis in range(inside.ndim)]
    held = prod(int(np.sum(which)) for which in fine)
    if not held or held != inside.size - int(np.sum(inside)):
        return (whole,)
    spared = {axis: chosen[axis][which] for axis, which in enumerate(fine) if not np.all(which)}
    without = _named(spared, failed.shape)
    rest = {axis: np.setdiff1d(chosen[axis], indices) for axis, indices in spared.items()}
    along = _named(rest, failed.shape)
    if along and held > 1 and all(_is_plain(rest[axis], spared[axis]) for axis in rest):
        return whole, _Region(inside.size - held, within, along=along)
    return (whole, _Region(inside.size - held, within, without=without)) if without else (whole,)


def _named(chosen: Mapping[int, NDArray[Any]], shape: tuple[int, ...]) -> tuple[AxisPart, ...] | None:
    """Return some indices of some axes in simple words; ``None`` where those of one are not simple."""
    found = {axis: _simple(indices, shape[axis]) for axis, indices in chosen.items()}
    parts = tuple(AxisPart(axis=axis, indices=ranges) for axis, ranges in found.items() if ranges is not None)
    return parts if len(parts) == len(found) else None


def _is_plain(rest: NDArray[Any], spared: NDArray[Any]) -> bool:
    """Return whether what is left of an axis says more than what is taken away: it is less, or both its ends."""
    return rest.size <= spared.size or (spared.size > 1 and bool(np.all(np.diff(spared) == 1)))


def _inside(failed: NDArray[np.bool_], within: tuple[AxisPart, ...]) -> tuple[NDArray[np.bool_], list[NDArray[Any]]]:
    """Return the mask of a product, and the indices of every axis that it holds."""
    chosen = [np.arange(length) for length in failed.shape]
    for part in within:
        chosen[part.axis] = np.concatenate([np.asarray(indices) for indices in part.indices])
    return failed[np.ix_(*chosen)], chosen


def _borders(failed: NDArray[np.bool_], within: tuple[AxisPart, ...]) -> Iterator[_Region]:
    """Yield the borders along two whole axes of a product that hold all failing elements."""
    inside, _ = _inside(failed, within)
    taken = {part.axis for part in within}
    for axes in combinations((axis for axis in range(failed.ndim) if axis not in taken), 2):
        seen = np.any(inside, axis=_others(inside, *axes))
        core = next((core for width in range(1, _WIDEST + 1) if (core := _core(seen, width)) is not None), None)
        if core is None:
            continue
        rest = (np.setdiff1d(np.arange(length), part) for length, part in zip(seen.shape, core, strict=True))
        along = _named(dict(zip(axes, rest, strict=True)), failed.shape)
        if along is not None:
            yield _Region(inside.size - inside.size // seen.size * prod(map(len, core)), within, along=along)


def _core(seen: NDArray[np.bool_], width: int) -> tuple[range, range] | None:
    """Return the largest box without errors that no more than a width parts from the edges; ``None``: no border."""
    sides = [width] * 4  # near and far along the first axis, then along the second
    if not all(map(len, _box(seen, sides))) or not _is_free(seen, sides):
        return None
    for side in range(4):
        while sides[side] and _is_free(seen, [*sides[:side], sides[side] - 1, *sides[side + 1 :]]):
            sides[side] -= 1
    core = _box(seen, sides)
    return core if all(len(part) < length for part, length in zip(core, seen.shape, strict=True)) else None


def _box(seen: NDArray[np.bool_], sides: list[int]) -> tuple[range, range]:
    rows, columns = seen.shape
    return range(sides[0], rows - sides[1]), range(sides[2], columns - sides[3])


def _is_free(seen: NDArray[np.bool_], sides: list[int]) -> bool:
    rows, columns = _box(seen, sides)
    return not np.any(seen[rows.start : rows.stop, columns.start : columns.stop])
