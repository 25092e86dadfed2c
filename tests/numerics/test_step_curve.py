"""Curves over step sizes: their two branches are measured, and what they say of the verdict is what it used."""

from __future__ import annotations

import math
import pickle
import time
import warnings
from dataclasses import replace

import numpy as np
import pytest
from functionals import batchnorm, batchnorm_gradient, examined, functional
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.numerics.step_curve import PASSES, step_curve
from gradverify.results import Verdict, Work

# Smooth functions for x > 0 whose odd derivatives all have one sign: truncation of order 4 is nowhere cancelled by
# that of order 6. Each with its derivative.
ONE_SIGN = {
    "exp": (np.exp, np.exp),
    "sinh": (np.sinh, np.cosh),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
}
METHODS = {"dense": "differences of order 4", "auto": "complex step"}


def mixed(name, seed, scale=1.0, height=1.0):
    """Return ``height * A f(x / scale)`` with its gradient; every element moves many outputs."""
    function, derivative = ONE_SIGN[name]
    random = np.random.default_rng(seed)
    x, matrix = scale * random.permutation(np.linspace(2.0, 5.0, 8)), random.normal(size=(40, 8))
    subject = functional(lambda x: height * (matrix @ function(x / scale)), seed, x=x)
    return subject, height / scale * derivative(x / scale) * (subject.cotangents[0] @ matrix)


def curve_of(finding, seconds=60.0, seed=5):
    return step_curve(finding.nearby, finding.check, np.random.default_rng(seed), seconds)


def curve(subject, analytic, method="dense", **options):
    """Return the curve of a gradient of ``x``, which must be there."""
    found = curve_of(examined(subject, analytic, method=method, **options))
    assert found is not None
    return found


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
    assert (found.derivative, found.order) == (METHODS[method], 4)
    assert len(steps) == 24
    np.testing.assert_array_equal(steps[1:], 2 * steps[:-1])
    assert 2.0**-25 < steps[0] / spread < 2.0**-22
    # Errors are distances from a numerical value, which has an error itself.
    upper = (truncation > 100 * array(found.roundoff)) & (truncation > 20 * found.bar) & (steps < spread / 2)
    assert np.sum(upper) >= 2
    assert np.polyfit(np.log(steps[upper]), np.log(errors[upper]), 1)[0] == pytest.approx(4, abs=0.15)
    np.testing.assert_allclose(errors[upper], truncation[upper], rtol=0.5)


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
    assert found.derivative == "differences of order 4"
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


@pytest.mark.parametrize("distance", [2.0**-4, 2.0**-9, 2.0**-14])
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


def raising(*, around=0.0, limit=np.inf, holes=False):
    """Return ``exp`` that raises far from a point, or at some distances from it."""

    def evaluate(x):
        distance = np.max(np.abs(x.real - around))
        if distance > limit or (holes and distance * 1e9 % 4 > 3):
            raise ValueError("not defined there")
        return np.exp(x)

    return evaluate


def test_steps_at_which_the_code_raises_are_left_out():
    subject = functional(np.exp, x=np.linspace(0.3, 0.9, 5))
    finding = examined(subject, subject.cotangents[0] * np.exp(subject.inputs["x"]), method="auto")
    whole = curve_of(finding)

    def inside(evaluate):
        changed = replace(subject, evaluate=lambda inputs: (evaluate(inputs["x"]),))
        return step_curve(replace(finding.nearby, functional=changed), finding.check, np.random.default_rng(5), 60.0)

    limited = inside(raising(around=subject.inputs["x"], limit=2.0**-8))
    assert limited.steps == whole.steps[: len(limited.steps)]
    assert 8 <= len(limited.steps) < 20
    assert limited.errors == whole.errors[: len(limited.steps)]
    holes = inside(raising(around=subject.inputs["x"], holes=True))
    assert set(holes.steps) < set(whole.steps)
    assert len(holes.steps) >= 4
    assert (
        dict(zip(holes.steps, holes.errors, strict=True)).items()
        <= dict(zip(whole.steps, whole.errors, strict=True)).items()
    )


@pytest.mark.parametrize("error", [ValueError, MemoryError, SystemExit])
def test_no_curve_of_code_that_raises_everywhere(error):
    subject, gradient = mixed("exp", 0)
    finding = examined(subject, gradient)

    def evaluate(_):
        raise error("no more")

    manner = replace(finding.nearby.manner, functional=replace(finding.nearby.functional, evaluate=evaluate))
    assert curve_of(replace(finding, nearby=replace(finding.nearby, manner=manner))) is None


def test_values_out_of_the_range_of_numbers_are_left_out_and_warn_nobody():
    subject = functional(lambda x: np.where(x.real > 1.51, np.inf, np.exp(x.real)), x=[1.5, 0.5, -0.5])
    with np.errstate(all="ignore"):
        finding = examined(subject, subject.cotangents[0] * np.exp(subject.inputs["x"]))
    with np.errstate(all="warn"), warnings.catch_warnings():
        warnings.simplefilter("error")
        found = curve_of(finding)
    assert 4 <= len(found.steps) < 24
    assert np.all(np.isfinite(found.errors))


def test_single_precision_has_no_steps_below_its_spacing():
    def single(x):
        if x.dtype != np.float32:
            raise TypeError("single precision alone")
        return np.exp(x)

    x = np.linspace(0.5, 1.5, 6).astype(np.float32)
    subject = functional(single, x=x)
    subject = replace(subject, cotangents=(subject.cotangents[0].astype(np.float32),))
    found = curve(subject, subject.cotangents[0] * np.exp(x))
    steps = array(found.steps)
    assert 4 <= len(steps) < 24
    assert steps[0] / np.spacing(x[found.index]) >= 8
    assert min(found.errors) < 1e-3
    assert np.all(array(found.errors) < 20 * array(found.roundoff) + found.bar)


@pytest.mark.parametrize("method", METHODS)
def test_at_most_so_many_passes(method):
    subject, gradient = mixed("exp", 2)
    finding, count = examined(subject, gradient, method=method), 0

    def evaluate(inputs):
        nonlocal count
        count += 1
        return subject.evaluate(inputs)

    counted = replace(finding.nearby.functional, evaluate=evaluate)
    manner = finding.nearby.manner
    manner = replace(manner, functional=replace(manner.functional, evaluate=evaluate))
    assert curve_of(replace(finding, nearby=replace(finding.nearby, functional=counted, manner=manner))) is not None
    assert 50 <= count <= PASSES
    assert PASSES <= 100


def test_no_curve_where_passes_take_long():
    subject, gradient = mixed("exp", 2)
    finding, count = examined(subject, gradient), 0

    def evaluate(inputs):
        nonlocal count
        count += 1
        time.sleep(0.25)
        return subject.evaluate(inputs)

    manner = replace(finding.nearby.manner, functional=replace(subject, evaluate=evaluate))
    slow = replace(finding, nearby=replace(finding.nearby, manner=manner))
    assert curve_of(slow) is None
    assert count == 2  # the first may have been a pause of the machine
    known = replace(slow.check, work=Work(derivative="complex step", passes={"noise": 4}, seconds={"noise": 1.0}))
    assert curve_of(replace(slow, check=known)) is None
    assert count == 2


@pytest.mark.parametrize("method", METHODS)
def test_no_curve_where_there_is_no_time(method):
    subject, gradient = mixed("exp", 2)
    finding = examined(subject, gradient, method=method)
    quick = replace(finding, check=replace(finding.check, work=None))
    assert curve_of(quick, seconds=1e-9) is None
    assert curve_of(quick, seconds=60.0) is not None
    passes, times = {"compiled": 2, "noise": 10}, {"compiled": 9.0, "noise": 1.0}
    known = replace(finding.check, work=replace(finding.check.work, passes=passes, seconds=times))
    assert curve_of(replace(finding, check=known), seconds=PASSES * 0.1 - 0.1) is None
    assert curve_of(replace(finding, check=known), seconds=PASSES * 0.1 + 0.1) is not None


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
    assert found.derivative == "differences of order 4"
    assert min(found.errors) < 1e-8 * abs(gradient[6])


def test_no_curve_without_elements_and_none_where_nothing_could_be_computed():
    assert curve_of(examined(functional(np.exp, x=np.zeros((0, 3))), np.zeros((0, 3)))) is None
    subject, gradient = mixed("exp", 4)
    assert examined(subject, gradient, budget=3).nearby is None


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
