"""Small functions to differentiate, with their exact gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.numerics.comparison import Bounds
from gradverify.numerics.engine import Effort, examine
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional
from gradverify.numerics.sampling import cotangent

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.numerics.engine import Finding


def functional(function: Callable[..., Any], seed: int = 0, **inputs: Any) -> Functional:
    """Return ``function(*inputs)`` behind random cotangents; it may return one array or a tuple."""

    def evaluate(values: Any) -> tuple[Any, ...]:
        result = function(*values.values())
        return tuple(np.array(part) for part in (result if isinstance(result, tuple) else (result,)))

    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    base = evaluate(arrays)
    random = np.random.default_rng([seed, 1])
    return Functional(evaluate, arrays, tuple(cotangent(output.shape, random) for output in base), base)


def weighted(function: Callable[..., Any], weight: float, value: float) -> Functional:
    """Return ``weight * function(x)`` at one number."""
    x = np.array([value])
    return Functional(lambda inputs: (function(inputs["x"]),), {"x": x}, (np.array([weight]),), (function(x),))


def effort(
    subject: Functional, name: str = "x", *, seed: int = 0, budget: int = 100_000, method: str = "dense"
) -> Effort:
    """Return the tolerances of float64 and the floor that a case would have."""
    bounds = Bounds(1e-6, 1e-9, rounding_floor(subject, name, np.dtype(np.float64)))
    return Effort(bounds, np.random.default_rng([seed, 2]), budget, method)


def examined(subject: Functional, analytic: Any, name: str = "x", **options: Any) -> Finding:
    """Return what the engine finds about one input."""
    (found,) = examine(subject, {name: np.asarray(analytic)}, {name: effort(subject, name, **options)})
    return found


def batchnorm(x, eps=1e-5):
    centred = x - x.mean(axis=0)
    return centred / np.sqrt((centred**2).mean(axis=0) + eps)


def batchnorm_gradient(x, dout, eps=1e-5):
    """Return the exact gradient of :func:`batchnorm`, in extended precision."""
    wide, weight = x.astype(np.longdouble), dout.astype(np.longdouble)
    centred = wide - wide.mean(axis=0)
    deviation = np.sqrt((centred**2).mean(axis=0) + eps)
    xhat = centred / deviation
    return (weight - weight.mean(axis=0) - xhat * (weight * xhat).mean(axis=0)) / deviation


# Smooth, elementwise: the function and its derivative, both fit for extended precision.
SMOOTH = {
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    "exp": (np.exp, np.exp),
    "sine": (np.sin, np.cos),
    "cube": (lambda x: x**3, lambda x: 3 * x**2),
    "softplus": (lambda x: np.log1p(np.exp(x)), lambda x: 1 / (1 + np.exp(-x))),
    "rational": (lambda x: 1 / (1 + x**2), lambda x: -2 * x / (1 + x**2) ** 2),
}
