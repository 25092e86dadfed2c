"""Contracts with another layer of the same kind: the same outputs, the same gradients, the same dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.counterpart import Working
from gradverify.checks.data import rounded
from gradverify.checks.masked import draws_a_mask, masked_reference
from gradverify.numerics.error_bar import rounding_floor
from gradverify.numerics.functional import Functional
from gradverify.results import Contract, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.model import Case

__all__ = ["belonging", "reference"]

# How often the effect of a rounding of every input may separate two ways to compute one formula.
_INPUT_ROUNDINGS = 64


@dataclass(frozen=True, slots=True)
class _Reference:
    """The reference on the inputs of a case, and what it gives there."""

    case: Case
    subject: Subject
    trial: Trial
    working: Working
    outputs: tuple[NDArray[Any], ...] | str
    gradients: Mapping[str, NDArray[Any]]
    shaken: tuple[tuple[NDArray[Any], ...] | str, Mapping[str, NDArray[Any]]]
    own: Mapping[str, Any]

    def allowed(self, wanted: NDArray[Any], shaken: NDArray[Any], found: NDArray[Any]) -> float:
        """Return how far two ways to compute one array may lie apart: some of its digits, and what inputs round."""
        inputs = (value for value in self.subject.inputs.values() if value.dtype.kind == "f")
        eps = max(_precision(array) for array in (wanted, found, *inputs))
        largest = float(np.max(np.abs(wanted), initial=0.0))
        return float(eps ** (2 / 3)) * largest + _INPUT_ROUNDINGS * _apart(wanted, shaken)


def reference(case: Case, subject: Subject, trial: Trial) -> Iterator[Contract]:
    """Check that outputs and gradients equal those of the reference, to rounding; nothing where there is none."""
    if case.reference is None or not case.reference.compared:
        return
    if draws_a_mask(case.reference):
        yield from masked_reference(subject, trial, case.reference)
        return
    made = _made(case, subject, trial)
    forward = _forward(made)
    yield forward
    kinks = case.placed is not None and case.placed.row.kinks
    if forward.verdict is Verdict.PASS and not kinks:
        yield from _gradients(made)


def belonging(name: str, contracts: list[Contract], gradients: list[Verdict]) -> str | None:
    """Say what is wrong, the forward pass or its gradients; ``None`` where nothing is, or no reference tells.

    Parameters
    ----------
    name
        The reference.
    contracts, gradients
        What was found.
    """
    forward = next((part for part in contracts if part.code == "reference-forward"), None)
    if forward is None or not gradients:
        return None
    belongs = all(verdict is Verdict.PASS for verdict in gradients)
    fails = any(verdict is Verdict.FAIL for verdict in gradients)
    if forward.verdict is Verdict.PASS:
        return f"the forward pass is that of {name}; the gradients do not belong to it" if fails else None
    if belongs:
        return f"the forward pass is not that of {name}; the gradients belong to the forward pass as it is"
    if fails:
        return f"the forward pass is not that of {name}, and the gradients do not belong to it either"
    return f"the forward pass is not that of {name}"


def _made(case: Case, subject: Subject, trial: Trial) -> _Reference:
    assert case.reference is not None  # noqa: S101  callers know
    working = Working(case, case.reference, subject.inputs)
    forward = working.forward(subject.inputs)
    outputs = working.outputs(forward, trial.forward.outputs)
    if isinstance(outputs, str):
        return _Reference(case, subject, trial, working, outputs, {}, (outputs, {}), {})
    point = {name: rounded(case, name, value, value.dtype) for name, value in subject.inputs.items()}
    beside = working.forward(point)
    return _Reference(
        case,
        subject,
        trial,
        working,
        outputs,
        working.gradients(trial.cotangents, forward, subject.inputs),
        (working.outputs(beside, trial.forward.outputs), working.gradients(trial.cotangents, beside, point)),
        _own_gradients(subject, trial, point),
    )


def _own_gradients(subject: Subject, trial: Trial, point: Mapping[str, NDArray[Any]]) -> Mapping[str, Any]:
    """Return what backward gives beside the point: what it rounds where nothing but rounding is left."""
    try:
        return subject.target.backward(trial.cotangents, subject.target.forward(point), point).values
    except Exception:  # noqa: BLE001  user code; the comparison does without it
        return {}


def _precision(array: NDArray[Any]) -> float:
    """Return the machine epsilon of an array, or that of single precision where it holds nothing finer."""
    eps = float(np.finfo(array.dtype).eps)
    single = float(np.finfo(np.float32).eps)
    with np.errstate(over="ignore"):
        fits = eps < single and bool(np.all(array.astype(np.float32) == array))
    return single if fits and not bool(np.all(array == np.rint(array))) else eps


def _apart(one: NDArray[Any], other: Any) -> float:
    """Return how far two arrays lie apart at most; 0 where they do not compare."""
    array = None if other is None else np.asarray(other)
    if array is None or array.shape != one.shape or array.dtype.kind != "f":
        return 0.0
    return float(np.max(np.abs(one - array), initial=0.0))


def _forward(made: _Reference) -> Contract:
    name, shaken = made.working.name, made.shaken[0]
    if isinstance(made.outputs, str) or isinstance(shaken, str):
        return _contract("reference-forward", [f"the forward pass is not that of {name}: {made.outputs}"], "")
    problems = []
    for number, found in enumerate(made.trial.forward.outputs):
        allowed = made.allowed(made.outputs[number], shaken[number], found)
        said = _difference("out" if number == 0 else f"out{number + 1}", found, made.outputs[number], allowed)
        problems += [f"the forward pass is not that of {name}: {said}{_assumed(made)}"] if said else []
    return _contract("reference-forward", problems, f"the forward pass is that of {name}, to rounding")


def _assumed(made: _Reference) -> str:
    """Say what parameters the reference has that the case says nothing of: they may be others in the code."""
    reference = made.case.reference
    unmapped = reference.unmapped if reference is not None else ()
    values = ", ".join(f"{name} = {reference.params[name]}" for name in unmapped) if reference is not None else ""
    return f"; with {values}, of which the case says nothing" if values else ""


def _gradients(made: _Reference) -> Iterator[Contract]:
    """Compare gradients where the forward pass is the reference's; those of another shape are no gradients."""
    name, problems, compared = made.working.name, [], []
    assert not isinstance(made.outputs, str)  # noqa: S101  the forward pass was found to be the same
    inputs = made.subject.inputs
    functional = Functional(
        lambda point: _evaluated(made, point), inputs, made.trial.cotangents, made.trial.forward.outputs
    )
    for item, wanted in made.gradients.items():
        value = made.trial.gradients.values.get(item)
        found = None if value is None else np.asarray(value)
        if found is None or found.dtype.kind != "f" or found.shape != wanted.shape:
            continue  # what is wrong with it is said elsewhere
        compared.append(f"d{item}")
        allowed = made.allowed(wanted, made.shaken[1].get(item, wanted), found)
        allowed += rounding_floor(functional, item, inputs[item].dtype) + _INPUT_ROUNDINGS * _apart(
            found, made.own.get(item)
        )
        said = _difference(f"d{item}", found, wanted, allowed)
        problems += [f"{said}, although the forward pass is that of {name}"] if said else []
    if compared:
        kept = f"{' and '.join(compared)} {'is that' if len(compared) == 1 else 'are those'} of {name}, to rounding"
        yield _contract("reference-gradients", problems, kept)


def _evaluated(made: _Reference, point: Mapping[str, NDArray[Any]]) -> tuple[NDArray[Any], ...]:
    outputs = made.working.outputs(made.working.forward(point), made.trial.forward.outputs)
    assert not isinstance(outputs, str)  # noqa: S101  as above
    return outputs


def _difference(name: str, found: NDArray[Any], wanted: NDArray[Any], allowed: float) -> str | None:
    """Say where two arrays differ most, if they differ by more than is allowed."""
    apart = np.abs(found.astype(wanted.dtype) - wanted)
    apart = np.where(np.isnan(apart), np.inf, apart)
    if not apart.size or float(np.max(apart)) <= allowed:
        return None
    index = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(apart)), apart.shape))
    where = f" at [{', '.join(map(str, index))}]" if index else ""
    many = int(np.sum(apart > allowed))
    return (
        f"{name} is {float(found[index]):.6g}{where}, expected {float(wanted[index]):.6g} "
        f"({many} of {apart.size} entries differ)"
    )


def _contract(code: str, problems: list[str], kept: str) -> Contract:
    verdict = Verdict.FAIL if problems else Verdict.PASS
    return Contract(code=code, verdict=verdict, severity=Severity.FAILURE, message="; ".join(problems) or kept)
