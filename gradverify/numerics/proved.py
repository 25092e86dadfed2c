"""A numerical gradient along a route, and the proof of what the route supposed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.differences import Estimate, StrayError, complex_look, impulse_look, smooth_look
from gradverify.numerics.routes import ATTEMPTS, Derivative, Route, difference_manner, find_route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.numerics.certificate import Certifier
    from gradverify.numerics.ledger import Ledger

__all__ = ["OverBudgetError", "Seen", "Viewer", "proved_together"]

# Directions along which slopes that looked affine are proved.
_PROOFS = 2
# Standard deviations of what is known to round that a proof covers. What is left of a small slope that was taken for
# another's must not vanish in any room beside.
_DEVIATIONS = 6
# What a proof by differences may leave beside that, relative to the norm of what is added up: their bars are estimates.
_ROOM = 1e-9
# Bars, relative to the largest entry, beyond which an element may lie at a kink and is left out of a proof.
_KINKED = 1e-4
# A derivative that is less certain than this, relative to the norm of what is added up, proves nothing.
_PROVES = 1e-3


class OverBudgetError(Exception):
    """The gradient needs more forward passes than the budget allows.

    Parameters
    ----------
    passes
        How many it needs.
    """

    def __init__(self, passes: int) -> None:
        super().__init__(passes)
        self.passes = passes


@dataclass(frozen=True, slots=True)
class Seen:
    """A numerical gradient, and the route by which it was found."""

    route: Route
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Viewer:
    """Looks at the gradient of one input.

    Attributes
    ----------
    certifier
        Takes the derivatives along directions that prove; knows the functional.
    name
        The input.
    ledger
        Where passes are written down.
    budget
        How many passes a look may take.
    """

    certifier: Certifier
    name: str
    ledger: Ledger
    budget: int

    def look(self, route: Route) -> Seen:
        """Return the gradient along a route, or along the next one where that one's footprint proves wrong.

        Raises
        ------
        OverBudgetError
            The route takes more passes than the budget.
        """
        while True:
            if route.passes > self.budget:
                raise OverBudgetError(route.passes)
            try:
                with self.ledger.phase(self.name, "gradient"):
                    return Seen(route, self._estimate(route))
            except StrayError:
                route = self.next_route(route)
            except Exception:
                if route.manner.derivative is Derivative.DIFFERENCES:
                    raise
                # Code may check its domain, and impulses lie far outside; or carry imaginary parts here and not there.
                route = self._by_differences(route)

    def proved(self, seen: Seen) -> Seen:
        """Return a gradient that adds up along random directions: this one, or that of another route."""
        while not self._holds(seen):
            seen = self.look(self.next_route(seen.route))
        return seen

    def next_route(self, route: Route) -> Route:
        """Return the route to try when one was wrong; with every element by itself, only impulses can be."""
        if route.attempt >= ATTEMPTS - 1:
            return self._by_differences(route)
        with self.ledger.phase(self.name, "footprint"):
            return find_route(
                self.certifier.functional, self.name, route.manner, self.certifier.random, route.attempt + 1
            )

    def _by_differences(self, route: Route) -> Route:
        with self.ledger.phase(self.name, "noise"):
            manner = difference_manner(self.certifier.functional, self.name, self.certifier.random)
        return Route(manner, route.grouping, route.footprint, route.attempt)

    def _estimate(self, route: Route) -> Estimate:
        manner = route.manner
        functional = manner.functional
        if manner.derivative is Derivative.COMPLEX:
            return complex_look(functional, self.name, route.grouping, manner.rounding)
        if manner.derivative is Derivative.IMPULSES:
            return impulse_look(functional, self.name, route.grouping, manner.step, manner.rounding)
        return smooth_look(functional, self.name, route.grouping, manner.noise, manner.step)

    def _holds(self, seen: Seen) -> bool:
        """Return whether what the route supposed is seen to be so."""
        if seen.route.footprint is None and seen.route.manner.derivative is not Derivative.IMPULSES:
            return True
        with self.ledger.phase(self.name, "proof"):
            if self.certifier.proof is None and seen.route.manner.derivative is Derivative.IMPULSES:
                return self._adds_up(seen)
            return self._agrees(seen.estimate)

    def _adds_up(self, seen: Seen) -> bool:
        """Return whether slopes add up to the change along random directions, as those of an affine input do."""
        functional, slopes = self.certifier.functional, seen.estimate.low
        value = functional.inputs[self.name]
        for _ in range(_PROOFS):
            direction = seen.route.manner.step * self.certifier.random.standard_normal(value.shape)
            after = functional.tried({self.name: value + direction})
            if after is None:
                return False
            change = functional.change(after, functional.middle)
            parts, bars = (row * np.ravel(direction) for row in (slopes, seen.estimate.bar))
            rounded = float(np.linalg.norm(bars)) + seen.route.manner.noise.total
            if not abs(float(np.sum(parts)) - change) <= _DEVIATIONS * rounded:
                return False
        return True

    def _agrees(self, estimate: Estimate) -> bool:
        """Return whether slopes add up to the derivative along a random direction of the elements away from kinks."""
        shape = self.certifier.functional.inputs[self.name].shape
        largest = float(np.max(np.abs(estimate.low), initial=0.0))
        smooth = estimate.bar <= _KINKED * largest
        gradient = estimate.low.reshape(shape)
        scale = self.certifier.scale(self.name, gradient)
        drawn = np.where(smooth, scale * self.certifier.random.standard_normal(smooth.shape), 0.0)
        direction = self.certifier.direction(self.name, drawn.reshape(shape))
        row = self.certifier.residual({self.name: gradient}, {self.name: direction})
        size = float(np.linalg.norm(gradient * direction))
        own = _DEVIATIONS * float(np.linalg.norm(estimate.bar.reshape(shape) * direction))
        room = row.bar + row.rounding + own + (_ROOM * size if self.certifier.proof is None else 0.0)
        return row.bar <= _PROVES * size + own and abs(row.value) <= room


def proved_together(certifier: Certifier, seen: Mapping[str, Seen]) -> bool:
    """Return whether gradients of all inputs add up to the derivative by which complex steps were proved; no pass."""
    proof = certifier.proof
    if proof is None or set(seen) != set(proof.directions):
        return False
    added, variance, size = 0.0, 0.0, float(np.linalg.norm(proof.terms))
    for name, one in seen.items():
        parts = one.estimate.low * np.ravel(proof.directions[name])
        added += float(np.sum(parts))
        variance += float(np.sum((one.estimate.bar * np.ravel(proof.directions[name])) ** 2))
        size = max(size, float(np.linalg.norm(parts)))
    room = _DEVIATIONS * (math.sqrt(variance) + proof.noise * size)
    return bool(abs(added - float(np.sum(proof.terms))) <= room)
