"""A case made runnable: its target, its inputs, and what forward and backward returned on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.data import cotangents_of, differentiable_names, inputs_of
from gradverify.spec.model import LayerTarget
from gradverify.targets.guard import Guarded
from gradverify.targets.loading import load_target

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Forward, Gradients, Target

__all__ = ["Subject", "Trial", "run_trial", "subject_of"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The target of a case with its data.

    Attributes
    ----------
    inputs
        By name, in order, in the dtype under test.
    differentiable
        Names of those that have a gradient.
    """

    target: Target
    inputs: dict[str, NDArray[Any]]
    differentiable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """One forward and one backward pass in the dtype under test."""

    forward: Forward
    cotangents: tuple[NDArray[Any], ...]
    gradients: Gradients


def subject_of(case: Case) -> Subject:
    """Import the target of a case and make its data."""
    inputs = inputs_of(case)
    differentiable = differentiable_names(case, inputs)
    if isinstance(case.target, LayerTarget):
        return Subject(load_target(case, differentiable), inputs, differentiable)
    return Subject(Guarded(lambda: load_target(case, differentiable), case.target.home), inputs, differentiable)


def run_trial(case: Case, subject: Subject) -> Trial | Forward:
    """Run forward and backward once; only forward where its outputs are not finite.

    A loss that returns its own gradient returns that of the sum of its output, so its cotangent is one.
    """
    forward = subject.target.forward(subject.inputs)
    if not all(np.all(np.isfinite(output)) for output in forward.outputs):
        return forward
    if forward.has_gradient:
        cotangents = tuple(np.ones_like(output) for output in forward.outputs)
    else:
        cotangents = cotangents_of(case, forward.outputs)
    return Trial(forward, cotangents, subject.target.backward(cotangents, forward, subject.inputs))
