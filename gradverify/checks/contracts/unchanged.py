"""Contracts about what a pass must leave alone: inputs, cotangents, parameters. They need no pass of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.keeping import Kind, is_statistic

if TYPE_CHECKING:
    from gradverify.checks.contracts.look import Look
    from gradverify.checks.keeping import Change

__all__ = ["changed_inputs", "cotangent_unchanged", "input_unchanged", "parameters_unchanged"]


def input_unchanged(look: Look) -> Finding | None:
    """Check that no pass changes the arrays that are its inputs.

    Returns ``None`` for what a framework differentiates: torch guards leaves itself, jax has no arrays that change.
    """
    if look.traits.differentiated:
        return None
    return _judged(changed_inputs(look), "inputs are left as they are")


def changed_inputs(look: Look) -> list[Change]:
    """Return the inputs that a pass changed, without running statistics, which are meant to change."""
    changes = (change for change in look.trial.keeper.changes if change.kind is Kind.INPUT)
    return [change for change in changes if change.name in look.subject.differentiable or not is_statistic(change.name)]


def cotangent_unchanged(look: Look) -> Finding | None:
    """Check that backward does not change the cotangent; ``None`` where it was given none."""
    keeper = look.trial.keeper
    if Kind.COTANGENT not in keeper.handed or look.trial.forward.summed or not look.traits.told:
        return None
    return _judged(
        [change for change in keeper.changes if change.kind is Kind.COTANGENT], "the cotangent is left alone"
    )


def parameters_unchanged(look: Look) -> Finding | None:
    """Check that parameters stay: those of a call, and those of an object; ``None`` where there are none.

    Running statistics may change, keys may be added, and what backward updates by design is that.
    """
    keeper = look.trial.keeper
    if Kind.PARAMETER not in keeper.handed:
        return None
    changes = [change for change in keeper.changes if change.kind is Kind.PARAMETER]
    changes = [item for item in changes if not is_statistic(item.name) and item.name not in look.traits.updated]
    return _judged(changes, "parameters are left as they are")


def _judged(changes: list[Change], promise: str) -> Finding:
    return broken([str(change) for change in changes]) if changes else kept(promise)
