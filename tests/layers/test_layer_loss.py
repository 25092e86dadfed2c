"""The softmax loss against scipy, and at scores where a naive exponential overflows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from gradverify.layers.loss import softmax_loss_backward, softmax_loss_forward


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e5])
def test_the_loss_is_that_of_scipy(scale: float) -> None:
    random = np.random.default_rng(0)
    x, y = scale * random.normal(size=(6, 4)), random.integers(0, 4, 6)
    loss, cache = softmax_loss_forward(x, y)
    expected = -np.mean(special.log_softmax(x, axis=1)[np.arange(6), y])
    np.testing.assert_allclose(loss, expected, rtol=1e-13)
    (dx,) = softmax_loss_backward(np.float64(-2.5), cache)
    np.testing.assert_allclose(dx, -2.5 / 6 * (special.softmax(x, axis=1) - np.eye(4)[y]), rtol=1e-12, atol=1e-16)


def test_a_confident_sample_keeps_its_digits() -> None:
    """Here ``p - 1`` is 0 in floating point, and the gradient is not."""
    _, cache = softmax_loss_forward(np.array([[50.0, 0.0]]), np.array([0]))
    (dx,) = softmax_loss_backward(np.float64(1), cache)
    np.testing.assert_allclose(dx, [[-np.exp(-50), np.exp(-50)]], rtol=1e-14)


def test_equal_scores_cost_the_logarithm_of_the_classes() -> None:
    loss, _ = softmax_loss_forward(np.full((3, 5), 1e3), np.array([0, 2, 4]))
    np.testing.assert_allclose(loss, np.log(5), rtol=1e-14)


def test_each_sample_has_a_gradient_that_sums_to_zero() -> None:
    random = np.random.default_rng(1)
    _, cache = softmax_loss_forward(random.normal(size=(5, 7)), random.integers(0, 7, 5))
    (dx,) = softmax_loss_backward(np.float64(1), cache)
    np.testing.assert_allclose(dx.sum(axis=1), 0, atol=1e-15)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_labels_that_name_no_class_are_refused(labels: list[int]) -> None:
    with pytest.raises(ValueError, match=r"labels go from .* expected 0 to 2"):
        softmax_loss_forward(np.zeros((2, 3)), np.array(labels))
