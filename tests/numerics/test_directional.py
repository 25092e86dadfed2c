"""Derivatives along a direction: orders as measured, bars that cover, and steps that fit the domain."""

from __future__ import annotations

import numpy as np
import pytest
from built_ins import BuiltIn, Counter, behind_cotangents
from test_engine_accuracy import FAR, SATURATED, SMOOTH

from gradverify.numerics.complex_step import complex_derivative
from gradverify.numerics.directional import central_rows, extrapolated, representable, richardson
from gradverify.numerics.error_bar import forward_rounding, sharpened
from gradverify.numerics.functional import spread


def along(subject, directions):
    """Take a derivative where the engine does, and with the noise that it measures there."""
    where, noise = sharpened(subject, np.random.default_rng(0))
    return richardson(where, directions, noise.total)


def direction(subject, names, random):
    """Return random directions as the engine takes them: far from zero, others are not what the point moves along."""
    values = {name: subject.inputs[name] for name in names}
    drawn = {name: spread(value) * random.standard_normal(value.shape) for name, value in values.items()}
    return {name: representable(values[name], part) for name, part in drawn.items()}


@pytest.mark.parametrize(("points", "order"), [(1, 2), (2, 4), (3, 6), (4, 8)])
def test_extrapolation_has_its_order(points, order):
    x, v = np.random.default_rng(80).normal(size=(2, 30))
    subject = behind_cotangents(lambda x: np.exp(np.sin(x)), x=x)
    exact = complex_derivative(subject, {"x": v})
    steps = (2.0**-6, 2.0**-7) if points < 4 else (2.0**-5, 2.0**-6)
    wide, narrow = (
        np.linalg.norm(extrapolated([central_rows(subject, {"x": v}, h * 2**k) for k in range(points)]) - exact)
        for h in steps
    )
    assert np.log2(wide / narrow) == pytest.approx(order, abs=0.6)


def test_extrapolation_combines_as_richardson_does():
    rows = [np.array([value]) for value in (1.0, 2.0, 7.0)]
    fine, coarse = (4 * 1 - 2) / 3, (4 * 2 - 7) / 3
    assert extrapolated(rows[:1]) == 1
    assert extrapolated(rows[:2]) == pytest.approx(fine)
    assert extrapolated(rows) == pytest.approx((16 * fine - coarse) / 15)


CASES = [
    pytest.param(layer, mean, id=f"{layer}{' mean of 1e3' if mean else ''}")
    for layer in SMOOTH
    for mean in (0.0, FAR)
    if not (mean and layer.layer in SATURATED)
]
SEEDS = [pytest.param(range(20), id="a tenth"), pytest.param(range(200), id="all", marks=pytest.mark.slow)]


def compared(layer, mean, seeds):
    """Return errors, bars, and the norms of what is added up."""
    rows = []
    for seed in seeds:
        subject = layer.functional(seed, mean)
        exact = layer.gradients(subject, np.longdouble)
        parts = direction(subject, exact, np.random.default_rng([seed, 81]))
        found = along(subject, parts)
        true = sum(np.sum(exact[name] * part) for name, part in parts.items())
        norm = sum(float(np.sum((exact[name] * part) ** 2)) for name, part in parts.items()) ** 0.5
        rows.append((float(abs(found.value - true)), found.bar, norm))
    return np.array(rows).T


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize(("layer", "mean"), CASES)
def test_bars_cover_the_error(layer, mean, seeds):
    """Within the factor of 4 beyond which elements are looked at; what lies outside costs passes, and no verdict."""
    error, bar, norm = compared(layer, mean, seeds)
    assert float(np.mean(error <= 4 * bar)) >= 0.99
    assert float(np.max(error / bar)) <= 8
    assert float(np.max(error / norm)) <= 1e-9


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize(("layer", "mean"), [case for case in CASES if not case.values[1]])
def test_bars_are_narrow_enough_for_a_certificate(layer, mean, seeds):
    """Its bound is 142 times the bar at four directions, and should be 1e-9 of the norm."""
    _, bar, norm = compared(layer, mean, seeds)
    assert float(np.median(bar / norm)) <= 1e-9 / 142


def test_smooth_code_takes_six_passes():
    layer = BuiltIn("batchnorm", {"x": (12, 7), "gamma": (7,), "beta": (7,)})
    for seed in range(10):
        counter = Counter()
        subject = counter.watching(layer.functional(seed))
        noise = forward_rounding(subject, np.random.default_rng(seed)).total
        counter.passes = 0
        richardson(subject, direction(subject, layer.differentiable, np.random.default_rng([seed, 82])), noise)
        assert counter.passes == 6


def rooted(x):
    if np.any(x < 0):
        raise ValueError("x is negative")
    return np.sqrt(x)


@pytest.mark.parametrize(
    ("function", "slope"),
    [(rooted, lambda x: 0.5 / np.sqrt(x)), (np.sqrt, lambda x: 0.5 / np.sqrt(x)), (np.log, lambda x: 1 / x)],
    ids=["raises", "NaN", "log"],
)
def test_smaller_steps_are_taken_near_the_edge_of_a_domain(function, slope):
    for seed in range(10):
        random = np.random.default_rng([seed, 83])
        x, v = np.abs(random.normal(size=20)) + 1e-3, random.standard_normal(20)
        subject = behind_cotangents(function, x=x)
        exact = float(np.sum(subject.weights * slope(x) * v))
        found = along(subject, {"x": v})
        assert abs(found.value - exact) <= 4 * found.bar <= 1e-4 * np.linalg.norm(slope(x))


def test_where_no_step_is_in_the_domain_nothing_is_known():
    def closed(x):
        if np.any(x != 1):
            raise ValueError("x must be 1")
        return x

    subject = behind_cotangents(closed, x=np.ones(3))
    assert central_rows(subject, {"x": np.ones(3)}, 1e-3) is None
    assert along(subject, {"x": np.ones(3)}).bar == np.inf
    infinite = behind_cotangents(lambda x: np.where(x == 1, x, np.inf), x=np.ones(3))
    assert along(infinite, {"x": np.ones(3)}).bar == np.inf


@pytest.mark.parametrize("distance", [1e-2, 1e-4])
def test_steps_shrink_until_they_fit_between_kinks(distance):
    for seed in range(10):
        random = np.random.default_rng([seed, 84])
        x, v = random.choice((-1, 1), 20) * (distance + np.abs(random.normal(size=20))), random.standard_normal(20)
        x[0] = distance
        subject = behind_cotangents(lambda x: np.maximum(x, 0) * x + 3 * np.abs(x), x=x)
        exact = float(np.sum(subject.weights * ((2 * np.maximum(x, 0) + 3 * np.sign(x)) * v)))
        found = along(subject, {"x": v})
        assert abs(found.value - exact) <= 4 * found.bar <= 1e-5 * abs(exact) + 1e-5
