"""SciPy's ``check_grad`` and ``approx_derivative`` on the scalar loss."""

from __future__ import annotations

import numpy as np
from problems import Finding, Loss, Problem, Sample, judged
from scipy.optimize import check_grad
from scipy.optimize._numdiff import approx_derivative

__all__ = ["check", "complex_step", "three_point"]

# check_grad returns the norm of the difference and leaves the judgement to its caller.
CHECK_GRAD_TOLERANCE = 1e-5
# What the documentation of check_derivative, which wraps approx_derivative, calls likely to be correct.
CHECK_DERIVATIVE_TOLERANCE = 1e-6


def check(problem: Problem | Sample) -> Finding:
    """Compare the norm of the difference with a number of one's own."""
    loss = Loss(problem)
    return judged(bool(check_grad(loss.value, loss.gradient, loss.start) <= CHECK_GRAD_TOLERANCE))


def three_point(problem: Problem | Sample) -> Finding:
    """Differentiate by central differences."""
    return _approximated(problem, "3-point")


def complex_step(problem: Problem | Sample) -> Finding:
    """Differentiate by the complex step."""
    return _approximated(problem, "cs")


def _approximated(problem: Problem | Sample, method: str) -> Finding:
    """Judge as ``check_derivative`` does, which always uses central differences and keeps them to itself."""
    loss = Loss(problem)
    numerical = approx_derivative(loss.value, loss.start, method=method).ravel()
    error = np.abs(loss.gradient(loss.start) - numerical) / np.maximum(1, np.abs(numerical))
    return judged(bool(np.max(error) <= CHECK_DERIVATIVE_TOLERANCE), numerical)
