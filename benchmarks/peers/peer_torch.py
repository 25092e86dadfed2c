"""``torch.autograd.gradcheck`` round numpy code in a ``torch.autograd.Function``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from problems import Finding, Problem, Sample, judged

__all__ = ["fast", "slow"]

torch.set_num_threads(1)


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, problem: Problem | Sample, *inputs: torch.Tensor) -> torch.Tensor:
        out, cache = problem.forward(*(value.detach().numpy() for value in inputs))
        ctx.problem, ctx.cache = problem, cache
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, dout: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        gradients = ctx.problem.backward(dout.numpy(), ctx.cache)
        return None, *(torch.from_numpy(np.ascontiguousarray(value)) for value in gradients)


def _gradcheck(problem: Problem | Sample, fast_mode: bool) -> Finding:
    inputs = [torch.from_numpy(value.copy()).requires_grad_() for value in problem.inputs]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Input #", UserWarning)  # float32 is what is asked here
        accepted = torch.autograd.gradcheck(
            lambda *values: _Layer.apply(problem, *values), inputs, fast_mode=fast_mode, raise_exception=False
        )
    return judged(accepted)


def slow(problem: Problem | Sample) -> Finding:
    """Compare the whole Jacobian, entry by entry."""
    return _gradcheck(problem, fast_mode=False)


def fast(problem: Problem | Sample) -> Finding:
    """Compare one projection of it."""
    return _gradcheck(problem, fast_mode=True)
