"""Activations against independent formulas, at the kink and at the far ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from gradverify.layers import activations

FAR = np.array([-1e3, -50.0, -1.0, -1e-9, 0.0, 1e-9, 1.0, 50.0, 1e3])


def test_relu_cuts_and_its_gradient_is_0_at_the_kink() -> None:
    out, cache = activations.relu_forward(np.array([-2.0, 0.0, 3.0]))
    np.testing.assert_array_equal(out, [0, 0, 3])
    np.testing.assert_array_equal(activations.relu_backward(np.array([5.0, 6.0, 7.0]), cache)[0], [0, 0, 7])


def test_leaky_relu_scales_what_is_below_zero() -> None:
    out, cache = activations.leaky_relu_forward(np.array([-2.0, 0.0, 3.0]), negative_slope=0.25)
    np.testing.assert_array_equal(out, [-0.5, 0, 3])
    np.testing.assert_array_equal(activations.leaky_relu_backward(np.array([4.0, 8.0, 7.0]), cache)[0], [1, 2, 7])


def test_leaky_relu_takes_any_slope() -> None:
    for slope in (-1.0, 0.0, 2.0):
        out, _ = activations.leaky_relu_forward(np.array([-2.0, 3.0]), negative_slope=slope)
        np.testing.assert_array_equal(out, [-2 * slope, 3])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_is_scipy_expit_also_far_out(dtype: Any) -> None:
    x = FAR.astype(dtype)
    tolerance = 4 * np.finfo(dtype).eps
    out, cache = activations.sigmoid_forward(x)
    np.testing.assert_allclose(out, special.expit(x), rtol=tolerance, atol=0)
    (dx,) = activations.sigmoid_backward(np.ones_like(x), cache)
    np.testing.assert_allclose(dx, special.expit(x) * special.expit(-x), rtol=2 * tolerance, atol=0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gradient_of_tanh_keeps_its_digits_far_out(dtype: Any) -> None:
    x = FAR.astype(dtype)
    out, cache = activations.tanh_forward(x)
    np.testing.assert_allclose(out, 1 - 2 * special.expit(-2 * x.astype(float)), rtol=1e-6, atol=1e-15)
    (dx,) = activations.tanh_backward(np.ones_like(x), cache)
    wide = x.astype(np.float64)
    expected = 4 * special.expit(2 * wide) * special.expit(-2 * wide)
    # Below the least normal number digits are lost to underflow.
    np.testing.assert_allclose(dx, expected, rtol=16 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("forward", [activations.sigmoid_forward, activations.tanh_forward])
def test_the_complex_step_is_exact_at_zero_and_far_out(forward: Any) -> None:
    """Where ``min(x, 0)`` and ``min(x, -x)`` change sides, both sides are the same function."""
    out, _ = forward(FAR + 1e-30j)
    _, cache = forward(FAR)
    backward = {"sigmoid": activations.sigmoid_backward, "tanh": activations.tanh_backward}[
        forward.__name__.removesuffix("_forward")
    ]
    np.testing.assert_allclose(out.imag / 1e-30, backward(np.ones_like(FAR), cache)[0], rtol=1e-13, atol=1e-20)
