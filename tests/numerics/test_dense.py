"""The dense engine: no false alarm, no miss, and bars that cover the true error."""

from __future__ import annotations

import numpy as np
import pytest
from functionals import SMOOTH, batchnorm, batchnorm_gradient, effort, examined, functional

from gradverify.numerics.affine import affine_noise
from gradverify.numerics.comparison import Bounds
from gradverify.numerics.engine import Effort, examine
from gradverify.results import Verdict

SEEDS = range(20)


def check(subject, analytic, **options):
    return examined(subject, analytic, **options).check


def smooth(name, seed, *, shape=(4, 5), offset=0.0):
    """Return a functional of a smooth function of ``x - offset``, and its exact gradient."""
    function, derivative = SMOOTH[name]
    x = np.random.default_rng([seed, 5]).normal(size=shape) + offset
    subject = functional(lambda x: function(x - offset), seed, x=x)
    exact = subject.cotangents[0] * derivative((x - offset).astype(np.longdouble))
    return subject, exact


@pytest.mark.parametrize("offset", [0.0, 1e3], ids=["near zero", "mean of 1e3"])
@pytest.mark.parametrize("name", SMOOTH)
def test_right_gradients_of_smooth_functions_pass(name, offset):
    for seed in SEEDS:
        subject, exact = smooth(name, seed, offset=offset)
        found = check(subject, exact.astype(np.float64), seed=seed)
        assert found.verdict is Verdict.PASS, found
        assert found.compared == 20


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_right_batch_normalization_passes(offset):
    for seed in range(40):
        x = np.random.default_rng([seed, 6]).normal(size=(6, 3)) + offset
        subject = functional(batchnorm, seed, x=x)
        exact = batchnorm_gradient(x, subject.cotangents[0]).astype(np.float64)
        assert check(subject, exact, seed=seed).verdict is Verdict.PASS
        exact[2, 1] *= 1 + 1e-5
        found = check(subject, exact, seed=seed)
        assert (found.verdict, found.failed, found.worst.index) == (Verdict.FAIL, 1, (2, 1))


@pytest.mark.parametrize("name", SMOOTH)
def test_agrees_with_the_complex_step(name):
    for seed in SEEDS:
        subject, _ = smooth(name, seed)
        x = subject.inputs["x"]
        exact = subject.cotangents[0] * SMOOTH[name][0](x + 1e-30j).imag / 1e-30
        found = examined(subject, exact, seed=seed)
        np.testing.assert_allclose(found.numerical, exact, rtol=1e-8, atol=1e-9 * np.max(np.abs(exact)))


@pytest.mark.parametrize("error", [1e-5, -1e-5, 1e-4, 1.0])
@pytest.mark.parametrize("name", SMOOTH)
def test_one_element_off_is_caught(name, error):
    for seed in range(5):
        subject, exact = smooth(name, seed)
        wrong = exact.astype(np.float64)
        position = np.unravel_index(np.argsort(np.abs(wrong), axis=None)[10], wrong.shape)
        wrong[position] *= 1 + error
        found = check(subject, wrong, seed=seed)
        assert (found.verdict, found.failed) == (Verdict.FAIL, 1)
        assert found.worst.index == position
        assert found.worst.analytic == wrong[position]
        assert found.worst.numerical == pytest.approx(exact[position], rel=1e-7)


def test_one_element_off_in_an_affine_input_is_caught():
    for seed in SEEDS:
        random = np.random.default_rng([seed, 7])
        x, w = random.normal(size=(4, 3)), random.normal(size=(3, 2))
        subject = functional(lambda x, w: x @ w, seed, x=x, w=w)
        exact = subject.cotangents[0] @ w.T
        assert check(subject, exact, seed=seed).verdict is Verdict.PASS
        exact[1, 1] *= 1 + 2e-6
        assert check(subject, exact, seed=seed).failed == 1


def near_kinks(seed: int):
    """Return data of which some lie exactly at zero and others from 1e-9 to 1e-1 beside it."""
    random = np.random.default_rng([seed, 8])
    distance = 10.0 ** random.uniform(-9, -1, 6) * random.choice([-1, 1], 6)
    return np.concatenate([random.normal(size=4), distance, np.zeros(2)])


PIECEWISE = {
    "relu": (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0),
    "leaky relu": (lambda x: np.where(x > 0, x, 0.01 * x), lambda x: np.where(x > 0, 1, 0.01)),
    "absolute": (np.abs, np.sign),
    "square of relu": (lambda x: np.maximum(x, 0) ** 2, lambda x: 2 * np.maximum(x, 0)),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))), lambda x: np.exp(np.minimum(x, 0))),
    "clip": (lambda x: np.clip(x, 0, 0.5), lambda x: ((x > 0) & (x < 0.5)) * 1.0),
}
ONCE_DIFFERENTIABLE = {"square of relu", "elu"}  # very near zero no step is small enough for their bars


@pytest.mark.parametrize("name", PIECEWISE)
@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_kinks_raise_no_false_alarm(name, count):
    function, derivative = PIECEWISE[name]
    for seed in range(count):
        x = near_kinks(seed)
        subject = functional(function, seed, x=x)
        exact = subject.cotangents[0] * derivative(x)
        found = check(subject, exact, seed=seed)
        if name in ONCE_DIFFERENTIABLE or not np.any(exact):
            assert found.verdict is not Verdict.FAIL, (seed, found)
        else:
            assert found.verdict is Verdict.PASS, (seed, found)


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_maxima_with_ties_and_near_ties_raise_no_false_alarm(count):
    for seed in range(count):
        random = np.random.default_rng([seed, 9])
        x = random.normal(size=(3, 4))
        x[0, 1] = x[0, 2]
        x[1, 0] = x[1].max() + 10.0 ** random.uniform(-9, -2)
        near = x[1, 0] - np.sort(x[1])[-2] < 1e-4
        subject = functional(lambda x: x.max(axis=1), seed, x=x)
        exact = np.zeros_like(x)
        exact[np.arange(3), np.argmax(x, axis=1)] = subject.cotangents[0]
        found = check(subject, exact, seed=seed)
        assert found.verdict is not Verdict.FAIL
        assert near or found.verdict is Verdict.PASS


@pytest.mark.parametrize("name", ["relu", "absolute", "leaky relu"])
def test_wrong_slopes_beside_a_kink_are_caught(name):
    function, derivative = PIECEWISE[name]
    for seed in range(10):
        x = near_kinks(seed)
        subject = functional(function, seed, x=x)
        for position in np.flatnonzero(np.abs(x) > 1e-7):  # nearer to the kink, both slopes may be meant
            wrong = subject.cotangents[0] * derivative(x)
            wrong[position] += 1e-3
            found = check(subject, wrong, seed=seed)
            assert (found.failed, found.worst.index) == (1, (position,))


def test_value_outside_the_slopes_of_a_kink_is_caught():
    subject = functional(lambda x: np.maximum(x, 0), x=np.array([0.0, 1.0, -1.0]))
    weights = subject.cotangents[0]
    for share, verdict in ((0.0, Verdict.PASS), (0.5, Verdict.PASS), (1.0, Verdict.PASS), (1.1, Verdict.FAIL)):
        found = check(subject, weights * [share, 1, 0])
        assert found.verdict is verdict
        if verdict is Verdict.PASS:
            assert found.reason == "1 element at kinks, judged by the slopes on both sides"
    assert check(subject, weights * [-0.1, 1, 0]).verdict is Verdict.FAIL


def test_jump_is_inconclusive_and_not_whatever_the_gradient_says():
    subject = functional(lambda x: x + (x >= 0), x=np.array([0.0, 1.0, -2.0]))
    found = check(subject, subject.cotangents[0] * [5.0, 1, 1])
    assert found.verdict is not Verdict.PASS


@pytest.mark.parametrize("noise", [1e-12, 1e-9])
@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_kinks_in_noisy_code_raise_no_false_alarm(count, noise):
    for seed in range(count):
        x, random = near_kinks(seed), np.random.default_rng([seed, 10])
        subject = functional(lambda x, random=random: np.maximum(x, 0) + noise * random.normal(size=x.shape), seed, x=x)
        found = check(subject, subject.cotangents[0] * (x > 0), seed=seed)
        assert found.verdict is not Verdict.FAIL, (seed, found)


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_kinks_in_single_precision_within_raise_no_false_alarm(count):
    for seed in range(count):
        x = np.random.default_rng([seed, 11]).normal(size=40)
        subject = functional(lambda x: np.maximum(x.astype(np.float32), 0).astype(np.float64), seed, x=x)
        found = check(subject, subject.cotangents[0] * (x > 0), seed=seed)
        assert found.verdict is not Verdict.FAIL, (seed, found)


@pytest.mark.parametrize(("budget", "verdict"), [(80, Verdict.PASS), (79, Verdict.INCONCLUSIVE)])
def test_beyond_the_budget_is_inconclusive_with_a_reason(budget, verdict):
    subject, exact = smooth("tanh", 0)
    found = check(subject, exact.astype(np.float64), budget=budget)
    assert found.verdict is verdict
    if verdict is Verdict.INCONCLUSIVE:
        assert (
            found.reason
            == "needs about 80 forward passes, the budget is 79; give it a smaller shape or a larger max_passes"
        )
        assert (found.compared, found.inconclusive, found.worst, found.max_relative_error) == (0, 20, None, None)


def test_budget_of_an_affine_input_is_one_pass_an_element():
    subject = functional(lambda x: 3 * x, x=np.arange(20.0))
    assert check(subject, 3 * subject.cotangents[0], budget=20).verdict is Verdict.PASS
    assert check(subject, 3 * subject.cotangents[0], budget=19).compared == 0


@pytest.mark.parametrize("name", [*SMOOTH, "batch normalization"])
@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_error_bar_covers_the_true_error(name, count):
    covered = total = 0
    for seed in range(count):
        offset = 1e3 if seed % 2 else 0.0
        if name in SMOOTH:
            subject, exact = smooth(name, seed, offset=offset)
        else:
            subject = functional(batchnorm, seed, x=np.random.default_rng([seed, 5]).normal(size=(6, 3)) + offset)
            exact = batchnorm_gradient(subject.inputs["x"], subject.cotangents[0])
        found = examined(subject, exact.astype(np.float64), seed=seed)
        error = np.abs(found.numerical - exact)
        covered += np.sum(error <= found.bar)
        total += exact.size
        assert np.all(error <= found.bar + 1e-9 * np.max(np.abs(exact)))  # what it misses decides no verdict
    # far from zero, rounding within batch normalization is now and then too regular to look like noise
    assert covered >= (0.999 if name in SMOOTH else 0.99) * total


def test_wrong_gradient_does_not_make_the_numerical_one_wrong():
    for seed in range(5):
        subject, exact = smooth("tanh", seed)
        found = examined(subject, 2 * exact.astype(np.float64), seed=seed)
        assert found.check.failed == exact.size
        np.testing.assert_allclose(found.numerical, exact.astype(np.float64), rtol=1e-8)


def test_entries_that_are_not_finite_fail_and_the_others_are_judged():
    subject, exact = smooth("tanh", 0)
    spoiled = exact.astype(np.float64)
    spoiled[0, 0], spoiled[1, 1], spoiled[2, 2] = np.nan, np.inf, spoiled[2, 2] * 2
    found = check(subject, spoiled)
    assert (found.verdict, found.failed, found.max_relative_error) == (Verdict.FAIL, 3, np.inf)
    assert found.reason == ("2 analytic entries are not finite; 1 of 20 elements differ by more than is allowed")


def test_zero_gradient_and_zero_function_pass():
    subject = functional(lambda x: 0 * x, x=np.ones((2, 2)))
    assert check(subject, np.zeros((2, 2))).verdict is Verdict.PASS
    assert check(subject, np.full((2, 2), 1e-3)).verdict is Verdict.FAIL


def test_gradient_that_cancels_to_zero_passes():
    subject = functional(lambda x: x - x.mean(), x=np.random.default_rng(0).normal(size=8))
    ones = type(subject)(subject.evaluate, subject.inputs, (np.ones(8),), subject.base)
    assert check(ones, np.full(8, 1e-16)).verdict is Verdict.PASS
    assert check(ones, np.full(8, 1e-9)).verdict is Verdict.FAIL


def test_no_tolerance_at_all_is_no_overflow():
    subject = functional(lambda x: 0 * x, x=np.ones(2))
    exact = Effort(Bounds(0.0, 0.0), np.random.default_rng(0), 1000, "dense")
    (finding,) = examine(subject, {"x": np.array([0.0, 1e3])}, {"x": exact})
    found = finding.check
    assert (found.verdict, found.failed, found.worst.index) == (Verdict.FAIL, 1, (1,))


def test_input_without_elements_passes():
    subject = functional(lambda x: x, x=np.zeros((0, 3)))
    found = check(subject, np.zeros((0, 3)))
    assert (found.verdict, found.elements, found.worst) == (Verdict.PASS, 0, None)


def test_undefined_neighbourhood_is_inconclusive():
    with np.errstate(invalid="ignore"):
        subject = functional(lambda x: np.where(np.abs(x - 1) < 1e-300, x, np.nan), x=np.ones(3))
        found = check(subject, np.ones(3))
    assert (found.verdict, found.inconclusive) == (Verdict.INCONCLUSIVE, 3)
    assert "error bar" in found.reason


def test_many_wrong_elements_are_all_counted():
    x = np.random.default_rng(0).normal(size=300)
    subject = functional(np.tanh, x=x)
    exact = subject.cotangents[0] * (1 - np.tanh(x) ** 2)
    assert check(subject, 2 * exact).failed == 300


@pytest.mark.parametrize("share", [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.5, 0.25, 0.25)])
def test_any_subgradient_of_a_tie_passes(share):
    subject = functional(lambda x: x.max(axis=1), x=[[2.0, 2.0, 2.0, 1.0]])
    weight = float(subject.cotangents[0][0])
    assert check(subject, weight * np.array([[*share, 0.0]])).verdict is Verdict.PASS


@pytest.mark.parametrize("share", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)])
def test_what_is_no_subgradient_of_a_tie_fails_though_each_element_lies_between_its_slopes(share):
    for seed in range(8):
        subject = functional(lambda x: x.max(axis=1), seed, x=[[2.0, 2.0, 2.0, 1.0]])
        weight = float(subject.cotangents[0][0])
        found = check(subject, weight * np.array([[*share, 0.0]]), seed=seed)
        assert found.verdict is Verdict.FAIL, seed
        assert found.failed == 3
        assert "when all of them move together" in found.reason


def test_what_looks_affine_along_the_directions_tried_is_proved_before_it_is_believed():
    looked = 0
    for seed in range(60):
        subject = functional(lambda x: x.max(), seed, x=[1.0, 1.0])
        looked += affine_noise(subject, "x", effort(subject, seed=seed).random, 1.0) is not None
        assert check(subject, np.full(2, float(subject.cotangents[0])), seed=seed).verdict is Verdict.FAIL
    assert looked > 0  # some of them would have been believed


@pytest.mark.parametrize("value", [15.0, 16.0, 30.0, 200.0])
def test_a_saturated_function_has_no_gradient_to_tell(value):
    subject = functional(np.tanh, x=np.full(5, value))
    exact = subject.cotangents[0] / np.cosh(value) ** 2
    assert check(subject, exact).verdict is Verdict.PASS
    assert check(subject, exact + 1e-6).verdict is Verdict.FAIL


def test_a_domain_is_left_neither_in_looking_for_what_is_affine_nor_in_proving_it():
    def bounded(x):
        if np.any(np.abs(x) > 1.7):
            raise ValueError("outside of the domain")
        return 3 * x

    for seed in range(10):
        x = np.random.default_rng(seed).uniform(-1, 1, 20)
        subject = functional(bounded, seed, x=x)
        assert check(subject, 3 * subject.cotangents[0], seed=seed).verdict is Verdict.PASS
