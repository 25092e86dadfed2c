"""The reference of a layer with a random mask: the mask is read off the layer itself, and must be one of its kind."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.counterparts import Counterpart

__all__ = ["draws_a_mask", "masked_forward", "masked_gradient"]

# Roundings that a product with a mask may differ by.
_ROUNDINGS = 16
# Standard deviations by which the number of values kept may differ from what is expected of it.
_DEVIATIONS = 6


def draws_a_mask(counterpart: Counterpart) -> bool:
    """Return whether a layer draws at random, so that two of them give other outputs."""
    return counterpart.name == "dropout" and counterpart.params.get("mode") == "train"


def masked_forward(subject: Subject, trial: Trial, counterpart: Counterpart) -> str | None:
    """Say how a layer is no inverted dropout, which multiplies with a mask of 0 and 1/p.

    Source: Srivastava et al. (2014); scaled in training, as is usual since.

    Parameters
    ----------
    subject, trial
        The layer, and its outputs and gradients.
    counterpart
        Built-in dropout with the fraction ``p`` that is kept.
    """
    name, mask = _mask(subject, counterpart)
    problem = _no_mask(mask, subject.inputs[name], float(counterpart.params["p"]))
    return problem or _differs("out", trial.forward.outputs[0], subject.inputs[name] * mask, subject.inputs[name])


def masked_gradient(subject: Subject, trial: Trial, counterpart: Counterpart) -> tuple[str | None, list[str]]:
    """Say how the gradient is not the cotangent times the mask; and the input whose gradient is."""
    name, mask = _mask(subject, counterpart)
    gradient = trial.gradients.values.get(name)
    found = None if gradient is None else np.asarray(gradient)
    if found is None or found.shape != mask.shape or found.dtype.kind != "f":
        return None, []  # what is wrong with it is said elsewhere
    problem = _differs(f"d{name}", found, trial.cotangents[0] * mask, subject.inputs[name])
    return problem, [] if problem else [name]


def _mask(subject: Subject, counterpart: Counterpart) -> tuple[str, NDArray[np.floating]]:
    """Return the input that is masked, and what the layer makes of ones in its place."""
    name = counterpart.inputs.get("x", next(iter(subject.inputs)))
    ones = {**subject.inputs, name: np.ones_like(subject.inputs[name])}
    return name, subject.target.forward(ones).outputs[0]


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


def _differs(
    name: str, found: NDArray[np.floating], wanted: NDArray[np.floating], value: NDArray[np.floating]
) -> str | None:
    """Say where an array is not what it should be, to the roundings of the coarsest of its dtypes and the input's."""
    if found.shape != wanted.shape:
        return f"{name} has shape {list(found.shape)}, expected {list(wanted.shape)}"
    eps = max(float(np.finfo(array.dtype).eps) for array in (found, wanted, value))
    allowed = _ROUNDINGS * eps * np.abs(wanted)
    apart = np.abs(found - wanted)
    if not np.any(apart > allowed):
        return None
    index = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(apart - allowed)), apart.shape))
    where = ", ".join(map(str, index))
    return f"{name} is {float(found[index]):.6g} at [{where}], expected {float(wanted[index]):.6g}"
