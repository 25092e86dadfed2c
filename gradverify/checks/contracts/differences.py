"""Whether two passes gave the same: to the order of sums, or to all that computing it otherwise may round."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.data import rounded
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Gradients

__all__ = ["INPUT_ROUNDINGS", "ROUNDINGS", "Arrays", "Differences", "apart", "arrays_of", "size"]

Arrays = dict[str, "NDArray[Any]"]

# Roundings, of the largest entry, by which two runs of one computation may differ: threads add up in any order.
ROUNDINGS = 1024
# The least part of the largest entry that is another result where the computation itself may be another; single
# precision hidden in code rounds less.
_HIDDEN = 1e-6
# Roundings of the cotangents, or of the inputs, that are all that is left where what is added up cancels.
_CANCELLED = 64
# How often the effect of a rounding of every input may separate two computations.
INPUT_ROUNDINGS = 16


def arrays_of(gradients: Gradients) -> Arrays:
    """Return copies of the gradients that are arrays of real numbers."""
    found = {name: np.array(value) for name, value in gradients.values.items() if value is not None}
    return {name: array for name, array in found.items() if array.dtype.kind == "f"}


def size(array: NDArray[Any]) -> float:
    """Return the largest entry; 0 where there is none."""
    return float(np.max(np.abs(array), initial=0.0))


def apart(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the largest difference of two arrays; infinity where they do not compare."""
    if one.shape != other.shape:
        return np.inf
    if np.array_equal(one, other) or np.array_equal(one, other, equal_nan=True):
        return 0.0
    difference = float(np.max(np.abs(one - other), initial=0.0))
    return np.inf if np.isnan(difference) else difference


@dataclass
class Differences:
    """Finds what differs from the trial of a case.

    Attributes
    ----------
    case, subject, trial
        What was run.
    """

    case: Case
    subject: Subject
    trial: Trial

    @cached_property
    def _own(self) -> Arrays:
        return arrays_of(self.trial.gradients)

    def outputs(self, outputs: tuple[NDArray[Any], ...], *, otherwise: bool = False) -> dict[str, float]:
        """Return which outputs are others than those of the trial, and by how much.

        Parameters
        ----------
        outputs
            Of another pass.
        otherwise
            Whether it may have been computed otherwise, so that it rounds otherwise.
        """
        wanted = self.trial.forward.outputs
        if len(outputs) != len(wanted):
            return {f"the number of outputs ({len(outputs)})": np.inf}
        found = {}
        for number, (one, other) in enumerate(zip(outputs, wanted, strict=True), 1):
            gap = apart(one, other)
            if gap > _room(other, otherwise=otherwise) * size(other):
                room = self._output_room(number - 1) if otherwise and np.isfinite(gap) else 0.0
                if not gap <= room:
                    found[f"output {number}" if len(wanted) > 1 else "the output"] = gap
        return found

    def gradients(self, one: Arrays, other: Arrays, *, otherwise: bool = False) -> dict[str, float]:
        """Return which gradients differ, by ``d`` and the name of their input, and by how much.

        Parameters
        ----------
        one, other
            Gradients of two passes at the inputs of the case.
        otherwise
            As of :meth:`outputs`; then, the effect of a rounding of every input means nothing either.
        """
        found = {f"d{name}": np.inf for name in (*one, *other) if name not in one or name not in other}
        for name in (name for name in one if name in other):
            gap = apart(one[name], other[name])
            if gap > _room(one[name], otherwise=otherwise) * max(size(one[name]), size(other[name])):
                room = self._gradient_room(name, one[name].dtype, otherwise=otherwise) if np.isfinite(gap) else 0.0
                if not gap <= room:
                    found[f"d{name}"] = gap
        return found

    def _output_room(self, number: int) -> float:
        """Return the difference that means nothing in an output whose terms cancel."""
        output, floating = self.trial.forward.outputs[number], _floating(self.subject.inputs)
        outputs, _ = self._shaken
        moved = apart(outputs[number], output) if len(outputs) > number else 0.0
        largest = max((size(value) for value in floating.values()), default=0.0)
        return INPUT_ROUNDINGS * _finite(moved) + _CANCELLED * float(np.finfo(output.dtype).eps) * largest

    def _gradient_room(self, name: str, dtype: np.dtype[Any], *, otherwise: bool) -> float:
        """Return the difference that means nothing in a gradient whose terms cancel."""
        inputs, trial = self.subject.inputs, self.trial
        coarser = max(inputs[name].dtype, dtype, key=lambda dtype: float(np.finfo(dtype).eps))
        floor = rounding_floor(self._functional, name, coarser)
        if not otherwise:
            return floor
        _, gradients = self._shaken
        moved = apart(self._own[name], gradients[name]) if name in gradients and name in self._own else 0.0
        largest = max((size(weight) for weight in trial.cotangents), default=0.0)
        return floor + INPUT_ROUNDINGS * _finite(moved) + _CANCELLED * float(np.finfo(coarser).eps) * largest

    @cached_property
    def _functional(self) -> Functional:
        forward, trial = self.subject.target.forward, self.trial
        return Functional(
            lambda moved: forward(moved).outputs, self.subject.inputs, trial.cotangents, trial.forward.outputs
        )

    @cached_property
    def _shaken(self) -> tuple[tuple[NDArray[Any], ...], Arrays]:
        """Outputs and gradients at inputs a rounding away; none where code refuses such inputs."""
        shaken = {name: rounded(self.case, name, value, value.dtype) for name, value in self.subject.inputs.items()}
        try:
            forward = self.subject.target.forward(shaken)
            return forward.outputs, arrays_of(self.subject.target.backward(self.trial.cotangents, forward, shaken))
        except Exception:  # noqa: BLE001  user code that checks its inputs
            return (), {}


def _floating(inputs: Mapping[str, NDArray[Any]]) -> Arrays:
    return {name: value for name, value in inputs.items() if value.dtype.kind == "f"}


def _finite(gap: float) -> float:
    return gap if np.isfinite(gap) else 0.0


def _room(array: NDArray[Any], *, otherwise: bool) -> float:
    """Return the relative difference that means nothing."""
    eps = float(np.finfo(array.dtype).eps)
    half = float(np.sqrt(eps))  # half of the digits
    return max(half, _HIDDEN) if otherwise else min(half, ROUNDINGS * eps)
