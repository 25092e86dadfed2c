"""Grids of errors: which axes, which cells, and nothing lost on the way into them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from functionals import examined, functional
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from gradverify.numerics.error_grid import axes_of, error_grid
from gradverify.results import ErrorGrid


def near(difference, allowed=1.0, failed=None, inconclusive=None, everything=True):
    """Return what is known of a gradient with these errors."""
    difference = np.asarray(difference, dtype=np.float64)
    allowed = np.broadcast_to(np.asarray(allowed, dtype=np.float64), difference.shape)
    failed = difference > allowed if failed is None else np.asarray(failed)
    inconclusive = np.zeros(difference.shape, dtype=bool) if inconclusive is None else np.asarray(inconclusive)
    parts = {"difference": difference, "allowed": allowed, "failed": failed, "inconclusive": inconclusive}
    comparison = SimpleNamespace(**{name: np.ravel(part) for name, part in parts.items()})
    return SimpleNamespace(comparison=comparison, analytic=np.zeros(difference.shape), everything=everything)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [
        ((), (None, None)),
        ((1,), (None, None)),
        ((7,), (0, None)),
        ((1, 7, 1), (1, None)),
        ((3, 4), (0, 1)),
        ((2, 3, 6, 8), (2, 3)),  # an image
        ((4, 3, 3, 3), (2, 3)),  # a kernel
        ((4, 3, 1, 1), (0, 1)),  # a kernel of one element
        ((4, 3, 1, 5), (0, 3)),  # a kernel in one dimension: the two longest
        ((5, 9, 1), (0, 1)),
        ((3, 3, 3, 1), (0, 1)),
    ],
)
def test_the_axes_of_a_shape(shape, axes):
    assert axes_of(shape) == axes


def test_a_wrong_border_in_full():
    error = np.zeros((2, 3, 4))
    error[1, 0, :] = 3.0
    error[0, 2, 1] = 0.5
    assert error_grid(near(error)) == ErrorGrid(
        axes=(1, 2),
        together=(1, 1),
        excess=((3.0, 3.0, 3.0, 3.0), (0.0, 0.0, 0.0, 0.0), (0.0, 0.5, 0.0, 0.0)),
        failed=((1, 1, 1, 1), (0, 0, 0, 0), (0, 0, 0, 0)),
    )


def test_a_vector_is_one_row_and_neighbours_meet_where_it_is_long():
    error = np.zeros(65)
    error[[0, 1, 64]] = 2.0, 5.0, 4.0
    grid = error_grid(near(error))
    assert (grid.axes, grid.together) == ((0, None), (3, 1))
    assert grid.excess == ((5.0, *[0.0] * 20, 4.0),)
    assert grid.failed == ((2, *[0] * 20, 1),)


def test_a_single_number():
    grid = error_grid(near(4.0))
    assert (grid.axes, grid.together, grid.excess, grid.failed) == ((None, None), (1, 1), ((4.0,),), ((1,),))


def test_no_grid_where_all_is_well_or_little_is_known():
    assert error_grid(near([0.5, 1.0])) is None
    assert error_grid(near([0.5, 5.0], everything=False)) is None
    assert error_grid(near([0.5, 1.0], inconclusive=[False, True])) is not None


def test_what_is_not_finite_and_what_is_not_known():
    grid = error_grid(
        near([np.inf, np.nan, 0.0, 2.0], allowed=[np.inf, 1.0, 0.0, 0.0], failed=[True, False, False, True])
    )
    assert np.array_equal(grid.excess, [[np.inf, np.nan, 0.0, np.inf]], equal_nan=True)
    unknown = error_grid(near([[np.nan, 2.0], [np.nan, np.nan]], failed=[[False, True], [False, False]]))
    assert np.array_equal(unknown.excess, [[np.nan, 2.0], [np.nan, np.nan]], equal_nan=True)


def test_an_error_beside_what_is_not_known_shows():
    grid = error_grid(near([[[np.nan, 2.0], [1.0, 0.0]], [[3.0, np.nan], [0.0, 0.0]]]))
    assert grid.excess == ((3.0, 2.0), (1.0, 0.0))


@settings(deadline=None, max_examples=150)
@given(
    array_shapes(min_dims=0, max_dims=4, max_side=9) | array_shapes(min_dims=1, max_dims=2, max_side=80),
    st.integers(0, 99),
)
def test_every_cell_is_the_worst_of_its_elements_and_no_failing_one_is_lost(shape, seed):
    random = np.random.default_rng(seed)
    error, allowed = random.exponential(1.0, shape), random.uniform(0.5, 2.0, shape)
    found = near(error, allowed)
    grid = error_grid(found)
    if not np.any(error > allowed):
        assert grid is None
        return
    assert sum(map(sum, grid.failed)) == np.sum(error > allowed)
    places = [
        np.indices(shape)[axis] // count if axis is not None else 0
        for axis, count in zip(grid.axes, grid.together, strict=True)
    ]
    down, across = places if grid.axes[1] is not None else (0, places[0])
    for row, column in np.ndindex(len(grid.excess), len(grid.excess[0])):
        cell = np.broadcast_to((down == row) & (across == column), shape)
        assert grid.excess[row][column] == np.max((error / allowed)[cell])
        assert grid.failed[row][column] == np.sum((error > allowed)[cell])
    assert max(len(grid.excess), len(grid.excess[0])) <= 32
    assert len({len(row) for row in grid.excess + grid.failed}) == 1


@pytest.mark.parametrize("method", ["dense", "auto"])
def test_the_engine_puts_a_wrong_corner_where_it_is_and_shows_nothing_of_a_right_gradient(method):
    subject = functional(np.tanh, x=np.random.default_rng(0).normal(size=(2, 5, 6)))
    right = subject.cotangents[0] * (1 - np.tanh(subject.inputs["x"]) ** 2)
    wrong = right.copy()
    wrong[1, 0, 5] *= 2
    assert error_grid(examined(subject, right, method=method).nearby) is None
    grid = error_grid(examined(subject, wrong, method=method).nearby)
    assert grid.axes == (1, 2)
    assert grid.excess[0][5] > 1e4
    assert np.argwhere(grid.failed).tolist() == [[0, 5]]
    assert np.sum(np.array(grid.excess) > 1) == 1
