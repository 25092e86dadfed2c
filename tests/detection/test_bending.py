"""Functions that bend far below the spread of their data: what a long step sees of them is no slope."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify import check
from gradverify.results import Verdict


def batchnorm(x, gamma, beta, eps):
    mean, var = x.mean(axis=0), np.var(x, axis=0)  # np.var drops the imaginary part: no complex step
    xhat = (x - mean) / np.sqrt(var + eps)
    return gamma * xhat + beta, (xhat, gamma, np.sqrt(var + eps))


def batchnorm_backward(dout, cache):
    xhat, gamma, std = cache
    d = dout * gamma
    dx = (d - d.mean(axis=0) - xhat * (d * xhat).mean(axis=0)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def without_mean(dout, cache):
    xhat, gamma, std = cache
    d = dout * gamma
    return (d - xhat * (d * xhat).mean(axis=0)) / std, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def saturating(x, width):
    return np.arctan(x / width), (x, width)


def saturating_backward(dout, cache):
    x, width = cache
    return dout / width / (1 + (x / width) ** 2)


def halved(dout, cache):
    return 0.5 * saturating_backward(dout, cache)


def constant(seed):
    random = np.random.default_rng(seed)
    return {"x": np.ones((7, 4)), "gamma": random.normal(size=4), "beta": random.normal(size=4)}


@pytest.mark.parametrize("eps", [1e-5, 1e-7, 1e-8])
@pytest.mark.parametrize("seed", range(4))
def test_a_norm_of_constant_data_is_never_said_to_be_wrong(eps, seed):
    report = check(batchnorm, batchnorm_backward, constant(seed), params={"eps": eps}, seed=seed)
    assert report.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("eps", [1e-5, 1e-8])
@pytest.mark.parametrize("seed", range(4))
def test_nor_is_a_wrong_one_said_to_be_right(eps, seed):
    report = check(batchnorm, without_mean, constant(seed), params={"eps": eps}, seed=seed)
    assert report.verdict in {Verdict.FAIL, Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("width", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("seed", range(4))
def test_what_saturates_within_a_step(width, seed):
    inputs = {"x": np.zeros((3, 4))}
    right = check(saturating, saturating_backward, inputs, params={"width": width}, seed=seed)
    wrong = check(saturating, halved, inputs, params={"width": width}, seed=seed)
    assert right.verdict is not Verdict.FAIL
    assert wrong.verdict is not Verdict.PASS
