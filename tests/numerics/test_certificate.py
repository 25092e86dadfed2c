"""A whole gradient from a few derivatives along random directions: bounds that hold, and errors that show."""

from __future__ import annotations

from dataclasses import replace
from math import erf, sqrt

import numpy as np
import pytest
from built_ins import CODE, BuiltIn, Counter, behind_cotangents, efforts, found

from gradverify.numerics.certificate import Certifier, Residual, Residuals, suspects
from gradverify.numerics.claim import Claim
from gradverify.numerics.complex_step import prove_complex
from gradverify.numerics.engine import examine

BATCHNORM = BuiltIn("batchnorm", {"x": (12, 7), "gamma": (7,), "beta": (7,)})
SUBJECTS = [
    BATCHNORM,
    BuiltIn("conv2d", {"x": (2, 3, 8, 7), "w": (4, 3, 3, 2), "b": (4,)}, {"stride": (2, 1), "padding": 1}),
    BuiltIn("layernorm", {"x": (9, 11), "gamma": (11,), "beta": (11,)}),
    BuiltIn("groupnorm", {"x": (3, 6, 4, 3), "gamma": (6,), "beta": (6,)}, {"groups": 2}),
    BuiltIn("affine", {"x": (6, 10), "w": (10, 8), "b": (8,)}),
    BuiltIn("softmax_loss", {"x": (8, 6), "y": (8,)}),
    BuiltIn("tanh", {"x": (6, 7)}),
    BuiltIn("relu", {"x": (6, 7)}),
]
LARGE = [
    BuiltIn("spatial_batchnorm", {"x": (4, 8, 16, 16), "gamma": (8,), "beta": (8,)}),
    BuiltIn("conv2d", {"x": (2, 4, 24, 24), "w": (6, 4, 3, 3), "b": (6,)}, {"padding": 1}),
    BuiltIn("batchnorm", {"x": (64, 128), "gamma": (128,), "beta": (128,)}),
    BuiltIn("groupnorm", {"x": (2, 8, 16, 16), "gamma": (8,), "beta": (8,)}, {"groups": 4}),
    BuiltIn("affine", {"x": (32, 128), "w": (128, 64), "b": (64,)}),
]
MISS = 1e-9

code = pytest.mark.parametrize("code", CODE)


def certifier(subject, gradients, seed=0):
    random = np.random.default_rng([seed, 40])
    return Certifier(subject, prove_complex(subject, gradients, random), random)


def spoilt(gradient, position=17, error=1e-4, least=0.1):
    """Return a gradient with one element off, by a part of itself or of the largest."""
    wrong = gradient.copy()
    place = position % wrong.size
    largest = np.max(np.abs(wrong))
    wrong.flat[place] += error * max(abs(wrong.flat[place]), least * largest)
    return wrong, place


def exact_gradients(built_in, subject):
    return {name: value.astype(np.float64) for name, value in built_in.gradients(subject, np.longdouble).items()}


@code
@pytest.mark.parametrize("built_in", SUBJECTS, ids=str)
def test_right_gradients_are_quiet_and_the_bound_holds(built_in, code):
    for seed in range(5):
        subject = CODE[code](built_in.functional(seed))
        exact = built_in.gradients(subject, np.longdouble)
        gradients = {name: value.astype(np.float64) for name, value in exact.items()}
        prover = certifier(subject, gradients, seed)
        assert (prover.proof is None) == (code == "complex refused")
        residuals = prover.residuals(gradients, 4)
        assert not residuals.loud
        for name, gradient in gradients.items():
            true = float(np.max(np.abs(gradient - exact[name])))
            assert true <= residuals.bound(name, MISS) <= 1e-6 * np.linalg.norm(gradient), name


@code
@pytest.mark.parametrize("error", [1e-6, -1e-4, 1e-2])
@pytest.mark.parametrize("built_in", SUBJECTS, ids=str)
def test_one_wrong_element_is_loud_and_within_the_bound(built_in, error, code):
    for seed in range(3):
        subject = CODE[code](built_in.functional(seed))
        gradients = built_in.gradients(subject)
        for name in gradients:
            wrong, place = spoilt(gradients[name], error=error)
            prover = certifier(subject, gradients, seed)
            residuals = prover.residuals({**gradients, name: wrong}, 4)
            assert residuals.loud, name
            off = abs(wrong.flat[place] - gradients[name].flat[place])
            assert off <= residuals.bound(name, MISS), name


@code
@pytest.mark.parametrize("wrong", [lambda dx: -dx, lambda dx: 0 * dx, lambda dx: dx * (1 + 1e-6)])
def test_a_wrong_batchnorm_is_caught(wrong, code):
    for seed in range(20):
        subject = CODE[code](BATCHNORM.functional(seed))
        gradients = BATCHNORM.gradients(subject)
        for others in ({}, gradients):
            right = {**others, "x": gradients["x"]}
            prover = certifier(subject, right, seed)
            assert not prover.residuals(right, 4).loud
            assert prover.residuals({**right, "x": wrong(right["x"])}, 4).loud


def test_directions_already_taken_are_kept():
    subject = BATCHNORM.functional()
    gradients = BATCHNORM.gradients(subject)
    prover = certifier(subject, gradients)
    few = prover.residuals(gradients, 4)
    more = prover.residuals(gradients, 9, few)
    assert len(more.rows) == 9
    assert more.rows[:4] == few.rows
    assert more.bound("x", MISS) < few.bound("x", MISS)


def test_few_gaussians_are_small():
    """``P(|delta . v| <= t) <= 0.8 t / ||delta||``, whatever delta is, and not by much."""
    random = np.random.default_rng(41)
    for delta in (np.eye(1, 30)[0], np.ones(30), random.standard_cauchy(30)):
        sums = np.abs(random.standard_normal((40_000, 30)) @ delta) / np.linalg.norm(delta)
        for limit in (0.01, 0.1, 0.5):
            probability = erf(limit / sqrt(2))
            assert 0.7 * limit < probability <= 0.8 * limit
            assert np.mean(sums <= limit) == pytest.approx(probability, abs=5 * sqrt(probability / len(sums)))


def quiet_rows(values):
    return Residuals(tuple(Residual(float(value), 0.0, 0.0) for value in values), {"x": 1.0})


@pytest.mark.parametrize(("directions", "miss"), [(1, 0.1), (2, 0.01), (4, 0.01), (4, 1e-3)])
def test_the_bound_misses_as_rarely_as_it_says(directions, miss):
    """Simulated: an error just above the bound stays within every direction with a probability below ``miss``."""
    random = np.random.default_rng(42)
    trials = int(200 / miss)
    size = 1.0
    sums = np.abs(random.standard_normal((trials, directions))) * size
    quiet = np.max(sums, axis=1)
    bound = np.array([quiet_rows(row).bound("x", miss) for row in sums[:1000]])
    factor = bound / quiet[:1000]
    np.testing.assert_allclose(factor, 0.8 * miss ** (-1 / directions))
    missed = np.mean(factor[0] * quiet < size)
    assert 0.1 * miss < missed <= miss * (1 + 3 / sqrt(200))


def test_the_bound_is_in_units_of_the_input_and_holds_the_bars():
    rows = (Residual(1e-9, 2e-9, 0.0), Residual(-3e-9, 5e-9, 1e-9))
    residuals = Residuals(rows, {"x": 1.0, "w": 100.0})
    assert residuals.bound("x", 1e-4) == pytest.approx(0.8 * 100 * 8e-9)
    assert residuals.bound("w", 1e-4) == pytest.approx(0.8 * 8e-9)
    assert not residuals.loud
    assert replace(residuals, rows=(rows[0], Residual(-3e-8, 5e-9, 1e-9))).loud


@code
@pytest.mark.parametrize("inputs", ["one input", "all inputs"])
@pytest.mark.parametrize("built_in", LARGE, ids=str)
def test_thirty_passes_bound_every_error_by_1e_9_of_the_norm(built_in, inputs, code):
    counter = Counter()
    subject = counter.watching(CODE[code](built_in.functional()))
    gradients = built_in.gradients(subject)
    if inputs == "one input":
        gradients = {"x": gradients["x"]}
    counter.passes = 0
    findings = found(subject, gradients, "certificate")
    assert counter.passes <= 30
    for name, finding in findings.items():
        certificate = finding.check.certificate
        assert (finding.check.verdict, finding.check.method) == ("pass", "certificate"), finding.check.reason
        assert certificate.miss_probability <= 1e-9
        assert certificate.bound <= 1e-9 * np.linalg.norm(gradients[name]), name


@code
@pytest.mark.parametrize("built_in", LARGE, ids=str)
def test_an_element_off_by_a_millionth_of_the_norm_fails_a_certificate(built_in, code):
    subject = CODE[code](built_in.functional())
    right = built_in.gradients(subject)
    for name in right:
        wrong = right[name].copy()
        wrong.flat[wrong.size // 3] += 1e-6 * np.linalg.norm(wrong)
        findings = found(subject, {**right, name: wrong}, "certificate")
        assert findings[name].check.verdict == "fail"
        assert {one: finding.check.verdict for one, finding in findings.items() if one != name} == dict.fromkeys(
            set(right) - {name}, "pass"
        )


@code
@pytest.mark.parametrize("wanted", [[23], [0, 83], [5, 6, 40]])
def test_wrong_elements_are_found(wanted, code):
    subject = CODE[code](BATCHNORM.functional(3))
    gradients = BATCHNORM.gradients(subject)
    prover = certifier(subject, gradients)
    wrong = gradients["x"].copy()
    for place in wanted:
        wrong.flat[place] += 1e-4 * np.max(np.abs(wrong))
    taken = Counter()
    watched = replace(prover, functional=taken.watching(prover.functional))
    assert sorted(suspects(watched, "x", wrong, most=12, tries=300)) == wanted
    per_derivative = 1 if code == "complex-safe" else 6
    assert taken.passes <= per_derivative * len(wanted) * 2 * np.ceil(np.log2(wrong.size))
    assert len(suspects(prover, "x", wrong, most=1, tries=300)) == 1
    assert not len(suspects(prover, "x", gradients["x"], most=12, tries=300))
    assert not len(suspects(prover, "x", wrong, most=12, tries=2))


@code
def test_a_certificate_keeps_to_the_budget(code):
    subject = CODE[code](BATCHNORM.functional())
    gradients = BATCHNORM.gradients(subject)
    needed = 4 if code == "complex-safe" else 24
    for budget, verdict in ((needed, "pass"), (needed - 1, "inconclusive")):
        for finding in found(subject, gradients, "certificate", budget=budget).values():
            assert finding.check.verdict == verdict
            if verdict == "inconclusive":
                assert f"needs about {needed} forward passes, the budget is {budget}" in finding.check.reason
                assert finding.check.method == "certificate"


@code
@pytest.mark.parametrize("method", ["auto", "certificate"])
@pytest.mark.parametrize("budget", [24, 60, 200])
def test_no_look_takes_more_than_the_budget(budget, method, code):
    """Whether directions, elements in doubt, or what is wrong: outputs share all elements, and no groups help."""
    matrix = np.random.default_rng(45).normal(size=(400, 400)) / 20
    x = np.random.default_rng(46).normal(size=400)
    subject = CODE[code](behind_cotangents(lambda x: np.tanh(matrix @ x), x=x))
    right = matrix.T @ (subject.cotangents[0] * (1 - np.tanh(matrix @ x) ** 2))
    for gradient in (right, spoilt(right, error=1e-3)[0], np.where(np.arange(400) < 200, 1 + 1e-8, 1) * right):
        (finding,) = found(subject, {"x": gradient}, method, budget=budget).values()
        passes = finding.check.work.passes
        assert passes.get("certificate", 0) <= budget + 3  # and what tells how it rounds
        assert passes.get("search", 0) <= budget
        if gradient is right and (budget == 200 or method == "certificate"):
            assert finding.check.verdict == "pass"


def test_a_bound_is_about_the_gradient_as_it_is_written():
    """float32 gradients are certified by their twin in float64; what rounds between them is part of the error."""
    subject = BATCHNORM.functional()
    exact = BATCHNORM.gradients(subject)["x"]
    rounded = exact.astype(np.float32).astype(np.float64)
    error = float(np.max(np.abs(rounded - exact)))
    efforts_of = {"x": replace(efforts(subject, ["x"], "certificate")["x"], reference=exact)}
    (finding,) = examine(subject, {"x": rounded}, efforts_of)
    assert error <= finding.check.certificate.bound <= 1.01 * error
    assert finding.check.error_bar <= 0.01 * error


def test_all_looks_together_miss_as_rarely_as_is_said():
    """A bound that is looked at three times may miss three times."""
    subject = BATCHNORM.functional()
    claim = Claim("x", np.ones((12, 7)), efforts(subject, ["x"], "auto")["x"])
    rows = quiet_rows([1.0, -0.5, 0.1, 0.7])
    assert claim.certificate(rows).miss_probability == claim.miss
    assert claim.certificate(rows).bound == rows.bound("x", claim.miss / 3)
    alone = replace(claim, effort=replace(claim.effort, method="certificate"))
    assert alone.certificate(rows).bound == rows.bound("x", alone.miss)
