"""Exact promises of a layer, checked without differences: one small function each, with a stable code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.data import cotangents_of, rounded
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional
from gradverify.results import Contract, Severity, Verdict
from gradverify.spec.target_model import LayerTarget
from gradverify.targets.loading import load_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Forward

__all__ = ["agreement", "arity", "coverage", "dtype", "finite", "finite_forward", "shape"]

# Roundings by which two implementations of one formula may differ, relative to the largest entry.
_AGREEMENT_ROUNDINGS = 256
# How often the effect of a rounding of every input may separate them.
_INPUT_ROUNDINGS = 16


def _contract(code: str, problems: list[str], kept: str, severity: Severity = Severity.FAILURE) -> Contract:
    verdict = Verdict.FAIL if problems else Verdict.PASS
    return Contract(code=code, verdict=verdict, severity=severity, message="; ".join(problems) or kept)


def arity(subject: Subject, trial: Trial) -> Contract:
    """Check that backward returns one gradient for every input that has one."""
    problem = trial.gradients.problem
    missing = [name for name, value in trial.gradients.values.items() if value is None]
    problems = [problem] if problem else [f"the gradient of {name} is None, expected an array" for name in missing]
    return _contract("arity", problems, f"one gradient for each of {', '.join(subject.differentiable)}")


def shape(subject: Subject, trial: Trial) -> Contract:
    """Check that every gradient has the shape of its input."""
    problems = []
    for name, value in _arrays(trial).items():
        wanted = subject.inputs[name].shape
        if value.shape != wanted:
            problems.append(f"d{name} has shape {list(value.shape)}, expected {list(wanted)}")
    return _contract("shape", problems, "every gradient has the shape of its input")


def dtype(subject: Subject, trial: Trial) -> Contract:
    """Check that every gradient is real and floating (a failure), and of its input's precision (a warning)."""
    wrong, other = [], []
    for name, value in trial.gradients.values.items():
        if value is None:
            continue
        got, wanted = np.asarray(value).dtype, subject.inputs[name].dtype
        if got.kind != "f":
            wrong.append(f"d{name} is {got}, expected {wanted}")
        elif got != wanted:
            other.append(f"d{name} is {got}, its input is {wanted}")
    if wrong:
        return _contract("dtype", wrong, "")
    severity = Severity.WARNING if other else Severity.FAILURE
    return _contract("dtype", other, "every gradient has the dtype of its input", severity)


def coverage(subject: Subject) -> Contract | None:
    """Check that every array of an object that moves its outputs has a gradient; a warning.

    Returns ``None`` where that was not looked for.
    """
    if subject.target.unverified is None:
        return None
    problems = list(subject.target.unverified)
    severity = Severity.WARNING if problems else Severity.FAILURE
    return _contract("coverage", problems, "every array that moves the output has a gradient", severity)


def finite_forward(forward: Forward) -> Contract:
    """Check that the outputs hold neither NaN nor infinity."""
    counts = [int(np.sum(~np.isfinite(output))) for output in forward.outputs]
    problems = [
        f"{count} of {output.size} entries of output {number} are not finite"
        for number, (count, output) in enumerate(zip(counts, forward.outputs, strict=True), 1)
        if count
    ]
    return _contract("finite", problems, "outputs are finite")


def finite(trial: Trial) -> Contract:
    """Check that gradients hold neither NaN nor infinity; outputs were found finite before backward ran."""
    problems = []
    for name, value in _arrays(trial).items():
        count = int(np.sum(~np.isfinite(value)))
        if count:
            problems.append(f"{count} of {value.size} entries of d{name} are not finite")
    return _contract("finite", problems, "outputs and gradients are finite")


def _arrays(trial: Trial) -> dict[str, NDArray[Any]]:
    """Return the gradients that are arrays of numbers."""
    arrays = {name: np.asarray(value) for name, value in trial.gradients.values.items() if value is not None}
    return {name: array for name, array in arrays.items() if array.dtype.kind in "fciub"}


def agreement(case: Case, subject: Subject, trial: Trial) -> Contract | None:
    """Check that outputs and gradients equal those of the first-listed implementation, to rounding.

    Returns ``None`` where the case names no reference.
    """
    if not isinstance(case.target, LayerTarget) or case.target.reference is None:
        return None
    reference = case.target.reference
    target = load_layer(case, reference, subject.differentiable)
    forward = target.forward(subject.inputs)
    cotangents = cotangents_of(case, forward.outputs)
    gradients = target.backward(cotangents, forward, subject.inputs).values
    functional = Functional(lambda inputs: target.forward(inputs).outputs, subject.inputs, cotangents, forward.outputs)
    problems = _disagreements({"out": trial.forward.outputs[0]}, {"out": forward.outputs[0]}, {})
    shaken = {name: rounded(case, name, value, value.dtype) for name, value in subject.inputs.items()}
    moved = target.backward(cotangents, target.forward(shaken), shaken).values
    floors = {
        name: rounding_floor(functional, name, subject.inputs[name].dtype)
        + _INPUT_ROUNDINGS * _largest(moved, gradients, name)
        for name in gradients
    }
    problems += _disagreements(_arrays(trial), gradients, floors)
    return _contract("agreement", problems, f"equals {reference} to rounding")


def _largest(one: Mapping[str, Any], other: Mapping[str, Any], name: str) -> float:
    return float(np.max(np.abs(np.asarray(one[name]) - np.asarray(other[name])), initial=0.0))


def _disagreements(
    found: Mapping[str, NDArray[Any]], wanted: Mapping[str, Any], floors: Mapping[str, float]
) -> list[str]:
    problems = []
    for name, array in found.items():
        other = np.asarray(wanted[name])
        if array.shape != other.shape:
            problems.append(f"{name} has shape {list(array.shape)}, expected {list(other.shape)}")
            continue
        difference = float(np.max(np.abs(array - other), initial=0.0))
        largest = float(np.max(np.abs(other), initial=0.0))
        allowed = _AGREEMENT_ROUNDINGS * float(np.finfo(other.dtype).eps) * largest + floors.get(name, 0.0)
        if not difference <= allowed:
            problems.append(f"{name} differs by {difference:.2g}, expected at most {allowed:.2g}")
    return problems
