"""What is small beside something large is neither overlooked nor called wrong."""

from __future__ import annotations

import numpy as np
import pytest
from built_ins import CODE, behind_cotangents, found

from gradverify.results import Verdict

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 20))]
methods = pytest.mark.parametrize("method", ["auto", "compressed", "certificate", "dense"])
seeds = pytest.mark.parametrize("seed", SEEDS)


def verdicts(subject, gradients, method):
    return {name: one.check.verdict for name, one in found(subject, gradients, method).items()}


def numbers(seed, *shape):
    return np.random.default_rng([seed, 90]).standard_normal(shape)


@seeds
@methods
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e4])
def test_an_imaginary_part_dropped_in_part_behind_an_offset(method, seed, offset):
    """``np.abs`` drops it, and small steps cannot tell a ten thousandth beside an offset."""
    x = offset + numbers(seed, 10, 10)
    subject = behind_cotangents(lambda x: x + 1e-4 * np.abs(x), seed, x=x)
    right = subject.cotangents[0] * (1 + 1e-4 * np.sign(x))
    assert verdicts(subject, {"x": right}, method)["x"] is Verdict.PASS
    assert verdicts(subject, {"x": subject.cotangents[0]}, method)["x"] is Verdict.FAIL


def relu_of_bias(x, b):
    return 2 * x + (b + np.abs(b)) / 2


@seeds
@methods
@pytest.mark.parametrize("size", [1.0, 1e-3, 1e-5, 1e-7])
def test_an_imaginary_part_dropped_of_a_small_input(method, seed, size):
    """Half the slope is what a complex step sees of a relu made with ``np.abs``, and what the wrong gradient says."""
    x, b = numbers(seed, 10, 10), size * numbers(seed, 10)
    subject = behind_cotangents(relu_of_bias, seed, x=x, b=b)
    (weights,) = subject.cotangents
    right = {"x": 2 * weights, "b": (weights * (b > 0)).sum(axis=0)}
    passing = verdicts(subject, right, method)
    assert passing["x"] is Verdict.PASS
    assert passing["b"] in {Verdict.PASS, Verdict.INCONCLUSIVE}
    assert passing["b"] is Verdict.PASS or size < 1e-4 or method == "certificate"
    failing = verdicts(subject, right | {"b": weights.sum(axis=0) / 2}, method)
    assert failing["b"] is Verdict.FAIL or (size < 1e-4 and failing["b"] is Verdict.INCONCLUSIVE)


@seeds
@methods
def test_an_imaginary_part_dropped_in_outputs_of_small_slope(method, seed):
    x, sizes = numbers(seed, 30, 10), np.array([2.0] * 9 + [1e-5])
    subject = behind_cotangents(
        lambda x: np.concatenate([2 * x[:, :-1], 1e-5 * (x[:, -1:] + np.abs(x[:, -1:]))], axis=1), seed, x=x
    )
    wrong = subject.cotangents[0] * sizes
    right = wrong.copy()
    right[:, -1] *= 1 + np.sign(x[:, -1])
    assert verdicts(subject, {"x": right}, method)["x"] in {Verdict.PASS} | (
        {Verdict.INCONCLUSIVE} if method == "certificate" else set()
    )
    # A certificate alone speaks of the largest entry: errors of a hundred thousandth of it are what it may see.
    assert verdicts(subject, {"x": wrong}, method)["x"] is Verdict.FAIL


@seeds
@pytest.mark.parametrize("code", CODE)
@pytest.mark.parametrize("method", ["auto", "compressed"])
@pytest.mark.parametrize("slope", [1e-7, 5e-9, 4e-9])
def test_one_small_slope_is_no_part_of_another_footprint(method, code, slope, seed):
    """In a coded probe, one of a few billionths looks like the next part."""
    x, sizes = 0.3 * numbers(seed, 24, 24), np.ones((24, 24))
    sizes[11, 11] = slope
    for function, gradient in [
        (lambda x: np.sin(sizes * x), lambda x: sizes * np.cos(sizes * x)),
        (lambda x: sizes * x, lambda x: sizes + 0 * x),
    ]:
        subject = CODE[code](behind_cotangents(function, seed, x=x))
        right = subject.cotangents[0] * gradient(x)
        wrong = right.copy()
        wrong[11, 11] = 0
        assert verdicts(subject, {"x": right}, method)["x"] is Verdict.PASS
        expected = {Verdict.FAIL} if slope > 1e-8 or code == "complex-safe" else {Verdict.FAIL, Verdict.INCONCLUSIVE}
        assert verdicts(subject, {"x": wrong}, method)["x"] in expected


@seeds
@methods
def test_a_buffer_of_the_dtype_of_one_input(method, seed):
    """Code that writes into ``zeros_like(x)`` carries imaginary parts of w where x has some too."""

    def forward(x, w):
        out = np.zeros_like(x)
        out += np.tanh(x * w)
        return out

    x, w = numbers(seed, 6, 5), numbers(seed, 5)
    subject = behind_cotangents(forward, seed, x=x, w=w)
    through = subject.cotangents[0] * (1 - np.tanh(x * w) ** 2)
    right = {"x": through * w, "w": (through * x).sum(axis=0)}
    assert set(verdicts(subject, right, method).values()) == {Verdict.PASS}
    wrong = right | {"w": 1.001 * right["w"]}
    assert verdicts(subject, wrong, method) == {"x": Verdict.PASS, "w": Verdict.FAIL}


@seeds
@pytest.mark.parametrize("code", CODE)
@methods
@pytest.mark.parametrize("mask", [-1e9, -1e20, -1e160, np.finfo(np.float64).min])
def test_a_mask_is_no_measure(mask, method, code, seed):
    """Masked logits: a constant, however large, rounds nothing of the others' derivatives."""
    x, w = numbers(seed, 4, 3), numbers(seed, 3, 5)
    below = np.tri(4, 5) > 0
    subject = CODE[code](behind_cotangents(lambda x, w: np.where(below, x @ w, mask), seed, x=x, w=w))
    through = subject.cotangents[0] * below
    right = {"x": through @ w.T, "w": x.T @ through}
    assert set(verdicts(subject, right, method).values()) == {Verdict.PASS}
    off = right["w"].copy()
    off.flat[np.argmax(np.abs(off))] *= 1 + 1e-4
    assert verdicts(subject, {"x": -right["x"], "w": off}, method) == {"x": Verdict.FAIL, "w": Verdict.FAIL}


@pytest.mark.parametrize("code", CODE)
@methods
@pytest.mark.parametrize("size", [1e-250, 1e-100, 1e100, 1e160, 1e250, 1e300])
def test_numbers_near_the_ends_of_their_range(size, method, code):
    """Their squares are beyond it."""
    x = numbers(0, 6, 5)
    for function, slope in ((np.square, 2 * x), (lambda x: x, 1 + 0 * x)):
        subject = CODE[code](behind_cotangents(lambda x, f=function: size * f(x), x=x))
        right = size * subject.cotangents[0] * slope
        for gradient, verdict in ((right, Verdict.PASS), (-right, Verdict.FAIL)):
            (finding,) = found(subject, {"x": gradient}, method).values()
            assert finding.check.verdict is verdict
            if finding.numerical is not None:
                np.testing.assert_allclose(finding.numerical, right, rtol=1e-6)


@methods
@seeds
def test_code_that_draws_anew_is_noisy_and_nothing_else(method, seed):
    random = np.random.default_rng([seed, 91])
    x = numbers(seed, 6, 5)
    subject = behind_cotangents(lambda x: x * (random.random(x.shape) > 0.5), seed, x=x)
    (finding,) = found(subject, {"x": subject.cotangents[0] * (subject.base[0] != 0)}, method).values()
    assert finding.check.verdict is Verdict.INCONCLUSIVE


@seeds
@pytest.mark.parametrize("method", ["auto", "compressed"])
@pytest.mark.parametrize(("mean", "dropped"), [(0.0, 4e-8), (1e2, 4e-8), (1e3, 1e-7), (1e4, 9e-7), (1e6, 9e-7)])
def test_an_imaginary_part_dropped_in_few_small_slopes(mean, dropped, method, seed):
    """Where steps that fit between kinks round it away, the sharpest step is what counts."""
    slope, lost = np.where(np.arange(10) < 9, 1.0, 1e-3), np.where(np.arange(10) < 9, 0.0, dropped)
    x = mean + numbers(seed, 100, 10)
    subject = behind_cotangents(lambda x: slope * x + lost * np.abs(x), seed, x=x)
    wrong = subject.cotangents[0] * slope
    assert verdicts(subject, {"x": wrong}, method)["x"] in {Verdict.FAIL, Verdict.INCONCLUSIVE}
    right = subject.cotangents[0] * (slope + lost * np.sign(x))
    assert verdicts(subject, {"x": right}, method)["x"] in {Verdict.PASS, Verdict.INCONCLUSIVE}
