"""What was found about one input's gradient, in words and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.numerics.error_map import error_map
from gradverify.results import GradientCheck, Verdict, WorstEntry

if TYPE_CHECKING:
    from gradverify.numerics.comparison import Comparison
    from gradverify.numerics.functional import Array
    from gradverify.numerics.nearby import Nearby
    from gradverify.numerics.second_look import Judged

__all__ = ["Finding", "certified_finding", "judged_finding", "over_budget"]

# Noise of a function, relative to its size, that double precision does not explain.
_NOISY = 1e-12


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding, with the arrays behind it.

    Attributes
    ----------
    check
        What a report says.
    numerical, bar
        The numerical gradient and its error bars, of the input's shape; ``None`` where elements were not compared.
    nearby
        What it was made from; ``None`` where nothing was compared.
    """

    check: GradientCheck
    numerical: Array | None = None
    bar: Array | None = None
    nearby: Nearby | None = None

    def times(self, factor: float) -> Finding:
        """Return the finding about gradients that are so many times as large; a power of two changes no digit."""

        def scaled(value: float | None) -> float | None:
            return None if value is None else value * factor

        worst, certificate = self.check.worst, self.check.certificate
        if worst is not None:
            worst = replace(worst, analytic=worst.analytic * factor, numerical=worst.numerical * factor)
        if certificate is not None:
            certificate = replace(certificate, bound=certificate.bound * factor)
        check = replace(
            self.check,
            max_absolute_error=scaled(self.check.max_absolute_error),
            error_bar=scaled(self.check.error_bar),
            worst=worst,
            certificate=certificate,
        )
        numerical, bar = (None if value is None else value * factor for value in (self.numerical, self.bar))
        nearby = None if self.nearby is None else replace(self.nearby, unit=self.nearby.unit * factor)
        return Finding(check, numerical, bar, nearby)


def over_budget(common: dict[str, Any], passes: int, budget: int) -> Finding:
    """Return the finding that a gradient takes more passes than it may."""
    reason = (
        f"needs about {passes} forward passes, the budget is {budget}; give it a smaller shape or a larger max_passes"
    )
    return Finding(
        GradientCheck(verdict=Verdict.INCONCLUSIVE, reason=reason, inconclusive=common["elements"], **common)
    )


def judged_finding(judged: Judged, analytic: Array, common: dict[str, Any], noise: float) -> Finding:
    """Return the finding about a gradient of which every element was compared.

    Parameters
    ----------
    judged
        The comparison, flat.
    analytic
        The gradient under test, of the input's shape.
    common
        Fields of the check that are known already.
    noise
        Of the function, relative to its size.
    """
    comparison = judged.comparison
    failed, inconclusive = int(np.sum(comparison.failed)), int(np.sum(comparison.inconclusive))
    parts = _parts(comparison, analytic, at_kinks=judged.kinks if judged.torn else 0)
    if inconclusive and noise > _NOISY:
        parts.append(f"the forward pass is noisy: {noise:.0e} of its size, more than double precision explains")
    if judged.torn:
        parts.append(f"{_many(judged.kinks)} at kinks do not add up to the slope when all of them move together")
    elif judged.kinks:
        parts.append(f"{_many(judged.kinks)} at kinks, judged by the slopes on both sides")
    check = GradientCheck(
        verdict=_verdict(failed, inconclusive),
        reason="; ".join(parts) or None,
        compared=analytic.size,
        failed=failed,
        inconclusive=inconclusive,
        max_relative_error=comparison.relative,
        max_absolute_error=float(np.max(comparison.difference, initial=0.0)),
        error_bar=float(np.max(judged.bar, initial=0.0)),
        worst=_worst(comparison, analytic),
        error_map=error_map(comparison.failed.reshape(analytic.shape)),
        **common,
    )
    return Finding(check, comparison.numerical.reshape(analytic.shape), judged.bar.reshape(analytic.shape))


def certified_finding(
    comparison: Comparison, bar: Array, looked: Array, analytic: Array, common: dict[str, Any]
) -> Finding:
    """Return the finding about a gradient that a certificate covers.

    Parameters
    ----------
    comparison, bar
        Flat, with what directions alone leave open as the error bar of elements that were not looked at.
    looked
        A mask of those that were.
    analytic
        The gradient under test, of the input's shape.
    common
        Fields of the check that are known already, the certificate among them.
    """
    failed, inconclusive = int(np.sum(comparison.failed)), int(np.sum(comparison.inconclusive))
    count, everything = int(np.sum(looked)), bool(np.all(looked))
    parts = _parts(comparison, analytic)
    if failed and not everything:
        parts = [f"{failed} of {count} elements looked at differ by more than is allowed, of {analytic.size} in all"]
    elif inconclusive:
        parts[-1] = f"the bound of the certificate is wider than the tolerance of {_many(inconclusive)}"
    check = GradientCheck(
        verdict=_verdict(failed, inconclusive),
        reason="; ".join(parts) or None,
        compared=count,
        failed=failed,
        inconclusive=inconclusive,
        max_relative_error=comparison.relative if everything else None,
        max_absolute_error=float(np.max(comparison.difference, initial=0.0)) if everything else None,
        error_bar=float(np.max(bar, initial=0.0)) if everything else None,
        worst=_worst(comparison, analytic) if everything or failed else None,
        error_map=error_map(comparison.failed.reshape(analytic.shape)) if everything and not inconclusive else None,
        **common,
    )
    return Finding(check)


def _verdict(failed: int, inconclusive: int) -> Verdict:
    return Verdict.FAIL if failed else Verdict.INCONCLUSIVE if inconclusive else Verdict.PASS


def _worst(comparison: Comparison, analytic: Array) -> WorstEntry | None:
    """Return the entry furthest outside (or nearest to the edge of) what is allowed."""
    if not analytic.size:
        return None
    known = np.where(np.isnan(comparison.difference), np.inf, comparison.difference)
    with np.errstate(over="ignore"):  # what is allowed may be nothing at all
        distance = known / np.maximum(np.nan_to_num(comparison.allowed), np.finfo(np.float64).tiny)
    position = int(np.argmax(distance))
    index = tuple(int(axis) for axis in np.unravel_index(position, analytic.shape))
    return WorstEntry(index=index, analytic=float(analytic[index]), numerical=float(comparison.numerical[position]))


def _parts(comparison: Comparison, analytic: Array, at_kinks: int = 0) -> list[str]:
    """Return what there is to say, given how many of the failing elements fail together at kinks."""
    parts = []
    failed, inconclusive = int(np.sum(comparison.failed)), int(np.sum(comparison.inconclusive))
    infinite = int(np.sum(~np.isfinite(analytic)))
    if infinite:
        parts.append(f"{infinite} analytic {'entry is' if infinite == 1 else 'entries are'} not finite")
    if failed > infinite and not (at_kinks and failed == at_kinks):
        parts.append(f"{failed - infinite} of {analytic.size} elements differ by more than is allowed")
    if inconclusive:
        parts.append(f"the error bar of {_many(inconclusive)} is wider than the tolerance")
    return parts


def _many(elements: int) -> str:
    return "1 element" if elements == 1 else f"{elements} elements"
