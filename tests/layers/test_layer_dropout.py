"""Dropout: the seed, the fraction kept, and the identity of test mode."""

from __future__ import annotations

import numpy as np
import pytest

from gradverify.layers.dropout import dropout_backward, dropout_forward


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_p_is_the_fraction_kept_and_the_expectation_stays(p: float) -> None:
    out, _ = dropout_forward(np.ones(100_000), p=p)
    np.testing.assert_allclose(np.mean(out != 0), p, atol=0.01)
    np.testing.assert_allclose(np.mean(out), 1, atol=0.03 / p)
    np.testing.assert_allclose(out[out != 0], 1 / p, rtol=1e-15)


def test_one_seed_has_one_mask() -> None:
    x = np.ones((20, 20))
    first, second, other = (dropout_forward(x, seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert np.any(first != other)


def test_the_gradient_goes_through_the_same_mask() -> None:
    x, dout = np.random.default_rng(0).normal(size=(2, 30, 3))
    out, cache = dropout_forward(x, p=0.3)
    (dx,) = dropout_backward(dout, cache)
    np.testing.assert_allclose(dx, np.where(out == 0, 0, dout / 0.3), rtol=1e-15)


def test_everything_is_kept_at_p_1() -> None:
    x = np.random.default_rng(0).normal(size=50)
    np.testing.assert_array_equal(dropout_forward(x, p=1)[0], x)


def test_test_mode_is_a_copy() -> None:
    x = np.random.default_rng(0).normal(size=50)
    out, cache = dropout_forward(x, p=0.3, mode="test")
    np.testing.assert_array_equal(out, x)
    assert not np.shares_memory(out, x)
    (dx,) = dropout_backward(x, cache)
    np.testing.assert_array_equal(dx, x)
    assert not np.shares_memory(dx, x)


@pytest.mark.parametrize("p", [0, -0.5, 1.5, float("nan")])
def test_a_fraction_that_is_none_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="expected a number above 0 and at most 1"):
        dropout_forward(np.ones(3), p=p)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode is 'eval', expected 'train' or 'test'"):
        dropout_forward(np.ones(3), mode="eval")
