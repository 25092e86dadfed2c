"""Whether two implementations of a built-in layer agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.checks.contracts.compared import Compared
from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.contracts.reference import difference, differing_gradients
from gradverify.spec.counterparts import Counterpart
from gradverify.spec.target_model import LayerTarget

if TYPE_CHECKING:
    from gradverify.checks.contracts.look import Look

__all__ = ["agreement"]

# Roundings by which two implementations of one formula may differ, relative to the largest entry.
_ROUNDINGS = 256


def agreement(look: Look) -> Finding | None:
    """Check that outputs and gradients equal those of the first-listed implementation, to rounding.

    Returns ``None`` where the case names no reference.
    """
    case, target = look.case, look.case.target
    if not isinstance(target, LayerTarget) or target.reference is None:
        return None
    first = Counterpart(
        name=target.reference,
        target=LayerTarget(target.layer, target.reference),
        params=case.params,
        inputs={item.name: item.name for item in case.inputs},
    )
    compared = Compared(case, look.subject, look.trial, first, _ROUNDINGS)
    if isinstance(compared.outputs, str):
        return broken([compared.outputs])
    said = difference("out", look.trial.forward.outputs[0], compared.outputs[0], compared.allowed_output(0))
    problems, _ = differing_gradients(look, compared)
    problems = problems if said is None else [said, *problems]
    return broken(problems) if problems else kept(f"equals {target.reference} to rounding")
