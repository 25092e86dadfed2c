"""A layer beside its reference: what both give on the inputs of the case, and how far rounding separates them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.differences import INPUT_ROUNDINGS
from gradverify.checks.counterpart import Working
from gradverify.checks.data import rounded
from gradverify.errors import GradverifyError, TargetError, explain_error
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.counterparts import Counterpart
    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Forward

__all__ = ["Compared", "precision_of"]


@dataclass
class Compared:
    """A case and a counterpart, on the same inputs; each pass is run once, when it is asked for.

    Attributes
    ----------
    case, subject, trial
        The case and what was run.
    counterpart
        What it is compared with.
    roundings
        Roundings of the largest entry that separate the two at most; ``None`` for a third of the digits.
    """

    case: Case
    subject: Subject
    trial: Trial
    counterpart: Counterpart
    roundings: int | None = None

    @cached_property
    def working(self) -> Working:
        """The counterpart, loaded.

        Raises
        ------
        TargetError
            No input of the case stands for one that it needs.
        """
        return Working(self.case, self.counterpart, self.subject.inputs)

    def prepare(self) -> None:
        """Run the counterpart's passes on the inputs of the case.

        Raises
        ------
        TargetError
            It cannot be loaded, or raises itself: that is no finding about the case.
        """
        try:
            _ = None if isinstance(self.outputs, str) else self.gradients
        except GradverifyError:
            raise
        except Exception as error:
            said = explain_error(error, self.case.search_path)
            name = self.counterpart.name
            raise TargetError(f"the reference {name} raised on the inputs of the case: {said}") from error

    @cached_property
    def outputs(self) -> tuple[NDArray[Any], ...] | str:
        """What the counterpart gives, as the outputs of the case lie, or why they cannot lie so."""
        return self.working.outputs(self._forward, self.trial.forward.outputs)

    @cached_property
    def gradients(self) -> dict[str, Any]:
        """The counterpart's gradients, by the names of the case."""
        return self.working.gradients(self.trial.cotangents, self._forward, self.subject.inputs)

    def allowed_output(self, number: int) -> float:
        """Return how far an output may lie from the counterpart's."""
        assert not isinstance(self.outputs, str)  # noqa: S101  callers have looked
        shaken = self._shaken_outputs
        other = None if isinstance(shaken, str) else shaken[number]
        return self._allowed(self.trial.forward.outputs[number], self.outputs[number], other)

    def allowed_gradient(self, name: str, found: NDArray[Any]) -> float:
        """Return how far a gradient may lie from the counterpart's: also what backward is seen to round."""
        shaken = self._shaken_gradients.get(name)
        floor = rounding_floor(self._functional, name, self.subject.inputs[name].dtype)
        own = INPUT_ROUNDINGS * _apart(found, self._own.get(name))
        return self._allowed(found, self.gradients[name], shaken) + floor + own

    def _allowed(self, found: NDArray[Any], wanted: NDArray[Any], shaken: Any) -> float:
        inputs = (value for value in self.subject.inputs.values() if value.dtype.kind == "f")
        eps = max(precision_of(array) for array in (wanted, found, *inputs))
        largest = float(np.max(np.abs(wanted), initial=0.0, where=np.isfinite(wanted)))
        relative = float(eps ** (2 / 3)) if self.roundings is None else self.roundings * eps
        return relative * largest + INPUT_ROUNDINGS * _apart(wanted, shaken)

    @cached_property
    def _forward(self) -> Forward:
        return self.working.forward(self.subject.inputs)

    @cached_property
    def _point(self) -> Mapping[str, NDArray[Any]]:
        """A point a rounding away."""
        inputs = self.subject.inputs
        return {name: rounded(self.case, name, value, value.dtype) for name, value in inputs.items()}

    @cached_property
    def _beside(self) -> Any:
        return self.working.forward(self._point)

    @cached_property
    def _shaken_outputs(self) -> tuple[NDArray[Any], ...] | str:
        return self.working.outputs(self._beside, self.trial.forward.outputs)

    @cached_property
    def _shaken_gradients(self) -> dict[str, Any]:
        return self.working.gradients(self.trial.cotangents, self._beside, self._point)

    @cached_property
    def _own(self) -> Mapping[str, Any]:
        """What backward of the case gives a rounding away; nothing where that raises."""
        try:
            forward = self.subject.target.forward(self._point)
            return self.subject.target.backward(self.trial.cotangents, forward, self._point).values
        except Exception:  # noqa: BLE001  user code; the comparison does without it
            return {}

    @cached_property
    def _functional(self) -> Functional:
        outputs = self.trial.forward.outputs
        return Functional(self._evaluated, self.subject.inputs, self.trial.cotangents, outputs)

    def _evaluated(self, point: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        outputs = self.working.outputs(self.working.forward(point), self.trial.forward.outputs)
        assert not isinstance(outputs, str)  # noqa: S101  callers have looked
        return outputs


def precision_of(array: NDArray[Any]) -> float:
    """Return the machine epsilon of an array, or that of single precision where it holds nothing finer."""
    eps = float(np.finfo(array.dtype).eps)
    single = float(np.finfo(np.float32).eps)
    with np.errstate(over="ignore"):
        fits = eps < single and bool(np.all(array.astype(np.float32) == array))
    return single if fits and not bool(np.all(array == np.rint(array))) else eps


def _apart(one: NDArray[Any], other: Any) -> float:
    """Return how far two arrays lie apart at most, where both are finite; 0 where they do not compare."""
    array = None if other is None else np.asarray(other)
    if array is None or array.shape != one.shape or array.dtype.kind != "f":
        return 0.0
    both = np.isfinite(one) & np.isfinite(array)
    return float(np.max(np.abs(one[both] - array[both]), initial=0.0))
