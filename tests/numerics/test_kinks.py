"""One-sided slopes that stay apart mark a kink; everything else is none."""

from __future__ import annotations

import numpy as np
import pytest
from functionals import SMOOTH, functional, weighted

from gradverify.numerics.grouping import Group
from gradverify.numerics.kinks import find_kinks, joint_slope

STEP = 2.0**-12


def find_kink(subject, position, step, noise):
    """Return the slopes on both sides of one element, or ``None`` where there is no kink."""
    found = find_kinks(subject, "x", Group(np.array([position])), step, np.array([noise]))
    return (found.low[0], found.high[0]) if found.found[0] else None


@pytest.mark.parametrize("weight", [1.5, -1.5])
@pytest.mark.parametrize(
    ("function", "slopes"),
    [
        (lambda x: np.maximum(x, 0), (0, 1)),
        (lambda x: np.where(x > 0, x, 0.1 * x), (0.1, 1)),
        (np.abs, (-1, 1)),
        (lambda x: np.minimum(x, 0) ** 2 + 2 * np.maximum(x, 0), (0, 2)),
    ],
    ids=["relu", "leaky relu", "absolute", "half a parabola"],
)
def test_slopes_on_both_sides_of_a_kink(weight, function, slopes):
    found = find_kink(weighted(function, weight, 0.0), 0, STEP, 1e-16)
    assert found is not None
    wanted = sorted(weight * slope for slope in slopes)
    assert list(found) == pytest.approx(wanted, abs=2e-3)


def test_ties_of_a_maximum_are_kinks_and_the_rest_is_not():
    subject = functional(lambda x: x.max(axis=1), x=[[2.0, 2.0, 1.0]])
    weight = float(subject.cotangents[0][0])
    kink = (min(weight, 0.0), max(weight, 0.0))
    assert [find_kink(subject, column, STEP, 1e-16) for column in range(3)] == [kink, kink, None]


@pytest.mark.parametrize("name", SMOOTH)
@pytest.mark.parametrize("step", [2.0**-5, 2.0**-12, 2.0**-20, 2.0**-30])
def test_smooth_functions_have_no_kink(name, step):
    for value in np.linspace(-2, 2, 41):
        subject = weighted(SMOOTH[name][0], 1.3, float(value))
        noise = max(2.0**-52 * abs(subject.base[0][0]), 1e-17)
        assert find_kink(subject, 0, step, noise) is None


def test_a_kink_beside_the_point_is_outside_when_the_step_is_small():
    subject = weighted(np.abs, 1.0, 2.0**-10)
    assert find_kink(subject, 0, 2.0**-6, 1e-17) is not None
    assert find_kink(subject, 0, 2.0**-12, 1e-17) is None


def test_noise_is_no_kink():
    random = np.random.default_rng(0)
    subject = weighted(lambda x: x + 1e-9 * random.normal(size=x.shape), 1.0, 0.5)
    assert all(find_kink(subject, 0, STEP, 1e-9) is None for _ in range(300))


@pytest.mark.parametrize("function", [lambda x: x + (x >= 0), lambda x: np.where(x < 0, 5.0, x), np.sign])
def test_a_jump_is_no_kink_since_it_has_no_slopes(function):
    assert find_kink(weighted(function, 1.0, 0.0), 0, STEP, 1e-17) is None


def test_ties_that_move_together_have_one_slope():
    subject = functional(lambda x: x.max(axis=1), x=[[2.0, 2.0, 1.0], [0.0, 3.0, 3.0]])
    tied = np.array([[1, 1, 0], [0, 1, 1]], dtype=bool)
    assert joint_slope(subject, "x", tied, STEP) == pytest.approx(float(subject.cotangents[0].sum()))


def test_kinks_that_stay_kinks_when_all_move_have_no_joint_slope():
    subject = functional(lambda x: np.maximum(x, 0), x=np.zeros(4))
    assert joint_slope(subject, "x", np.ones(4, dtype=bool), STEP) is None
