"""numdifftools' ``Gradient`` on the scalar loss: adaptive central differences with Richardson extrapolation."""

from __future__ import annotations

import numdifftools
import numpy as np
from problems import Finding, Loss, Problem, Sample, judged

__all__ = ["check"]


def check(problem: Problem | Sample) -> Finding:
    """Compare with ``numpy.allclose``: numdifftools differentiates, and judges nothing."""
    loss = Loss(problem)
    numerical = np.atleast_1d(numdifftools.Gradient(loss.value)(loss.start))
    return judged(bool(np.allclose(loss.gradient(loss.start), numerical)), numerical)
