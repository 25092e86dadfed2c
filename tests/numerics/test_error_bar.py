"""Noise that was put in is found again; what is affine is told from what is not."""

# ruff: noqa: ARG005  all functions take the same inputs

from __future__ import annotations

import numpy as np
import pytest
from functionals import SMOOTH, batchnorm, examined, functional

from gradverify.numerics.affine import affine_noise
from gradverify.numerics.error_bar import measured_noise, rounding_floor
from gradverify.numerics.functional import spread

X = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.parametrize("noise", [1e-13, 1e-11, 1e-9, 1e-7, 1e-5])
@pytest.mark.parametrize("name", ["tanh", "exp", "cube"])
def test_injected_noise_is_measured(noise, name):
    for seed in range(5):
        random = np.random.default_rng([seed, 9])
        noisy = functional(lambda x, random=random: SMOOTH[name][0](x) + noise * random.normal(size=x.shape), seed, x=X)
        wanted = noise * np.linalg.norm(noisy.cotangents[0])
        found = measured_noise(noisy, "x", np.random.default_rng(seed)).total
        assert wanted / 5 < found < wanted * 5


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_have_the_noise_of_rounding(name):
    subject = functional(SMOOTH[name][0], x=X)
    rounding = np.finfo(np.float64).eps * np.linalg.norm(subject.cotangents[0] * subject.base[0])
    assert 0.99 * rounding < measured_noise(subject, "x", np.random.default_rng(0)).total < 20 * rounding


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_single_precision_hidden_inside_is_noticed(offset):
    def hidden(x):
        return np.tanh((x - offset).astype(np.float32)).astype(np.float64)

    subject = functional(hidden, x=X + offset)
    single = np.finfo(np.float32).eps * np.linalg.norm(subject.cotangents[0] * subject.base[0])
    assert single / 10 < measured_noise(subject, "x", np.random.default_rng(0)).total < single * 10
    gradient = subject.cotangents[0] * (1 - np.tanh(X) ** 2)
    found = examined(subject, gradient)
    assert found.check.failed == 0
    assert np.all(np.abs(found.numerical - gradient) <= found.bar + 1e-12)
    assert np.any(found.bar > 1e-6)


def test_noise_of_a_kink_is_measured_on_its_other_side():
    x = X.copy()
    x[0, 0] = -(2.0**-17)
    subject = functional(lambda x: np.maximum(x, 0), x=x)
    for seed in range(20):
        assert measured_noise(subject, "x", np.random.default_rng(seed)).total < 1e-10


def test_noise_of_a_function_that_becomes_infinite_is_infinite():
    with np.errstate(divide="ignore", invalid="ignore"):
        subject = functional(lambda x: np.where(x == 1, x, np.inf), x=np.ones((2, 2)))
        assert measured_noise(subject, "x", np.random.default_rng(0)).total == np.inf


AFFINE = {
    "affine in x": ("x", lambda x, w, b: x @ w + b),
    "affine in w": ("w", lambda x, w, b: x @ w + b),
    "affine in b": ("b", lambda x, w, b: x @ w + b),
    "scale of tanh": ("b", lambda x, w, b: np.tanh(x @ w) * b),
    "mean": ("x", lambda x, w, b: x.mean(axis=0)),
    "gather": ("x", lambda x, w, b: x[:, [2, 0, 0]]),
    "constant": ("x", lambda x, w, b: np.ones(3)),
    "several outputs": ("x", lambda x, w, b: (x, x @ w)),
    "far from zero": ("x", lambda x, w, b: x + 1e6),
}
NOT_AFFINE = {
    **{name: ("x", lambda x, w, b, function=function: function(x)) for name, (function, _) in SMOOTH.items()},
    "relu": ("x", lambda x, w, b: np.maximum(x, 0)),
    "absolute": ("x", lambda x, w, b: np.abs(x)),
    "largest": ("x", lambda x, w, b: x.max(axis=1)),
    "quadratic": ("x", lambda x, w, b: x * x),
    "slightly bent": ("x", lambda x, w, b: x + 1e-6 * x * x),
    "one element bent": ("x", lambda x, w, b: np.where(np.arange(x.size).reshape(x.shape) == 7, x**2, x)),
    "second output bent": ("x", lambda x, w, b: (x, x**3)),
    "batch normalization": ("x", lambda x, w, b: batchnorm(x)),
}


@pytest.mark.parametrize(("cases", "affine"), [(AFFINE, True), (NOT_AFFINE, False)], ids=["affine", "not affine"])
def test_affine_functions_are_recognised_and_others_are_not(cases, affine):
    for label, (name, function) in cases.items():
        for seed in range(10):
            random = np.random.default_rng([seed, 3])
            inputs = {"x": random.normal(size=(4, 5)), "w": random.normal(size=(5, 3)), "b": random.normal(size=3)}
            subject = functional(function, seed, **inputs)
            assert (affine_noise(subject, name, random, spread(inputs[name])) is not None) is affine, label


def test_floor_is_its_formula():
    x = np.array([1000.0, 1002.0])
    subject = functional(lambda x: 3 * x, x=x)
    magnitude = np.max(np.abs(3 * x * subject.cotangents[0]))
    assert subject.magnitude == magnitude
    wanted = 8 * 2.0**-23 * magnitude / 1.0
    assert rounding_floor(subject, "x", np.dtype(np.float32)) == pytest.approx(wanted)


def test_spread_is_the_deviation_else_the_size_else_one():
    assert spread(np.array([1000.0, 1002.0])) == 1.0
    assert spread(np.full(3, -4.0)) == 4.0
    assert spread(np.array(2.0)) == 2.0
    assert spread(np.zeros(3)) == 1.0
    assert spread(np.zeros((0, 2))) == 1.0
