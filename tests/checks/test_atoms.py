"""What is said about one quantity, in which words, and what is not said."""

from __future__ import annotations

import pytest

from gradverify.checks.atoms import atoms_of, mask
from gradverify.checks.quantities import Origin, Quantity


def said(name, values, words=None):
    atoms = atoms_of(Quantity(name, Origin.OWN, tuple(values), words))
    return {atom.text: [value for index, value in enumerate(values) if atom.holds >> index & 1] for atom in atoms}


def test_each_set_of_cases_is_said_once_in_the_most_natural_words():
    assert said("stride", [1, 2, 3] * 2) == {
        "stride = 1": [1, 1],
        "stride = 2": [2, 2],
        "stride = 3": [3, 3],
        "stride > 1": [2, 3, 2, 3],
        "stride < 3": [1, 2, 1, 2],
        "stride != 2": [1, 3, 1, 3],
    }


def test_between_numbers_that_do_not_follow_each_other_the_values_seen_are_the_threshold():
    assert list(said("eps", [0.1, 0.5, 0.5, 0.1, 1.0, 1.0])) == [
        "eps = 0.1", "eps = 0.5", "eps = 1.0", "eps >= 0.5", "eps <= 0.5", "eps != 0.5"
    ]  # fmt: skip


def test_texts_have_no_order():
    assert list(said("mode", ["train", "test", "other"] * 2)) == [
        "mode = train", "mode = test", "mode = other", "mode != train", "mode != test", "mode != other"
    ]  # fmt: skip


def test_properties_are_said_in_words():
    assert said("overlap", [True, True, False, False], ("windows overlap", "windows are disjoint")) == {
        "windows overlap": [True, True],
        "windows are disjoint": [False, False],
    }


def test_one_sample_has_words_of_its_own():
    assert list(said("N", [1, 1, 2, 2, 3, 3])) == [
        "there is one sample", "N = 2", "N = 3", "there is more than one sample", "N < 3", "N != 2"
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[0, 1, 1, 1], [0, 1, 2, 3], ["a", "b", "b", "b"]])
def test_nothing_is_said_of_one_case_or_of_all_but_one(values):
    assert all(2 <= len(true) <= len(values) - 2 for true in said("p", values).values())


def test_a_quantity_with_ever_new_values_is_no_setting():
    assert said("seed", list(range(65)) * 2) == {}
    assert "seed = 0" in said("seed", list(range(64)) * 2)


def test_a_set_of_cases_is_a_number():
    assert mask([True, False, True]) == 0b101
