"""``autograd.test_util.check_grads`` round numpy code as a primitive."""

from __future__ import annotations

from typing import Any

import numpy as np
from autograd.extend import defvjp_argnums, primitive
from autograd.test_util import check_grads
from problems import Finding, Problem, Sample, judged

__all__ = ["check"]


def check(problem: Problem | Sample) -> Finding:
    """Compare one projection of the Jacobian, in reverse mode."""
    np.random.seed(problem.seed)  # noqa: NPY002  autograd draws from the global generator
    everything = tuple(range(len(problem.inputs)))
    try:
        check_grads(_layer(problem), everything, modes=["rev"], order=1)(*problem.inputs)
    except AssertionError:
        return judged(False)
    return judged(True)


def _layer(problem: Problem | Sample) -> Any:
    @primitive
    def layer(*inputs: np.ndarray) -> np.ndarray:
        return problem.forward(*inputs)[0]

    def vjp(argnums: tuple[int, ...], _ans: Any, inputs: tuple[np.ndarray, ...], _: dict[str, Any]) -> Any:
        _out, cache = problem.forward(*inputs)

        def backward(dout: np.ndarray) -> list[np.ndarray]:
            gradients = problem.backward(dout, cache)
            return [gradients[number] for number in argnums]

        return backward

    defvjp_argnums(layer, vjp)
    return layer
