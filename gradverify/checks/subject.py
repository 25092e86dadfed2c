"""A case made runnable: its target, its inputs, and what forward and backward returned on them."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.data import cotangents_of, differentiable_names, inputs_of
from gradverify.checks.keeping import Keeper
from gradverify.errors import TargetError, nearest_name
from gradverify.spec.target_model import LayerTarget
from gradverify.targets.guard import Guarded
from gradverify.targets.loading import load_target
from gradverify.targets.scaled import Scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Forward, Gradients, Target

__all__ = ["Subject", "Trial", "run_backward", "run_forward", "subject_of", "subject_with", "weights_of"]


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
    """One forward and one backward pass in the dtype under test.

    Attributes
    ----------
    forward, cotangents
        What forward returned, and what backward was given.
    gradients
        What backward returned, in arrays of their own: a later pass may write into those that were returned.
    keeper
        Knows what the passes changed that was not theirs.
    seconds
        How long both took.
    """

    forward: Forward
    cotangents: tuple[NDArray[Any], ...]
    gradients: Gradients
    keeper: Keeper
    seconds: float


@dataclass(frozen=True, slots=True)
class ForwardPass:
    """A forward pass, and what its backward pass is to be run with."""

    forward: Forward
    target: Target
    keeper: Keeper
    started: float


def subject_of(case: Case) -> Subject:
    """Import the target of a case and make its data."""
    return subject_with(case, inputs_of(case), partial(load_target, case))


def subject_with(
    case: Case, inputs: dict[str, NDArray[Any]], load: Callable[[dict[str, NDArray[Any]], tuple[str, ...]], Target]
) -> Subject:
    """Return the subject of a case whose data are there: the target's own parameters are inputs like the others."""
    differentiable = differentiable_names(case, inputs)

    def loaded() -> Target:
        return _scaled(case, load(inputs, differentiable), inputs)

    target = loaded() if isinstance(case.target, LayerTarget) else Guarded(loaded, case.home)
    return Subject(target, {**inputs, **target.own_inputs}, (*differentiable, *target.own_inputs))


def _scaled(case: Case, target: Target, inputs: dict[str, NDArray[Any]]) -> Target:
    """Return the target with its gradients multiplied, where the case says so."""
    known = (*inputs, *target.own_inputs)
    unknown = [name for name in case.scale if name not in known]
    if unknown:
        raise TargetError(f"scale: there is no input '{unknown[0]}', {nearest_name(unknown[0], known)}")
    return Scaled(target, case.scale) if case.scale else target


def run_forward(subject: Subject) -> ForwardPass:
    """Run forward once, and keep what it is given.

    Raises
    ------
    TargetError
        Its outputs are complex.
    """
    started = time.perf_counter()
    keeper = Keeper(subject.inputs, subject.target.traits.parameters)
    target = subject.target.handing(keeper)
    forward = target.forward(subject.inputs)
    keeper.look("forward")
    strange = [output.dtype for output in forward.outputs if output.dtype.kind == "c"]
    if strange:
        raise TargetError(f"forward returned {strange[0]}, expected real numbers")
    return ForwardPass(forward, target, keeper, started)


def weights_of(case: Case, forward: Forward) -> tuple[NDArray[Any], ...]:
    """Return the cotangents of a forward pass.

    A loss that returns its own gradient returns that of the sum of its output, so its cotangent is one.
    """
    kind = case.cotangent if isinstance(case.cotangent, str) else "ones" if forward.summed else "random"
    drawn = cotangents_of(case, forward.outputs, kind)
    return tuple(
        np.zeros_like(weight) if number in forward.unweighted else weight for number, weight in enumerate(drawn)
    )


def run_backward(subject: Subject, passed: ForwardPass, cotangents: tuple[NDArray[Any], ...]) -> Trial:
    """Run the backward pass that belongs to a forward pass, once.

    Its gradients are copied: code may return the same buffer from every pass.
    """
    returned = passed.target.backward(cotangents, passed.forward, subject.inputs)
    passed.keeper.look("backward")
    own = {name: value.copy() if isinstance(value, np.ndarray) else value for name, value in returned.values.items()}
    seconds = time.perf_counter() - passed.started
    return Trial(passed.forward, cotangents, replace(returned, values=own), passed.keeper, seconds)
