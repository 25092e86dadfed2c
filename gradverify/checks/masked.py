"""The reference of a layer with a random mask: the mask is read off the layer itself, and must be one of its kind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gradverify.results import Contract, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.counterparts import Counterpart

__all__ = ["draws_a_mask", "masked_reference"]

# Roundings that a product with a mask may differ by.
_ROUNDINGS = 16
# Standard deviations by which the number of values kept may differ from what is expected of it.
_DEVIATIONS = 6


def draws_a_mask(counterpart: Counterpart) -> bool:
    """Return whether a layer draws at random, so that two of them give other outputs."""
    return counterpart.name == "dropout" and counterpart.params.get("mode") == "train"


def masked_reference(subject: Subject, trial: Trial, counterpart: Counterpart) -> Iterator[Contract]:
    """Check that a layer multiplies with a mask of 0 and 1/p, forward and backward: inverted dropout.

    Source: Srivastava et al. (2014); scaled in training, as is usual since.

    Parameters
    ----------
    subject, trial
        The layer, and its outputs and gradients.
    counterpart
        Built-in dropout with the fraction ``p`` that is kept.
    """
    fraction = float(counterpart.params["p"])
    mine = counterpart.inputs.get("x", next(iter(subject.inputs)))
    value, output = subject.inputs[mine], trial.forward.outputs[0]
    ones = {**subject.inputs, mine: np.ones_like(value)}
    mask = subject.target.forward(ones).outputs[0]
    problem = _no_mask(mask, value, fraction)
    if problem is None:
        problem = _differs("out", output, value * mask)
    problems = [] if problem is None else [f"the forward pass is not that of dropout: {problem}"]
    yield _contract("reference-forward", problems, "the forward pass is that of dropout with the mask that it drew")
    gradient = trial.gradients.values.get(mine)
    found = None if gradient is None else np.asarray(gradient)
    if problems or found is None or found.shape != value.shape or found.dtype.kind != "f":
        return
    problem = _differs(f"d{mine}", found, trial.cotangents[0] * mask)
    problems = [] if problem is None else [f"{problem}, although the forward pass is that of dropout"]
    yield _contract("reference-gradients", problems, "the gradient is the cotangent times the mask")


def _no_mask(mask: NDArray[np.floating], value: NDArray[np.floating], fraction: float) -> str | None:
    """Say what is wrong with what the layer makes of ones."""
    if mask.shape != value.shape:
        return f"out has shape {list(mask.shape)}, expected {list(value.shape)}"
    kept = mask != 0
    allowed = _ROUNDINGS * float(np.finfo(mask.dtype).eps) / fraction
    wrong = kept & (np.abs(mask - 1 / fraction) > allowed)
    if np.any(wrong):
        return f"it multiplies with {float(mask[wrong][0]):.6g}, expected 0 or 1/p = {1 / fraction:.6g}"
    count, expected = int(np.sum(kept)), fraction * mask.size
    apart = _DEVIATIONS * math.sqrt(mask.size * fraction * (1 - fraction))
    if abs(count - expected) > apart + 1e-9:
        return f"it keeps {count} of {mask.size} values, expected about {expected:.3g}: p is the fraction that is kept"
    return None


def _differs(name: str, found: NDArray[np.floating], wanted: NDArray[np.floating]) -> str | None:
    if found.shape != wanted.shape:
        return f"{name} has shape {list(found.shape)}, expected {list(wanted.shape)}"
    allowed = _ROUNDINGS * float(np.finfo(found.dtype).eps) * np.abs(wanted)
    apart = np.abs(found - wanted)
    if not np.any(apart > allowed):
        return None
    index = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(apart - allowed)), apart.shape))
    where = ", ".join(map(str, index))
    return f"{name} is {float(found[index]):.6g} at [{where}], expected {float(wanted[index]):.6g}"


def _contract(code: str, problems: list[str], kept: str) -> Contract:
    verdict = Verdict.FAIL if problems else Verdict.PASS
    return Contract(code=code, verdict=verdict, severity=Severity.FAILURE, message="; ".join(problems) or kept)
