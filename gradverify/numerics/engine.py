"""The interface of the numerical engine: a functional and an analytic gradient in, a finding out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.numerics.dense import DenseGradient, Effort, OverBudgetError, dense_check
from gradverify.results import GradientCheck, Verdict, WorstEntry

if TYPE_CHECKING:
    from gradverify.numerics.comparison import Comparison
    from gradverify.numerics.functional import Array, Functional

__all__ = ["MAX_PASSES", "Effort", "check_gradient"]

# Forward passes for one input's gradient; beyond this the check says so instead of running on.
MAX_PASSES = 100_000


def check_gradient(functional: Functional, name: str, analytic: Array, effort: Effort) -> GradientCheck:
    """Check one input's analytic gradient against a numerical one.

    Parameters
    ----------
    functional
        What is differentiated.
    name
        The input.
    analytic
        Its gradient, of the input's shape and in the precision of the numerical side.
    effort
        How.

    Returns
    -------
    GradientCheck
        ``inconclusive`` with its reason where the budget does not suffice.
    """
    shape = functional.inputs[name].shape
    common: dict[str, Any] = {
        "input": name,
        "shape": shape,
        "method": "dense",
        "elements": int(np.prod(shape)),
    }
    try:
        found = dense_check(functional, name, analytic, effort)
    except OverBudgetError as error:
        reason = f"needs about {error.passes} forward passes, the budget is {effort.budget}; give it a smaller shape"
        inconclusive = common["elements"]
        return GradientCheck(verdict=Verdict.INCONCLUSIVE, reason=reason, inconclusive=inconclusive, **common)
    return _result(found, analytic, common)


def _result(found: DenseGradient, analytic: Array, common: dict[str, Any]) -> GradientCheck:
    comparison = found.comparison
    failed, inconclusive = int(np.sum(comparison.failed)), int(np.sum(comparison.inconclusive))
    verdict = Verdict.FAIL if failed else Verdict.INCONCLUSIVE if inconclusive else Verdict.PASS
    return GradientCheck(
        verdict=verdict,
        reason=_reason(found, failed, inconclusive, analytic),
        compared=common["elements"],
        failed=failed,
        inconclusive=inconclusive,
        max_relative_error=comparison.relative,
        max_absolute_error=float(np.max(comparison.difference, initial=0.0)),
        error_bar=float(np.max(found.bar, initial=0.0)),
        worst=_worst(comparison, analytic),
        **common,
    )


def _worst(comparison: Comparison, analytic: Array) -> WorstEntry | None:
    """Return the entry furthest outside (or nearest to the edge of) what is allowed."""
    if not analytic.size:
        return None
    known = np.where(np.isnan(comparison.difference), np.inf, comparison.difference)
    with np.errstate(over="ignore"):  # what is allowed may be nothing at all
        distance = known / np.maximum(np.nan_to_num(comparison.allowed), np.finfo(np.float64).tiny)
    index = tuple(int(axis) for axis in np.unravel_index(int(np.argmax(distance)), analytic.shape))
    return WorstEntry(index=index, analytic=float(analytic[index]), numerical=float(comparison.numerical[index]))


def _reason(found: DenseGradient, failed: int, inconclusive: int, analytic: Array) -> str | None:
    parts = []
    infinite = int(np.sum(~np.isfinite(analytic)))
    if infinite:
        parts.append(f"{infinite} analytic entries are not finite")
    if failed > infinite and not (found.torn and failed == found.kinks):
        parts.append(f"{failed - infinite} of {analytic.size} elements differ by more than is allowed")
    if inconclusive:
        parts.append(f"the error bar of {inconclusive} elements is wider than the tolerance")
    if found.torn:
        parts.append(f"{found.kinks} elements at kinks do not add up to the slope when all of them move together")
    elif found.kinks:
        parts.append(f"{found.kinks} elements at kinks, judged by the slopes on both sides")
    return "; ".join(parts) or None
