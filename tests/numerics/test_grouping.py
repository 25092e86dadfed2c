"""What a group collects, what strays, and what is left of it when some of its members go."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.numerics.grouping import Group, Singles

THREE = Group(np.array([4, 7, 9]), np.array([0, 2, 3, 1, 0]))
TERMS = np.array([1.0, 20, 300, 4000, 50000])


def test_collects_the_terms_of_the_outputs_that_a_member_owns():
    np.testing.assert_array_equal(THREE.collect(TERMS), [50001, 4000, 20])
    np.testing.assert_array_equal(Group(np.array([5])).collect(TERMS), [54321])


def test_strays_are_the_outputs_of_no_member():
    assert THREE.stray(-TERMS) == 300
    assert Group(np.array([4, 7, 9]), np.array([0, 2, 1, 1, 0])).stray(TERMS) == 0
    assert Group(np.array([5])).stray(TERMS) == 0


@pytest.mark.parametrize(
    ("mask", "members", "owner"),
    [
        ([True, True, True], [4, 7, 9], [0, 2, 3, 1, 0]),
        ([True, False, True], [4, 9], [0, 1, 2, 2, 0]),
        ([False, True, False], [7], [1, 1, 1, 0, 1]),
        ([False, False, False], [], [0, 0, 0, 0, 0]),
    ],
)
def test_outputs_of_members_that_go_are_nobody_s(mask, members, owner):
    kept = THREE.kept(np.array(mask))
    assert list(kept.members) == members
    assert list(kept.owner) == owner
    np.testing.assert_array_equal(kept.collect(TERMS), THREE.collect(TERMS)[mask])


def test_what_is_kept_can_be_kept_from_again():
    twice = THREE.kept(np.array([True, False, True])).kept(np.array([False, True]))
    assert list(twice.members) == [9]
    np.testing.assert_array_equal(twice.collect(TERMS), [20])


def test_a_single_member_is_kept_or_not():
    single = Group(np.array([5]))
    assert single.kept(np.array([True])) is single
    assert not single.kept(np.array([False])).members.size


def test_singles_are_every_element_by_itself():
    assert Singles(4).count == 4
    assert [list(group.members) for group in Singles(4).groups()] == [[0], [1], [2], [3]]
    wanted = np.array([False, True, False, True])
    assert [list(group.members) for group in Singles(4).groups(wanted)] == [[1], [3]]
    assert not list(Singles(0).groups())
