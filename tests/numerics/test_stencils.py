"""Orders of accuracy, measured by halving steps."""

from __future__ import annotations

import numpy as np
import pytest
from functionals import SMOOTH, functional, weighted
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.grouping import Group
from gradverify.numerics.stencils import five_point, one_sided, power_of_two

ONE = Group(np.array([0]))
ORDERS = {
    "one side": (one_sided, 1),
    "five points": (lambda *arguments: five_point(*arguments).value, 4),
}


@pytest.mark.parametrize("scheme", ORDERS)
@pytest.mark.parametrize("name", ["tanh", "exp", "sine", "rational"])
def test_order_of_accuracy(scheme, name):
    estimate, order = ORDERS[scheme]
    function, derivative = SMOOTH[name]
    subject = weighted(function, 1.5, 0.4)
    errors = [abs(estimate(subject, "x", ONE, step) - 1.5 * derivative(0.4)) for step in (2.0**-4, 2.0**-5)]
    assert abs(np.log2(errors[0] / errors[1]) - order) < 0.3


@pytest.mark.parametrize("name", ["tanh", "exp", "sine", "rational"])
def test_error_of_order_two_is_estimated(name):
    function, derivative = SMOOTH[name]
    subject = weighted(function, -0.7, 0.4)
    step = 2.0**-5
    error = abs(0.7 * (function(0.4 + step) - function(0.4 - step)) / (2 * step) - 0.7 * derivative(0.4))
    assert five_point(subject, "x", ONE, step).second_order_error == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize("estimate", [scheme for scheme, _ in ORDERS.values()])
@pytest.mark.parametrize("step", [1e-4, 1e-3, 0.1])
def test_divides_by_the_step_really_taken(estimate, step):
    x = np.array([1000.0], dtype=np.float32)  # 1000 + 1e-4 is not a float32
    subject = functional(lambda x: x.astype(np.float64), x=x)
    assert estimate(subject, "x", ONE, step) == pytest.approx(subject.cotangents[0][0], rel=1e-12)


@pytest.mark.parametrize("degree", range(5))
def test_five_points_are_exact_for_polynomials_up_to_degree_four(degree):
    subject = weighted(lambda x: x**degree, 1.0, 0.5)
    exact = degree * 0.5 ** (degree - 1) if degree else 0.0
    assert five_point(subject, "x", ONE, 0.25).value == pytest.approx(exact, abs=1e-14)


def test_inputs_and_base_are_left_as_they_are():
    subject = functional(lambda x, w: np.tanh(x) * w, x=[[0.5, 1.0]], w=[2.0])
    before = {name: value.copy() for name, value in subject.inputs.items()}
    five_point(subject, "x", Group(np.array([1])), 0.1)
    for name, value in before.items():
        np.testing.assert_array_equal(subject.inputs[name], value)


def test_one_element_moves_and_no_other():
    subject = functional(lambda x: np.array([10.0, 1.0]) * x**2, x=[1.0, 3.0])
    weights = subject.cotangents[0]
    assert five_point(subject, "x", ONE, 0.125).value == pytest.approx(20 * weights[0], rel=1e-12)
    assert five_point(subject, "x", Group(np.array([1])), 0.125).value == pytest.approx(6 * weights[1], rel=1e-12)


@settings(deadline=None, max_examples=200)
@given(st.floats(1e-300, 1e300))
def test_power_of_two_lies_at_most_a_factor_of_two_below(value):
    power = power_of_two(value)
    assert np.frexp(power)[0] == 0.5
    assert power <= value * (1 + 1e-12)
    assert value < 2 * power * (1 + 1e-12)
