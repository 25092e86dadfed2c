"""Contracts about what backward returned, and of what an object holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.contracts.probes import probed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.checks.contracts.look import Look
    from gradverify.targets.protocol import Forward, Gradients

__all__ = ["arity", "coverage", "dtype", "finite", "finite_outputs", "shape", "strange_gradients", "strange_outputs"]


def arity(look: Look) -> Finding:
    """Check that backward returns one gradient for every input that has one."""
    gradients = look.trial.gradients
    missing = [name for name, value in gradients.values.items() if value is None]
    problems = [f"the gradient of {name} is None, expected an array" for name in missing]
    if gradients.problem or problems:
        return broken([gradients.problem] if gradients.problem else problems)
    return kept(f"one gradient for each of {', '.join(look.subject.differentiable)}")


def shape(look: Look) -> Finding:
    """Check that every gradient has the shape of its input."""
    problems = []
    for name, value in _arrays(look.trial.gradients).items():
        wanted = look.subject.inputs[name].shape
        if value.shape != wanted:
            problems.append(f"d{name} has shape {list(value.shape)}, expected {list(wanted)}")
    return broken(problems) if problems else kept("every gradient has the shape of its input")


def dtype(look: Look) -> Finding:
    """Check that every gradient is real and floating (a failure), and of its input's precision (a warning)."""
    wrong, other = [], []
    for name, value in look.trial.gradients.values.items():
        if value is None:
            continue
        got, wanted = np.asarray(value).dtype, look.subject.inputs[name].dtype
        if got.kind != "f":
            wrong.append(f"d{name} is {got}, expected {wanted}")
        elif got != wanted:
            other.append(f"d{name} is {got}, its input is {wanted}")
    if wrong or other:
        return broken(wrong or other, milder=not wrong)
    return kept("every gradient has the dtype of its input")


def coverage(look: Look) -> Finding | None:
    """Check that every array of an object that moves its outputs has a gradient.

    Returns ``None`` where that was not looked for.
    """
    unverified = look.target.unverified
    if unverified is None:
        return None
    return broken(list(unverified)) if unverified else kept("every array that moves the output has a gradient")


def finite(look: Look) -> Finding:
    """Check that gradients hold neither NaN nor infinity, and, as a warning, that none appears at data on the edge.

    Outputs were found finite before backward ran.
    """
    problems = strange_gradients(look.trial.gradients)
    if problems:
        return broken(problems)
    problems, where = probed(look, strange_outputs, strange_gradients)
    return broken(problems, milder=True) if problems else kept(f"outputs and gradients are finite{where}")


def finite_outputs(forward: Forward) -> Finding:
    """Check that the outputs of a first pass hold neither NaN nor infinity."""
    problems = strange_outputs(forward)
    return broken(problems) if problems else kept("outputs are finite")


def strange_outputs(forward: Forward) -> list[str]:
    """Say how many entries of which outputs are not finite."""
    named = ((f"output {number}", output) for number, output in enumerate(forward.outputs, 1))
    return [_strange(name, output) for name, output in named if not np.all(np.isfinite(output))]


def strange_gradients(gradients: Gradients) -> list[str]:
    """Say how many entries of which gradients are not finite."""
    found = _arrays(gradients).items()
    return [_strange(f"d{name}", array) for name, array in found if not np.all(np.isfinite(array))]


def _strange(name: str, array: NDArray[Any]) -> str:
    return f"{int(np.sum(~np.isfinite(array)))} of {array.size} entries of {name} are not finite"


def _arrays(gradients: Gradients) -> dict[str, NDArray[Any]]:
    """Return the gradients that are arrays of numbers."""
    arrays = {name: np.asarray(value) for name, value in gradients.values.items() if value is not None}
    return {name: array for name, array in arrays.items() if array.dtype.kind in "fciub"}
