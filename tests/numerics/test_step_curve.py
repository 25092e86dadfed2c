"""Curves over step sizes: their two branches are measured, and what they say of the verdict is what it used."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from curves import METHODS, ONE_SIGN, curve, curve_of, mixed
from functionals import batchnorm, batchnorm_gradient, examined, functional
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gradverify.results import Verdict


def array(values):
    return np.array(values)


scales = st.integers(-25, 25).map(lambda power: 10.0**power)


smooth = given(st.sampled_from(sorted(ONE_SIGN)), st.sampled_from(sorted(METHODS)), st.integers(0, 999), scales, scales)


@settings(deadline=None, max_examples=40)
@smooth
def test_truncation_has_order_4_and_the_size_that_is_estimated(name, method, seed, scale, height):
    subject, gradient = mixed(name, seed, scale, height)
    found, spread = curve(subject, gradient, method, seed=seed), np.std(subject.inputs["x"])
    steps, errors, truncation = map(array, (found.steps, found.errors, found.truncation))
    assert (found.derivative.removesuffix(" in a second look"), found.order) == (METHODS[method], 4)
    assert len(steps) == 24
    np.testing.assert_array_equal(steps[1:], 2 * steps[:-1])
    assert 2.0**-25 < steps[0] / spread < 2.0**-22
    # Errors are distances from a numerical value, which has an error itself.
    upper = (truncation > 100 * array(found.roundoff)) & (truncation > 20 * found.bar) & (steps < spread / 2)
    assert np.any(upper)
    np.testing.assert_allclose(errors[upper], truncation[upper], rtol=0.5)
    assume(np.sum(upper) >= 2)  # where the bar is wide, one step is above it: of that the size alone is known
    assert np.polyfit(np.log(steps[upper]), np.log(errors[upper]), 1)[0] == pytest.approx(4, abs=0.15)


@settings(deadline=None, max_examples=20)
@smooth
def test_roundoff_has_order_minus_1_and_no_more_than_the_size_that_is_estimated(name, method, seed, scale, height):
    sizes = []
    for turn in range(8):
        subject, gradient = mixed(name, 1000 * turn + seed, scale, height)
        found = curve(subject, gradient, method, seed=seed)
        errors, roundoff = array(found.errors[:12]), array(found.roundoff[:12])
        np.testing.assert_allclose(roundoff * array(found.steps[:12]), roundoff[0] * found.steps[0])
        assert np.all(array(found.truncation[:12]) < roundoff / 100)
        assert np.all(errors < 5 * roundoff)
        sizes.append(errors / roundoff[0])
    sizes = np.sqrt(np.mean(np.square(sizes), axis=0))
    assert np.polyfit(np.arange(12), np.log2(sizes), 1)[0] == pytest.approx(-1, abs=0.25)
    assert sizes[0] > 1 / 100


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["exp", "sqrt"]), st.integers(0, 999), scales)
def test_the_error_bar_of_differences_is_what_the_curve_shows_around_their_step(name, seed, scale):
    subject, gradient = mixed(name, seed, scale)
    found = curve(subject, gradient, seed=seed)
    near = np.abs(np.log2(array(found.steps) / found.step)) < 1
    assert np.sum(near) == 2
    model = np.interp(np.log(found.step), np.log(found.steps), array(found.truncation) + array(found.roundoff))
    assert min(array(found.errors)[near]) <= found.bar
    assert min(found.errors) <= found.bar <= 100 * model
    assert found.bar < found.allowed


@pytest.mark.parametrize("method", METHODS)
def test_noise_that_is_no_rounding_is_measured(method):
    noise = 1e-9 / math.sqrt(12)
    subject = functional(lambda x: np.round(np.exp(x.real) * 1e9) / 1e9, x=np.linspace(0.5, 1.5, 7))
    finding = examined(subject, 2 * subject.cotangents[0] * np.exp(subject.inputs["x"]), method=method)
    found = curve_of(finding)
    weight = abs(subject.cotangents[0][found.index])
    assert noise / 3 < found.roundoff[0] * found.steps[0] / weight < 3 * noise
    lower = array(found.steps) < found.step / 8
    seen = (array(found.errors) * array(found.steps))[lower] / weight
    assert np.sqrt(np.mean(seen**2)) == pytest.approx(noise, rel=0.6)


@pytest.mark.parametrize("method", METHODS)
def test_a_wrong_gradient_shows_its_worst_entry_and_the_step_of_the_second_look(method):
    subject, gradient = mixed("exp", 1)
    wrong = gradient.copy()
    wrong[3] *= 1.5
    wrong[5] *= 3
    finding = examined(subject, wrong, method=method)
    found = curve_of(finding)
    assert (finding.check.verdict, finding.check.worst.index) == (Verdict.FAIL, found.index)
    assert found.index in {(3,), (5,)}
    assert found.analytic == wrong[found.index]
    assert found.numerical == finding.check.worst.numerical == pytest.approx(gradient[found.index], rel=1e-9)
    assert abs(found.analytic - found.numerical) > found.allowed > found.bar > 0
    assert min(found.errors) < 1e-9 * abs(gradient[found.index])  # the curve is of the numerical side, which is right
    assert found.derivative == "differences of order 4 in a second look"
    assert math.frexp(found.step)[0] == 0.5
    assert found.steps[0] < found.step < found.steps[-1]


def test_a_right_gradient_shows_the_element_that_is_known_least():
    subject = functional(np.exp, x=[0.0, 9.0, 1.0, 0.5])
    finding = examined(subject, subject.cotangents[0] * np.exp(subject.inputs["x"]))
    comparison, bar = finding.nearby.comparison, finding.bar
    found = curve_of(finding)
    assert found.index == (int(np.argmax(bar / comparison.allowed)),)
    assert (found.bar, found.allowed) == (bar[found.index], comparison.allowed[found.index])


def test_an_affine_input_shows_no_truncation():
    matrix = np.random.default_rng(0).normal(size=(30, 4))
    subject = functional(lambda x: matrix @ x.real, x=[0.3, 1.7, -2.2, 0.9])
    found = curve(subject, subject.cotangents[0] @ matrix)
    assert (found.derivative, found.truncation) == ("impulses", (0.0,) * 24)
    assert np.polyfit(np.log(found.steps), np.log(np.maximum(found.errors, 1e-18)), 1)[0] == pytest.approx(-1, abs=0.4)


def test_what_moves_nothing_is_flat():
    found = curve(functional(lambda x: 0 * x + 3, x=[1.0, 2.0]), [0.0, 0.0])
    assert set(found.errors + found.truncation + found.roundoff) == {0.0}


def test_a_kink_at_the_element_has_two_sides_and_no_truncation():
    subject = functional(lambda x: np.maximum(x, 0), x=[0.0])
    weight = float(subject.cotangents[0][0])
    for analytic in (0.0, weight):
        found = curve(subject, [analytic])
        assert (found.numerical, found.truncation) == (analytic, (0.0,) * 24)
        assert found.sides == pytest.approx(sorted((0.0, weight)), abs=1e-5)
        assert array(found.errors) == pytest.approx(abs(weight) / 2)
    wrong = examined(subject, [2 * weight])
    assert wrong.check.verdict is Verdict.FAIL
    assert curve_of(wrong).sides is not None


def test_truncation_of_a_power_is_what_its_formula_leaves_out():
    subject = functional(lambda x: x**5, x=[1.5, 2.5])  # h^4 / 30 times the fifth derivative, 120
    found = curve(subject, 5 * subject.cotangents[0] * subject.inputs["x"] ** 4)
    wanted = 4 * abs(subject.cotangents[0][found.index]) * array(found.steps) ** 4
    np.testing.assert_allclose(found.truncation, wanted, rtol=0.01)


def test_truncation_is_not_read_across_a_step_at_which_the_code_raises():
    subject = functional(lambda x: x**5, x=[1.5, 2.5])
    gradient = 5 * subject.cotangents[0] * subject.inputs["x"] ** 4
    finding, whole = examined(subject, gradient, method="dense"), curve(subject, gradient)
    ratios = []
    for step in whole.steps:
        nearby = raising(finding.nearby, lambda moved, step=step: np.any(np.abs(np.abs(moved) - step) < 1e-3 * step))
        found = curve_of(replace(finding, nearby=nearby))
        ratios.append(found.truncation[0] / found.steps[0] ** 4 / (whole.truncation[0] / whole.steps[0] ** 4))
    assert len(ratios) == 24
    assert [ratio for ratio in ratios if ratio != pytest.approx(1, rel=0.01)] in ([], [0.0])  # so far up, none is seen


def raising(nearby, where):
    """Return what a finding was made from, of code that raises wherever ``x`` is moved so."""
    functional, start = nearby.functional, nearby.functional.inputs["x"]

    def evaluate(inputs):
        if where(np.real(inputs["x"]) - start):
            raise ValueError
        return functional.evaluate(inputs)

    raises = replace(functional, evaluate=evaluate)
    return replace(nearby, functional=raises, manner=replace(nearby.manner, functional=raises))


# Behind some of these, one change of the slope is much larger than that before: a kink comes into reach once.
@pytest.mark.parametrize("distance", [2.0**-4, 2.0**-9, 2.0**-14, 0.00032, 0.0013, 0.0107])
def test_a_kink_beside_the_element_shows_beyond_its_distance_and_is_no_truncation(distance):
    subject = functional(lambda x: np.maximum(x, 0) + x.real * 0, x=[distance, -1.0])
    weight = subject.cotangents[0] * [1.0, 0.0]
    finding = examined(subject, 2 * weight)
    found = curve_of(finding)
    steps, errors = array(found.steps), array(found.errors)
    assert (found.index, found.sides) == ((0,), None)
    assert np.all(errors[2 * steps < distance] < 1e-6)
    assert np.all(errors[steps > 2 * distance] > 0.01)
    assert found.truncation == (0.0,) * 24


def test_a_certificate_shows_the_worst_element_that_is_known():
    subject, gradient = mixed("exp", 4)
    right = examined(subject, gradient, method="certificate")
    assert (right.check.verdict, curve_of(right)) == (Verdict.PASS, None)
    wrong = gradient.copy()
    wrong[6] *= 2
    finding = examined(subject, wrong, method="certificate")
    found = curve_of(finding)
    assert (found.index, found.analytic) == ((6,), wrong[6])
    assert found.numerical == pytest.approx(gradient[6], rel=1e-6)
    assert found.derivative == "differences of order 4 in a second look"
    assert min(found.errors) < 1e-8 * abs(gradient[6])


@pytest.mark.parametrize("method", METHODS)
def test_units_change_no_digit(method):
    x = np.random.default_rng(3).normal(2, 3, (6, 4))
    subject = functional(batchnorm, x=x)
    gradient = batchnorm_gradient(x, subject.cotangents[0]).astype(np.float64)
    wrong = gradient * np.where(np.arange(24).reshape(6, 4) == 9, 1.25, 1.0)
    huge = 2.0**600
    scaled = replace(subject, cotangents=(huge * subject.cotangents[0],))
    one, other = curve(subject, wrong, method), curve(scaled, huge * wrong, method)
    same = ("index", "order", "steps", "derivative", "step")
    assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
    for name in ("errors", "truncation", "roundoff", "analytic", "numerical", "bar", "allowed"):
        np.testing.assert_array_equal(huge * array(getattr(one, name)), getattr(other, name), err_msg=name)


@pytest.mark.parametrize("method", METHODS)
def test_curves_are_the_same_every_time_plain_and_small(method):
    subject, gradient = mixed("log", 7)
    before = {name: value.copy() for name, value in subject.inputs.items()}
    finding = examined(subject, gradient, method=method)
    one, other = curve_of(finding), curve_of(finding)
    assert one == other == curve(subject, gradient, method)
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  our own bytes
    assert len(pickle.dumps(one)) < 2000
    numbers = [
        *one.steps,
        *one.errors,
        *one.truncation,
        *one.roundoff,
        one.analytic,
        one.numerical,
        one.bar,
        one.allowed,
    ]
    assert {type(number) for number in numbers} == {float}
    assert {type(place) for place in one.index} == {int}
    np.testing.assert_array_equal(subject.inputs["x"], before["x"])
