"""The contract that one implementation equals another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.differences import INPUT_ROUNDINGS
from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.data import cotangents_of, rounded
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional
from gradverify.spec.target_model import LayerTarget
from gradverify.targets.loading import load_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradverify.checks.contracts.look import Look

__all__ = ["agreement"]

# Roundings by which two implementations of one formula may differ, relative to the largest entry.
_AGREEMENT_ROUNDINGS = 256


def agreement(look: Look) -> Finding | None:
    """Check that outputs and gradients equal those of the first-listed implementation, to rounding.

    Returns ``None`` where the case names no reference.
    """
    case, subject, trial = look.case, look.subject, look.trial
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
        + INPUT_ROUNDINGS * _largest(moved, gradients, name)
        for name in gradients
    }
    problems += _disagreements(look.gradients, gradients, floors)
    return broken(problems) if problems else kept(f"equals {reference} to rounding")


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
