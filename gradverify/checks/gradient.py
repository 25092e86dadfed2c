"""Every analytic gradient of a case against its numerical one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.axes import with_axis_names
from gradverify.checks.data import rounded
from gradverify.errors import TargetError
from gradverify.numerics.comparison import Bounds, tolerance_for
from gradverify.numerics.engine import MAX_PASSES, Effort, examine
from gradverify.numerics.error_bar import in_extended_precision, rounding_floor
from gradverify.numerics.findings import Finding
from gradverify.numerics.functional import Functional, flat
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
# Size of a gradient, relative to the cotangents, below which its rounding may be all there is.
_VANISHING = 1e-6
# At how many points a rounding away backward is run: at one, the roundings of two samples may cancel.
_SHAKES = 3
# Size of a change of the outputs, relative to the largest, that is no rounding.
_ANOTHER = 0.1
# The same, below which it is one; and the part of the outputs that are the same where masks are others.
_SAME, _MANY = 1e-5, 0.1


def check_gradients(case: Case, subject: Subject, trial: Trial) -> Iterator[Finding]:
    """Yield a finding for every input that has a gradient, in the order of the inputs."""
    functional = _functional(case, subject, trial)
    values = {name: trial.gradients.values.get(name) for name in subject.differentiable}
    unusable = {name: _unusable(name, value, subject, trial) for name, value in values.items()}
    usable = {name: np.asarray(value) for name, value in values.items() if unusable[name] is None}
    findings = iter(()) if isinstance(functional, str) else _findings(case, subject, trial, functional, usable)
    for name, found in unusable.items():
        if found is not None:
            yield Finding(found)
        elif isinstance(functional, str):
            yield Finding(_uncompared(name, subject, Verdict.INCONCLUSIVE, functional))
        else:
            finding = next(findings)
            yield replace(finding, check=with_axis_names(finding.check, case))


def _findings(
    case: Case, subject: Subject, trial: Trial, functional: Functional, usable: Mapping[str, NDArray[Any]]
) -> Iterator[Finding]:
    """Return what the engine finds about gradients that can be compared, in the precision of the numerical side."""
    comparer = _comparer(case, subject, trial, functional)
    analytic = {name: value.astype(functional.inputs[name].dtype) for name, value in usable.items()}
    efforts = {name: comparer.effort(name, value) for name, value in usable.items()}
    return examine(functional, analytic, efforts)


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


def _functional(case: Case, subject: Subject, trial: Trial) -> Functional | str:
    """Return what is differentiated, in double precision where the code accepts it, or say why nothing can be."""
    try:
        wide = _functional_in(np.float64, subject, trial)
    except TargetError:
        raise
    except Exception:  # noqa: BLE001  code that refuses double precision is measured in its own
        return _functional_in(None, subject, trial)
    if isinstance(wide, str) or not _is_another(case, subject, trial, wide):
        return wide
    if not _partly_same(wide.base, trial.forward.outputs):
        return "the forward pass gives other outputs in double precision: it draws other numbers, or rounds too much"
    own = _functional_in(None, subject, trial)
    return own if isinstance(own, str) else replace(own, evaluate=_in_no_other_precision(own))


def _is_another(case: Case, subject: Subject, trial: Trial, wide: Functional) -> bool:
    """Return whether outputs in double precision are others, though a rounding of the inputs hardly moves them.

    Generators give numbers of more bits otherwise, so that a mask is another one; it would count as rounding, and hide
    any mistake.
    """
    outputs = trial.forward.outputs
    if not _far_apart(wide.base, outputs):
        return False
    shaken = {name: rounded(case, name, value, value.dtype) for name, value in subject.inputs.items()}
    return not _far_apart(subject.target.forward(shaken).outputs, outputs)


def _partly_same(one: tuple[NDArray[Any], ...], other: tuple[NDArray[Any], ...]) -> bool:
    """Return whether many entries agree in all their digits, as those do for which two masks are the same."""
    left, right = flat(one), flat(other)
    return bool(np.mean(np.abs(left - right) <= _SAME * np.max(np.abs(right), initial=0.0)) > _MANY)


def _in_no_other_precision(functional: Functional) -> Any:
    """Return the forward pass as one that refuses other precisions, as code does that was not written for them."""

    def evaluate(inputs: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        if any(value.real.dtype != functional.inputs[name].dtype for name, value in inputs.items()):
            raise TypeError("the forward pass draws other numbers in another precision")
        return functional.evaluate(inputs)

    return evaluate


def _far_apart(one: tuple[NDArray[Any], ...], other: tuple[NDArray[Any], ...]) -> bool:
    pairs = zip(one, other, strict=True)
    return any(np.max(np.abs(a - b), initial=0.0) > _ANOTHER * np.max(np.abs(b), initial=0.0) for a, b in pairs)


def _functional_in(precision: type[np.floating] | None, subject: Subject, trial: Trial) -> Functional | str:
    inputs = {name: _widened(value, precision) for name, value in subject.inputs.items()}
    same = all(inputs[name].dtype == value.dtype for name, value in subject.inputs.items())
    base = trial.forward.outputs if same else subject.target.forward(inputs).outputs
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
        Analytic gradients in the precision of the numerical side, where that is wider: at the point, and at some whose
        inputs differ from it by a rounding of the dtype under test. Empty where the code has them not.
    noise
        Largest rounding of a term ``c y`` that forward is seen to do in the dtype under test.
    """

    case: Case
    subject: Subject
    functional: Functional
    wide: Mapping[str, Any]
    shaken: tuple[Mapping[str, Any], ...]
    noise: float

    def effort(self, name: str, analytic: NDArray[Any]) -> Effort:
        tolerance = self.case.tolerance
        rtol, atol = tolerance_for(self._precision(name, analytic), tolerance.rtol, tolerance.atol)
        return Effort(
            bounds=Bounds(rtol, atol, self.floor(name, analytic)),
            random=stream(self.case.seed, "direction", self.case.name, name),
            budget=MAX_PASSES if self.case.max_passes is None else self.case.max_passes,
            method=self.case.method,
            reference=self._reference(name),
        )

    def _precision(self, name: str, analytic: NDArray[Any]) -> np.dtype[Any]:
        """Return the dtype under test: the input's, or the gradient's where backward rounds to a smaller one."""
        dtype = self.subject.inputs[name].dtype
        smaller = analytic.dtype.kind == "f" and np.finfo(analytic.dtype).eps > np.finfo(dtype).eps
        return analytic.dtype if smaller else dtype

    def _reference(self, name: str) -> NDArray[Any] | None:
        """Return the gradient in the precision of the numerical side, where backward gave one."""
        wide = self.wide.get(name)
        return None if _largest_difference(wide, self.functional.inputs[name]) is None else np.asarray(wide)

    def floor(self, name: str, analytic: NDArray[Any]) -> float:
        """Return the difference below which nothing can be told in the dtype under test.

        Where backward runs in double precision as well: a few times the rounding it is seen to do, but no more than
        rounding can do, to the terms that backward adds up or to the inputs.
        """
        terms = rounding_floor(self.functional, name, self._precision(name, analytic), self.noise)
        seen = _largest_difference(analytic, self.wide.get(name))
        if seen is None:
            return max(terms, _SEEN_ROUNDING * self._rounding_of(name, analytic))
        moved = (_largest_difference(self.wide.get(name), shaken.get(name)) for shaken in self.shaken)
        inputs = max((change for change in moved if change is not None), default=0.0)
        return min(terms + _SEEN_ROUNDING * inputs, _SEEN_ROUNDING * seen)

    def _rounding_of(self, name: str, analytic: NDArray[Any]) -> float:
        """Return how far a gradient that vanishes lies from what backward gives in extended precision, if it does.

        Where terms cancel, their rounding may be all that is left, and no output shows how large they are.
        """
        functional = in_extended_precision(self.functional)
        weights = flat(self.functional.cotangents)
        vanishing = np.max(np.abs(analytic), initial=0.0) <= _VANISHING * np.max(np.abs(weights), initial=0.0)
        if functional is None or not vanishing:
            return 0.0
        wide = tuple(weight.astype(np.longdouble) for weight in functional.cotangents)
        exact = _gradients_at(functional.inputs, self.subject, replace(functional, cotangents=wide)).get(name)
        if getattr(exact, "dtype", None) != np.longdouble:
            return 0.0
        return _largest_difference(analytic, exact) or 0.0


def _largest_difference(one: Any, other: Any) -> float | None:
    """Return the largest difference of two gradients where both are finite, or ``None`` where they do not compare."""
    if one is None or other is None:
        return None
    left, right = np.asarray(one), np.asarray(other)
    if left.shape != right.shape or left.dtype.kind != "f" or right.dtype.kind != "f":
        return None
    both = np.isfinite(left) & np.isfinite(right)
    return float(np.max(np.abs(left[both] - right[both]), initial=0.0))


def _comparer(case: Case, subject: Subject, trial: Trial, functional: Functional) -> _Comparer:
    inputs = functional.inputs
    if all(inputs[name].dtype == subject.inputs[name].dtype for name in subject.differentiable):
        return _Comparer(case, subject, functional, {}, (), 0.0)
    shaken = (
        {name: rounded(case, name, value, subject.inputs[name].dtype, turn) for name, value in inputs.items()}
        for turn in range(_SHAKES)
    )
    wide, *others = (_gradients_at(point, subject, functional) for point in (inputs, *shaken))
    return _Comparer(case, subject, functional, wide, tuple(others), _noise(functional, trial))


def _noise(functional: Functional, trial: Trial) -> float:
    """Return how far a term ``c y`` of the forward pass under test lies from that in double precision."""
    with np.errstate(over="ignore"):
        apart = np.abs(functional.weights * (functional.middle - flat(trial.forward.outputs)))
    return float(np.max(apart, initial=0.0, where=~functional.still))


def _gradients_at(inputs: Mapping[str, NDArray[Any]], subject: Subject, functional: Functional) -> Mapping[str, Any]:
    try:
        forward = subject.target.forward(inputs)
        return subject.target.backward(functional.cotangents, forward, inputs).values
    except Exception:  # noqa: BLE001  user code; the floor does without it
        return {}
