"""An analytic gradient as a claim that a certificate backs, or elements looked at where it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.certificate import suspects
from gradverify.numerics.comparison import compare
from gradverify.numerics.differences import Estimate
from gradverify.numerics.error_bar import rounding
from gradverify.numerics.grouping import Singles
from gradverify.numerics.second_look import Look
from gradverify.results import Certificate

if TYPE_CHECKING:
    from gradverify.numerics.certificate import Certifier, Residuals
    from gradverify.numerics.comparison import Bounds, Comparison
    from gradverify.numerics.effort import Effort
    from gradverify.numerics.functional import Array

__all__ = ["FEWEST", "Claim", "directions_for"]

# Directions, taken until the bound suffices, and the probability with which any of the bounds may be wrong.
_DIRECTIONS, _MISS = (4, 8, 16), 1e-12
# The same, for who asks for nothing else.
_DIRECTIONS_ALONE, _MISS_ALONE = (4,), 1e-9
FEWEST = min(_DIRECTIONS + _DIRECTIONS_ALONE)
# Elements looked at by themselves; wrong ones searched for, and derivatives taken to find them: as far as the budget
# reaches.
_LOOKED, _SEARCHED, _TRIES = 256, 12, 300
# How many passes a look at one element takes at most: slopes of order 4 at seven steps, twice each, and at kinks.
_PASSES_A_LOOK = 84


@dataclass(frozen=True)
class Claim:
    """One input's analytic gradient, and how it is to be checked."""

    name: str
    analytic: Array
    effort: Effort

    @property
    def alone(self) -> bool:
        """Whether nothing but a certificate was asked for."""
        return self.effort.method == "certificate"

    @property
    def miss(self) -> float:
        """The probability with which a bound may be wrong."""
        return _MISS_ALONE if self.alone else _MISS

    @property
    def reference(self) -> Array:
        """The gradient that is certified: the one under test, in the precision of the numerical side."""
        chosen = self.analytic if self.effort.reference is None else self.effort.reference
        return np.where(np.isfinite(chosen), chosen, 0.0)

    @property
    def bounds(self) -> Bounds:
        """What is allowed; who asks for nothing but a certificate asks about the largest entry."""
        if not self.alone:
            return self.effort.bounds
        largest = float(np.max(np.abs(self.reference), initial=0.0))
        return replace(self.effort.bounds, floor=max(self.effort.bounds.floor, self.effort.bounds.rtol * largest))

    @property
    def counts(self) -> tuple[int, ...]:
        """After how many directions the bound is looked at: each look may miss."""
        return _DIRECTIONS_ALONE if self.alone else _DIRECTIONS

    def bound(self, residuals: Residuals) -> float:
        """Return what no element of the reference is wrong by."""
        return residuals.bound(self.name, self.miss / len(self.counts))

    def bounded(self, residuals: Residuals) -> Estimate:
        """Return a gradient that is known to within a certificate's bound."""
        flat = np.ravel(self.reference)
        return Estimate.of(flat, np.full(flat.shape, self.bound(residuals)), np.zeros(flat.shape))

    def certificate(self, residuals: Residuals) -> Certificate:
        """Return what residuals say of the gradient under test in the end."""
        rounded = np.abs(self.analytic - self.reference)[np.isfinite(self.analytic)]
        return Certificate(
            bound=self.bound(residuals) + float(np.max(rounded, initial=0.0)),
            miss_probability=self.miss,
            directions=len(residuals.rows),
        )

    def compared(self, estimate: Estimate) -> Comparison:
        """Compare all elements, flat."""
        return compare(np.ravel(self.analytic), estimate.low, estimate.high, estimate.bar, self.bounds)

    def doubtful(self, estimate: Estimate) -> Array:
        """Return which elements are not settled."""
        comparison = self.compared(estimate)
        return np.asarray(comparison.failed | comparison.inconclusive)

    def look(self, certifier: Certifier, estimate: Estimate, residuals: Residuals, step: float) -> Array:
        """Look at elements in doubt; where something is wrong, at those that are found to be.

        Parameters
        ----------
        certifier
            Takes the derivatives.
        estimate
            Narrowed here.
        residuals
            What gave rise to doubt.
        step
            Where the looks start.

        Returns
        -------
        ndarray
            A mask of the elements looked at, flat.
        """
        chosen, doubtful = np.zeros(estimate.low.shape, dtype=bool), self.doubtful(estimate)
        if residuals.loud:
            half = self.effort.budget // 2
            most, tries = min(_SEARCHED, half // _PASSES_A_LOOK), min(_TRIES, half // certifier.passes(1))
            chosen[suspects(certifier, self.name, self.reference, most=most, tries=tries)] = True
        elif np.sum(doubtful) <= min(_LOOKED, self.effort.budget // _PASSES_A_LOOK):
            chosen = doubtful
        estimate.noise[:] = rounding(certifier.functional).total
        Look(certifier.functional, self.name, Singles(chosen.size), step).narrow(estimate, chosen)
        return chosen


def directions_for(claims: list[Claim], certifier: Certifier) -> Residuals:
    """Take directions until the bound lies below the tolerance of every element, or something is wrong."""
    references = {claim.name: claim.reference for claim in claims}
    counts = max((claim.counts for claim in claims), key=len)
    budget = min(claim.effort.budget for claim in claims)
    residuals = certifier.residuals(references, counts[0])
    for count in (count for count in counts[1:] if certifier.passes(count) <= budget):
        suffices = not any(np.any(claim.compared(claim.bounded(residuals)).inconclusive) for claim in claims)
        if residuals.loud or suffices:
            break
        residuals = certifier.residuals(references, count, residuals)
    return residuals
