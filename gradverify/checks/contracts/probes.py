"""Data on the edge of what a layer meets, for the contract ``finite``: large, tiny and constant."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from gradverify.checks.contracts.look import Look
    from gradverify.targets.protocol import Forward, Gradients

__all__ = ["probed"]

# By how much inputs are multiplied, which keeps their signs: what has a logarithm still has one.
_LARGE, _TINY = 1e3, 1e-6


def probed(
    look: Look, outputs: Callable[[Forward], list[str]], gradients: Callable[[Gradients], list[str]]
) -> tuple[list[str], str]:
    """Run forward and backward on such data, and say what is not finite and where that was looked for.

    Code that raises has refused them, and that is right.

    Parameters
    ----------
    look
        The case.
    outputs, gradients
        Say what is not finite in a pass.
    """
    problems, where = [], []
    for name, inputs in () if look.is_slow and "finite" not in look.case.contracts else _probes(look):
        where.append(name)
        with suppress(Exception):  # user code that checks its inputs
            forward = look.forward(inputs)
            found = outputs(forward) or gradients(look.target.backward(look.trial.cotangents, forward, inputs))
            problems += [f"{problem}, with {name}" for problem in found]
    return problems, f", also with {', '.join(where)}" if where else ""


def _probes(look: Look) -> Iterator[tuple[str, dict[str, NDArray[Any]]]]:
    """Yield inputs with a name for them; those that have no gradient stay as they are: labels, masks, statistics."""
    own = {name: look.subject.inputs[name] for name in look.subject.differentiable}
    others = dict(look.subject.inputs)
    if all(np.finfo(value.dtype).maxexp > 100 for value in own.values()):  # float16 holds neither
        for factor, name in ((_LARGE, "inputs 1000 times as large"), (_TINY, "inputs 1e-6 times as large")):
            yield name, others | {key: value * value.dtype.type(factor) for key, value in own.items()}
    yield "constant inputs", others | {key: np.full_like(value, _typical(value)) for key, value in own.items()}


def _typical(value: NDArray[Any]) -> Any:
    """Return the entry that is nearest to the mean: the mean itself may be a number that code is not written for."""
    return value.flat[int(np.argmin(np.abs(value - np.mean(value))))] if value.size else 0
