"""Curves over step sizes of functions whose truncation is known."""

from __future__ import annotations

import numpy as np
from functionals import examined, functional

from gradverify.numerics.step_curve import step_curve

# Smooth functions for x > 0 whose odd derivatives all have one sign: truncation of order 4 is nowhere cancelled by
# that of order 6. Each with its derivative.
ONE_SIGN = {
    "exp": (np.exp, np.exp),
    "sinh": (np.sinh, np.cosh),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2),
}
METHODS = {"dense": "differences of order 4", "auto": "complex step"}


def mixed(name, seed, scale=1.0, height=1.0):
    """Return ``height * A f(x / scale)`` with its gradient; every element moves many outputs."""
    function, derivative = ONE_SIGN[name]
    random = np.random.default_rng(seed)
    x, matrix = scale * random.permutation(np.linspace(2.0, 5.0, 8)), random.normal(size=(40, 8))
    subject = functional(lambda x: height * (matrix @ function(x / scale)), seed, x=x)
    return subject, height / scale * derivative(x / scale) * (subject.cotangents[0] @ matrix)


def curve_of(finding, seconds=60.0, seed=5):
    return step_curve(finding.nearby, finding.check, np.random.default_rng(seed), seconds)


def curve(subject, analytic, method="dense", **options):
    """Return the curve of a gradient of ``x``, which must be there."""
    found = curve_of(examined(subject, analytic, method=method, **options))
    assert found is not None
    return found
