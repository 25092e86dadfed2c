"""``jax.test_util.check_grads`` round numpy code in a ``jax.custom_vjp`` of pure callbacks."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
from jax.test_util import check_grads
from problems import Finding, Problem, Sample, judged

__all__ = ["check"]

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")
# A callback that reads its arguments waits for the one thread that is running it.
jax.config.update("jax_cpu_enable_async_dispatch", False)


def check(problem: Problem | Sample) -> Finding:
    """Compare one projection of the Jacobian, in reverse mode."""
    try:
        check_grads(_layer(problem), problem.inputs, order=1, modes=("rev",))
    except AssertionError:
        return judged(False)
    return judged(True)


def _layer(problem: Problem | Sample) -> Any:
    output = jax.ShapeDtypeStruct(problem.cotangent.shape, problem.dtype)
    gradients = tuple(jax.ShapeDtypeStruct(value.shape, value.dtype) for value in problem.inputs)

    @jax.custom_vjp
    def layer(*inputs: Any) -> Any:
        return jax.pure_callback(lambda *values: problem.forward(*map(np.array, values))[0], output, *inputs)

    def backward(inputs: tuple[Any, ...], dout: Any) -> Any:
        return jax.pure_callback(_pure_backward(problem), gradients, dout, *inputs)

    layer.defvjp(lambda *inputs: (layer(*inputs), inputs), backward)
    return layer


def _pure_backward(problem: Problem | Sample) -> Any:
    """Return the backward pass as a function of its inputs alone: a cache cannot leave a callback."""

    def backward(dout: Any, *inputs: Any) -> tuple[np.ndarray, ...]:
        _, cache = problem.forward(*map(np.array, inputs))
        return problem.backward(np.array(dout), cache)

    return backward
