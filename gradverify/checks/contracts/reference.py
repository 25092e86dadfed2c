"""Contracts with another layer of the same kind: the same outputs, and the same gradients."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.contracts.masked import draws_a_mask, masked_forward, masked_gradient
from gradverify.results import Verdict
from gradverify.spec.target_model import LayerTarget

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.checks.contracts.compared import Compared
    from gradverify.checks.contracts.look import Look
    from gradverify.results import Contract, GradientCheck
    from gradverify.spec.model import Case

__all__ = [
    "belonging",
    "beside_reference",
    "confirmed",
    "difference",
    "differing_gradients",
    "reference_forward",
    "reference_gradients",
]


def reference_forward(look: Look) -> Finding | None:
    """Look whether outputs equal those of the reference, to rounding."""
    return look.beside_reference


def beside_reference(look: Look) -> Finding | None:
    """Compare outputs with those of the reference; ``None`` where there is none."""
    compared = look.compared
    if compared is None:
        return None
    name = compared.counterpart.name
    if draws_a_mask(compared.counterpart):
        problem = masked_forward(look.subject, look.trial, compared.counterpart)
        said = None if problem is None else f"the forward pass is not that of {name}: {problem}"
        return (
            kept(f"the forward pass is that of {name} with the mask that it drew") if said is None else broken([said])
        )
    if isinstance(compared.outputs, str):
        return broken([f"the forward pass is not that of {name}: {compared.outputs}"])
    problems = []
    for number, found in enumerate(look.trial.forward.outputs):
        label = "out" if number == 0 else f"out{number + 1}"
        said = difference(label, found, compared.outputs[number], compared.allowed_output(number))
        problems += [f"the forward pass is not that of {name}: {said}{_assumed(compared)}"] if said else []
    return broken(problems) if problems else kept(f"the forward pass is that of {name}, to rounding")


def reference_gradients(look: Look) -> Finding | None:
    """Look whether gradients equal those of the reference, where outputs do; those of other shapes are none."""
    compared, forward = look.compared, look.beside_reference
    kinks = look.case.placed is not None and look.case.placed.row.kinks
    if compared is None or forward is None or forward.verdict is not Verdict.PASS or kinks:
        return None
    name = compared.counterpart.name
    if draws_a_mask(compared.counterpart):
        problem, same = masked_gradient(look.subject, look.trial, compared.counterpart)
        problems = [] if problem is None else [problem]
    else:
        problems, same = differing_gradients(look, compared)
    if problems:
        return broken([f"{problem}, although the forward pass is that of {name}" for problem in problems])
    listed = " and ".join(f"d{item}" for item in same)
    said = f"{listed} {'is that' if len(same) == 1 else 'are those'} of {name}, to rounding"
    return kept(said, tuple(same)) if same else None


def differing_gradients(look: Look, compared: Compared) -> tuple[list[str], list[str]]:
    """Return what is wrong with gradients, and the inputs whose gradients are those of the reference."""
    problems, same = [], []
    for item, wanted in compared.gradients.items():
        found = look.gradients.get(item)
        if found is None or found.dtype.kind != "f" or found.shape != wanted.shape:
            continue  # what is wrong with it is said elsewhere
        said = difference(f"d{item}", found, wanted, compared.allowed_gradient(item, found))
        if said is None:
            same.append(item)
        else:
            problems.append(said)
    return problems, same


def _assumed(compared: Compared) -> str:
    """Say what parameters the reference has that the case says nothing of: they may be others in the code."""
    reference = compared.counterpart
    values = ", ".join(f"{name} = {reference.params[name]}" for name in reference.unmapped)
    return f"; with {values}, of which the case says nothing" if values else ""


def belonging(case: Case, contracts: list[Contract], gradients: list[GradientCheck]) -> str | None:
    """Say what is wrong, the forward pass or its gradients; ``None`` where nothing is, or no reference tells.

    Parameters
    ----------
    case
        Names the reference.
    contracts, gradients
        What was found.
    """
    forward = next((part.verdict for part in contracts if part.code == "reference-forward"), None)
    if case.reference is None or forward is None or not gradients:
        return None
    name = case.reference.name
    fails = any(part.verdict is Verdict.FAIL and part.compared for part in gradients)
    if forward is Verdict.PASS:
        return f"the forward pass is that of {name}; the gradients do not belong to it" if fails else None
    if all(part.verdict is Verdict.PASS for part in gradients):
        return f"the forward pass is not that of {name}; the gradients belong to the forward pass as it is"
    if fails:
        return f"the forward pass is not that of {name}, and the gradients do not belong to it either"
    return f"the forward pass is not that of {name}"


def confirmed(case: Case, contracts: list[Contract], check: GradientCheck) -> GradientCheck:
    """Return what was found about a gradient; where that is undecided, what a built-in layer says of it."""
    told = next((part for part in contracts if part.code == "reference-gradients"), None)
    built_in = case.reference is not None and isinstance(case.reference.target, LayerTarget)
    undecided = check.verdict is Verdict.INCONCLUSIVE and check.compared == check.elements
    if told is None or told.verdict is not Verdict.PASS or not (built_in and undecided and check.input in told.about):
        return check
    reason = f"outputs and gradient are those of {case.reference.name}; the numerical gradient alone tells less: "  # type: ignore[union-attr]  # it is built in
    return replace(check, verdict=Verdict.PASS, inconclusive=0, reason=reason + (check.reason or ""))


def difference(name: str, found: NDArray[np.floating], wanted: NDArray[np.floating], allowed: float) -> str | None:
    """Say where two arrays differ most, if they differ by more than is allowed."""
    with np.errstate(invalid="ignore"):  # infinities that are the same
        apart = np.abs(found.astype(wanted.dtype) - wanted)
    apart = np.where(found == wanted, 0.0, np.where(np.isnan(apart), np.inf, apart))
    if not apart.size or float(np.max(apart)) <= allowed:
        return None
    index = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(apart)), apart.shape))
    where = f" at [{', '.join(map(str, index))}]" if index else ""
    many = int(np.sum(apart > allowed))
    values = f"{float(found[index]):.6g}{where}, expected {float(wanted[index]):.6g}"
    return f"{name} is {values}, off by {float(apart[index]):.2g} ({many} of {apart.size} entries differ)"
