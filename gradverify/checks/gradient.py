"""Every analytic gradient of a case against its numerical one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.data import rounded
from gradverify.errors import TargetError
from gradverify.numerics.comparison import Bounds, tolerance_for
from gradverify.numerics.engine import MAX_PASSES, Effort, check_gradient
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional
from gradverify.numerics.sampling import stream
from gradverify.results import GradientCheck, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.model import Case

__all__ = ["check_gradients"]


# How many times the rounding that backward is seen to do still means nothing.
_SEEN_ROUNDING = 8


def check_gradients(case: Case, subject: Subject, trial: Trial) -> Iterator[GradientCheck]:
    """Yield a finding for every input that has a gradient, in the order of the inputs."""
    functional = _functional(subject, trial)
    comparer = None if isinstance(functional, str) else _comparer(case, subject, functional)
    for name in subject.differentiable:
        value = trial.gradients.values.get(name)
        unusable = _unusable(name, value, subject, trial)
        if unusable is not None:
            yield unusable
        elif comparer is None:
            yield _uncompared(name, subject, Verdict.INCONCLUSIVE, str(functional))
        else:
            yield comparer.check(name, np.asarray(value))


def _unusable(name: str, value: Any, subject: Subject, trial: Trial) -> GradientCheck | None:
    """Return a failure where there is no gradient to compare element by element."""
    if value is None:
        return _uncompared(name, subject, Verdict.FAIL, trial.gradients.problem or "backward returned None for it")
    array, wanted = np.asarray(value), subject.inputs[name].shape
    if array.shape != wanted:
        reason = f"the gradient has shape {list(array.shape)}, expected {list(wanted)}"
        return _uncompared(name, subject, Verdict.FAIL, reason)
    if array.dtype.kind not in "fiub":
        return _uncompared(name, subject, Verdict.FAIL, f"the gradient is {array.dtype}, expected real numbers")
    return None


def _uncompared(name: str, subject: Subject, verdict: Verdict, reason: str) -> GradientCheck:
    value = subject.inputs[name]
    return GradientCheck(input=name, shape=value.shape, elements=value.size, verdict=verdict, reason=reason)


def _functional(subject: Subject, trial: Trial) -> Functional | str:
    """Return what is differentiated, in double precision where the code accepts it, or say why nothing can be."""
    try:
        return _functional_in(np.float64, subject, trial)
    except TargetError:
        raise
    except Exception:  # noqa: BLE001  code that refuses double precision is measured in its own
        return _functional_in(None, subject, trial)


def _functional_in(precision: type[np.floating] | None, subject: Subject, trial: Trial) -> Functional | str:
    inputs = {name: _widened(value, precision) for name, value in subject.inputs.items()}
    base = subject.target.forward(inputs).outputs
    if not all(np.all(np.isfinite(output)) for output in base):
        return "the forward pass in double precision is not finite"
    cotangents = tuple(_widened(weight, precision) for weight in trial.cotangents)
    if tuple(map(np.shape, base)) != tuple(map(np.shape, cotangents)):
        raise TargetError("the shape of the outputs changes from call to call")
    return Functional(_evaluate(subject, base), inputs, cotangents, base)


def _evaluate(subject: Subject, base: tuple[NDArray[Any], ...]) -> Any:
    """Return the forward pass as a function of the inputs alone, whose outputs keep their shapes."""
    shapes = tuple(output.shape for output in base)

    def evaluate(inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        outputs = subject.target.forward(inputs).outputs
        if tuple(output.shape for output in outputs) != shapes:
            raise TargetError("the shape of the outputs changes from call to call")
        return outputs

    return evaluate


def _widened(value: NDArray[Any], precision: type[np.floating] | None) -> NDArray[Any]:
    """Return floating values in at least a precision; integers and wider values as they are."""
    if precision is None or value.dtype.kind != "f":
        return value
    return value.astype(np.result_type(value.dtype, precision))


@dataclass(frozen=True, slots=True)
class _Comparer:
    """Compares the gradients of one case, each under the tolerance of its input's dtype.

    Attributes
    ----------
    wide, shaken
        Analytic gradients in the precision of the numerical side, where that is wider: at the point, and at one whose
        inputs differ from it by a rounding of the dtype under test. Empty where the code has them not.
    """

    case: Case
    subject: Subject
    functional: Functional
    wide: Mapping[str, Any]
    shaken: Mapping[str, Any]

    def check(self, name: str, analytic: NDArray[Any]) -> GradientCheck:
        tolerance = self.case.tolerance
        rtol, atol = tolerance_for(self.subject.inputs[name].dtype, tolerance.rtol, tolerance.atol)
        random = stream(self.case.seed, "direction", self.case.name, name)
        budget = MAX_PASSES if self.case.max_passes is None else self.case.max_passes
        effort = Effort(Bounds(rtol, atol, self.floor(name, analytic)), random, budget)
        return check_gradient(self.functional, name, analytic.astype(self.functional.inputs[name].dtype), effort)

    def floor(self, name: str, analytic: NDArray[Any]) -> float:
        """Return the difference below which nothing can be told in the dtype under test.

        Where backward runs in double precision as well: a few times the rounding it is seen to do, but no more than
        rounding can do, to the terms that backward adds up or to the inputs.
        """
        terms = rounding_floor(self.functional, name, self.subject.inputs[name].dtype)
        seen = _largest_difference(analytic, self.wide.get(name))
        if seen is None:
            return terms
        inputs = _largest_difference(self.wide.get(name), self.shaken.get(name)) or 0.0
        return min(terms + _SEEN_ROUNDING * inputs, _SEEN_ROUNDING * seen)


def _largest_difference(one: Any, other: Any) -> float | None:
    """Return the largest difference of two gradients where both are finite, or ``None`` where they do not compare."""
    if one is None or other is None:
        return None
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape or left.dtype.kind != "f" or right.dtype.kind != "f":
        return None
    both = np.isfinite(left) & np.isfinite(right)
    return float(np.max(np.abs(left[both] - right[both]), initial=0.0))


def _comparer(case: Case, subject: Subject, functional: Functional) -> _Comparer:
    inputs = functional.inputs
    if all(inputs[name].dtype == subject.inputs[name].dtype for name in subject.differentiable):
        return _Comparer(case, subject, functional, {}, {})
    shaken = {name: rounded(case, name, value, subject.inputs[name].dtype) for name, value in inputs.items()}
    gradients = (_gradients_at(point, subject, functional) for point in (inputs, shaken))
    return _Comparer(case, subject, functional, *gradients)


def _gradients_at(inputs: Mapping[str, NDArray[Any]], subject: Subject, functional: Functional) -> Mapping[str, Any]:
    try:
        forward = subject.target.forward(inputs)
        return subject.target.backward(functional.cotangents, forward, inputs).values
    except Exception:  # noqa: BLE001  user code; the floor does without it
        return {}
