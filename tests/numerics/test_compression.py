"""Groups whose members no output shares, on random linear maps whose rows fill boxes, with holes."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.compression import Compressed
from gradverify.numerics.dependency import Footprint


@st.composite
def linear_maps(draw):
    """Draw a footprint, and a Jacobian that has entries wherever the footprint allows them."""
    shape = tuple(draw(st.lists(st.integers(1, 9), min_size=0, max_size=4)))
    gaps = tuple(draw(st.integers(1, 3)) for _ in shape)
    widths = tuple(
        draw(st.integers(1, max(1, (length - 1) // gap + 1))) for length, gap in zip(shape, gaps, strict=True)
    )
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    low, high = np.zeros((2, len(shape), outputs := draw(st.integers(1, 12))), dtype=np.int64)
    jacobian, reached = np.zeros((outputs, *shape)), random.random(outputs) < 0.85
    for output in np.flatnonzero(reached):
        lines = []
        for axis, (length, gap, width) in enumerate(zip(shape, gaps, widths, strict=True)):
            low[axis, output] = random.integers(0, length)
            count = min(random.integers(1, width + 1), (length - 1 - low[axis, output]) // gap + 1)
            lines.append(low[axis, output] + gap * np.arange(count))
            high[axis, output] = lines[-1][-1]
        box = (output, *np.ix_(*lines))
        jacobian[box] = random.normal(size=jacobian[box].shape)
    return Footprint(shape, low, high, reached, gaps), jacobian.reshape(outputs, -1)


common = settings(deadline=None, max_examples=150, derandomize=True)


@common
@given(linear_maps())
def test_no_output_follows_two_members(drawn):
    footprint, jacobian = drawn
    grouping, seen = Compressed(footprint), []
    for group in grouping.groups():
        assert np.all(np.diff(group.members) > 0)
        assert np.max(np.sum(jacobian[:, group.members] != 0, axis=1)) <= 1
        seen.extend(group.members)
    assert sorted(seen) == list(range(jacobian.shape[1]))
    assert grouping.count == prod(footprint.widths)


@common
@given(linear_maps())
def test_owners_recover_the_jacobian(drawn):
    footprint, jacobian = drawn
    recovered = np.zeros_like(jacobian)
    for group in Compressed(footprint).groups():
        answer = jacobian[:, group.members].sum(axis=1)
        owned = group.owner < len(group.members)
        recovered[np.flatnonzero(owned), group.members[group.owner[owned]]] = answer[owned]
        assert group.stray(answer) == 0
        np.testing.assert_allclose(group.collect(answer), jacobian[:, group.members].sum(axis=0), atol=1e-14)
    np.testing.assert_array_equal(recovered, jacobian)


@common
@given(linear_maps(), st.integers(0, 2**32), st.sampled_from([0.0, 0.1, 0.6, 1.0]))
def test_restricted_groups_own_what_is_wanted(drawn, seed, share):
    footprint, jacobian = drawn
    wanted = np.random.default_rng(seed).random(jacobian.shape[1]) < share
    whole = list(Compressed(footprint).groups())
    expected = [group.kept(wanted[group.members]) for group in whole if np.any(wanted[group.members])]
    found = list(Compressed(footprint).groups(wanted))
    assert [list(group.members) for group in found] == [list(group.members) for group in expected]
    assert sorted(int(one) for group in found for one in group.members) == list(np.flatnonzero(wanted))
    for group in found:
        answer = jacobian[:, group.members].sum(axis=1)
        assert group.stray(answer) == 0
        np.testing.assert_allclose(group.collect(answer), jacobian[:, group.members].sum(axis=0), atol=1e-14)


def test_an_output_without_an_owner_is_stray():
    """Of the second group, the first output's box holds no element: its owner would lie past the border."""
    low, high = np.array([[0, 1, 4]]), np.array([[0, 3, 4]])
    grouping = Compressed(Footprint((5,), low, high, np.array([True, True, False]), (1,)))
    second = list(grouping.groups())[1]
    assert list(second.members) == [1, 4]
    assert list(second.owner) == [2, 0, 2]
    assert second.stray(np.array([-3.0, 5, 2])) == 3


def test_gap_and_width_that_share_a_factor_do_not_collide():
    """``i mod K`` would: of a kernel of 2 with dilation 2, both taps are even or both odd."""
    low = np.arange(6)[None]
    grouping = Compressed(Footprint((8,), low, low + 2, np.ones(6, dtype=bool), (2,)))
    assert grouping.count == 2
    assert [list(group.members) for group in grouping.groups()] == [[0, 1, 4, 5], [2, 3, 6, 7]]


@pytest.mark.parametrize(("shape", "groups"), [((0, 3), 0), ((), 1)])
def test_empty_and_scalar_inputs(shape, groups):
    one = Footprint(shape, *np.zeros((2, len(shape), 4), dtype=np.int64), np.full(4, bool(groups)), (1,) * len(shape))
    assert Compressed(one).count == len(list(Compressed(one).groups())) == groups


def test_outputs_of_a_footprint_that_is_nonsense_have_no_owner():
    """Code that draws at random has any footprint, also one that reaches beyond its input."""
    outputs = 40
    for seed in range(50):
        random = np.random.default_rng([seed, 60])
        low = random.integers(0, 8, (2, outputs))
        found = Footprint((6, 5), low, low + random.integers(0, 6, (2, outputs)), random.random(outputs) > 0.2, (1, 1))
        for group in Compressed(found).groups():
            assert np.all((group.owner >= 0) & (group.owner <= len(group.members)))
            group.collect(np.ones(outputs))
