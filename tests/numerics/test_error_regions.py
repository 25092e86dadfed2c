"""Where failing elements sit: every statement is held against the mask itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from masks import masks

from gradverify.numerics.error_map import error_map
from gradverify.results import AxisPart


def members(part: AxisPart, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask of the elements whose index along the part's axis is one of its own."""
    chosen = {index for indices in part.indices for index in indices}
    assert len(chosen) == sum(map(len, part.indices))
    return np.isin(np.indices(shape)[part.axis], list(chosen))


def region(found, shape: tuple[int, ...]) -> np.ndarray:
    """Return the region of a map as a mask, by the words of its docstring."""
    inside = np.ones(shape, dtype=bool)
    for part in found.within:
        inside &= members(part, shape)
    if found.along:
        inside &= np.any([members(part, shape) for part in found.along], axis=0)
    if found.without:
        inside &= ~np.all([members(part, shape) for part in found.without], axis=0)
    return inside


@settings(max_examples=500, deadline=None)
@given(masks())
def test_every_failing_element_lies_in_the_region_and_its_size_is_right(mask):
    found = error_map(mask)
    held = region(found, mask.shape)
    assert not np.any(mask & ~held)
    assert found.region == held.sum()
    assert (found.elements, found.failed) == (mask.size, mask.sum())
    assert not (found.along and found.without)


@settings(max_examples=200, deadline=None)
@given(masks(longest=90, most_axes=2))
def test_counts_along_an_axis_are_those_of_its_indices(mask):
    found = error_map(mask)
    assert [axis.axis for axis in found.axes] == list(range(mask.ndim))
    for axis in found.axes:
        slices = np.moveaxis(mask, axis.axis, 0).reshape(axis.length, -1)
        parts = [slices[start : start + axis.together].sum() for start in range(0, axis.length, axis.together)]
        assert axis.failed == tuple(parts)
        assert len(parts) <= 32
        assert axis.indices == slices.any(axis=1).sum()


@settings(max_examples=200, deadline=None)
@given(masks())
def test_elements_are_listed_where_they_are_few_and_no_whole_slice(mask):
    found = error_map(mask)
    if found.listed:
        assert found.listed == tuple(map(tuple, np.argwhere(mask).tolist()))
        assert len(found.listed) <= 3
    elif mask.sum() <= 3:
        assert found.region == mask.sum()


def test_nothing_fails():
    assert error_map(np.zeros((2, 3), dtype=bool)) is None
    assert error_map(np.zeros((0, 3), dtype=bool)) is None
    assert error_map(np.zeros((), dtype=bool)) is None


def test_an_axis_of_thousands_is_condensed():
    mask = np.zeros((3, 3072), dtype=bool)
    mask[:, 96:200] = True
    long = error_map(mask).axes[1]
    assert (long.length, long.together, long.indices) == (3072, 96, 104)
    assert long.failed == (0, 3 * 96, 3 * 8, *(0,) * 29)


def drawn(shape, part, share, seed=0):
    """Return a mask that fails in a share of the elements of some part."""
    mask = np.zeros(shape, dtype=bool)
    mask[part] = np.random.default_rng(seed).random(mask[part].shape) < share
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_a_part_is_found_though_not_all_of_it_fails(seed):
    found = error_map(drawn((4, 3, 8, 8), np.s_[:, 1], 0.5, seed))
    assert found.within == (AxisPart(axis=1, indices=(range(1, 2),)),)
    assert found.region == 4 * 64 > found.failed


@pytest.mark.parametrize("seed", range(5))
def test_a_border_is_found_though_not_all_of_it_fails(seed):
    mask = drawn((4, 3, 8, 8), np.s_[:], 0.9, seed)
    mask[:, :, 1:-1, 2:-2] = False
    assert error_map(mask).along == (
        AxisPart(axis=2, indices=(range(1), range(7, 8))),
        AxisPart(axis=3, indices=(range(2), range(6, 8))),
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_border_is_no_wider_on_any_side_than_its_errors(seed):
    mask = drawn((4, 3, 8, 8), np.s_[:], 0.9, seed)
    mask[:, :, 1:, 1:-2] = False
    assert error_map(mask).along == (
        AxisPart(axis=2, indices=(range(1),)),
        AxisPart(axis=3, indices=(range(1), range(6, 8))),
    )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("share", [0.03, 0.5])
def test_no_part_is_claimed_of_elements_that_lie_anywhere(seed, share):
    found = error_map(drawn((4, 3, 8, 8), np.s_[:], share, seed))
    assert found.within == found.along == found.without == found.listed == ()
    assert found.region == found.elements
