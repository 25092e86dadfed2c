"""The classic loop on the scalar loss: what course notes give their readers."""

from __future__ import annotations

import numpy as np
from problems import Finding, Loss, Problem, Sample, judged

__all__ = ["check"]

# The step and the measure of CS231n's gradient check, and the error above which its notes begin to doubt.
STEP = 1e-5
TOLERANCE = 1e-4


def check(problem: Problem | Sample) -> Finding:
    """Move one entry at a time up and down, in place."""
    loss = Loss(problem)
    point = loss.start
    numerical = np.empty(point.size)
    for place, before in enumerate(point.copy()):
        point[place] = before + STEP
        above = loss.value(point)
        point[place] = before - STEP
        below = loss.value(point)
        point[place] = before
        numerical[place] = (above - below) / (2 * STEP)
    analytic = loss.gradient(point)
    error = np.abs(analytic - numerical) / np.maximum(1e-8, np.abs(analytic) + np.abs(numerical))
    return judged(bool(np.max(error) <= TOLERANCE), numerical)
