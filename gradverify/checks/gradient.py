"""Every analytic gradient of a case against its numerical one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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


def check_gradients(case: Case, subject: Subject, trial: Trial) -> Iterator[GradientCheck]:
    """Yield a finding for every input that has a gradient, in the order of the inputs."""
    functional = _functional(subject, trial)
    for name in subject.differentiable:
        value = trial.gradients.values.get(name)
        unusable = _unusable(name, value, subject, trial)
        if unusable is not None:
            yield unusable
        elif isinstance(functional, str):
            yield _uncompared(name, subject, Verdict.INCONCLUSIVE, functional)
        else:
            yield _check(case, subject, functional, name, np.asarray(value))


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
    for precision in (np.float64, None):
        inputs = {name: _widened(value, precision) for name, value in subject.inputs.items()}
        try:
            base = subject.target.forward(inputs).outputs
        except Exception:
            if precision is None:
                raise
            continue  # code that refuses double precision is measured in its own
        if not all(np.all(np.isfinite(output)) for output in base):
            return "the forward pass in double precision is not finite"
        cotangents = tuple(_widened(weight, precision) for weight in trial.cotangents)
        if tuple(map(np.shape, base)) != tuple(map(np.shape, cotangents)):
            raise TargetError("the shape of the outputs changes from call to call")
        return Functional(_evaluate(subject, base), inputs, cotangents, base)
    return "unreachable"


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


def _check(case: Case, subject: Subject, functional: Functional, name: str, analytic: NDArray[Any]) -> GradientCheck:
    tested = subject.inputs[name].dtype
    rtol, atol = tolerance_for(tested, case.tolerance.rtol, case.tolerance.atol)
    floor = rounding_floor(functional, name, tested)
    effort = Effort(Bounds(rtol, atol, floor), stream(case.seed, "direction", case.name, name), MAX_PASSES)
    return check_gradient(functional, name, analytic.astype(functional.inputs[name].dtype), effort)
