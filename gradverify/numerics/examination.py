"""One examination: all inputs of one functional, from the choice of a method to the findings."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.numerics.affine import affine_noise
from gradverify.numerics.certificate import Certifier, Residuals
from gradverify.numerics.claim import FEWEST, Claim, directions_for
from gradverify.numerics.complex_step import prove_complex
from gradverify.numerics.differences import first_step
from gradverify.numerics.error_bar import rounding
from gradverify.numerics.findings import Finding, certified_finding, judged_finding, over_budget
from gradverify.numerics.functional import spread
from gradverify.numerics.grouping import Singles
from gradverify.numerics.ledger import Ledger
from gradverify.numerics.nearby import Nearby
from gradverify.numerics.proved import OverBudgetError, Seen, Viewer, proved_together
from gradverify.numerics.routes import (
    ATTEMPTS,
    Derivative,
    Manner,
    Route,
    complex_manner,
    find_route,
    overlooked,
    real_manner,
)
from gradverify.numerics.second_look import Look, judge
from gradverify.numerics.stencils import power_of_two
from gradverify.results import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gradverify.numerics.comparison import Bounds
    from gradverify.numerics.differences import Estimate
    from gradverify.numerics.effort import Effort
    from gradverify.numerics.functional import Array, Functional

__all__ = ["Examination"]

# Passes up to which `auto` compares every element by itself.
_CHEAP = 600
# Outputs to be computed in all from which an affine input is worth two passes to be known as such: real passes are
# several times faster than complex ones.
_LARGE = 1_000_000
# Numbers handled in all up to which every element of a gradient that is known to be wrong is looked at.
_MAP = 1_000_000_000
# Seconds that such a look may take: what is wrong is known by then, and a case has its timeout.
_PATIENCE = 10.0
_TINY = float(np.finfo(np.float64).tiny)


class Examination:
    """Routes, looks and certificates of the inputs of one functional.

    Parameters
    ----------
    functional
        What is differentiated.
    analytic, efforts
        By input.
    """

    def __init__(self, functional: Functional, analytic: Mapping[str, Array], efforts: Mapping[str, Effort]) -> None:
        self._ledger = Ledger()
        self._functional = self._ledger.watching(functional)
        self._analytic, self._efforts = analytic, efforts
        self._first = next(iter(analytic))
        self._random = efforts[self._first].random
        self._certifier = Certifier(self._functional, None, self._random)
        self._routes: dict[str, Route] = {}
        self._seen: dict[str, Seen] = {}
        self._residuals: dict[str, Residuals] = {}
        self._over: dict[str, int] = {}
        self._errors: dict[str, Exception] = {}

    def run(self) -> Iterator[Finding]:
        """Yield a finding for every input, in order.

        Raises
        ------
        Exception
            What the forward pass raises where it is moved; findings before that input are yielded first.
        """
        self._try_complex_steps()
        self._choose_routes()
        self._look()
        self._certify()
        for name in self._analytic:
            if name in self._errors:
                raise self._errors[name]
            yield self._finding(name)

    # -- what the code allows

    def _try_complex_steps(self) -> None:
        expected = {name: value for name, value in self._analytic.items() if self._efforts[name].method != "dense"}
        if not expected:
            return
        with self._ledger.phase(self._first, "complex step"):
            proof = prove_complex(self._functional, expected, self._random)
        self._certifier = Certifier(self._functional, proof, self._random)

    def _choose_routes(self) -> None:
        for name, effort in self._efforts.items():
            if effort.method == "certificate":
                continue
            try:
                self._routes[name] = self._route(name)
            except Exception as error:  # noqa: BLE001  user code; raised where this input's finding is due
                self._errors[name] = error
        self._look_further(self._routes)
        for name, route in self._routes.items():
            self._routes[name] = self._with_impulses(name, route)

    def _route(self, name: str) -> Route:
        functional, random = self._functional, self._efforts[name].random
        with self._ledger.phase(name, "noise"):
            if self._certifier.proof is not None and self._efforts[name].method != "dense":
                manner = complex_manner(functional, name, self._certifier.proof, random)
            else:
                manner = real_manner(functional, name, random)
        if self._efforts[name].method == "dense":
            return Route(manner, Singles(functional.inputs[name].size), None, ATTEMPTS - 1)
        with self._ledger.phase(name, "footprint"):
            return find_route(functional, name, manner, random)

    def _look_further(self, names: Iterable[str]) -> None:
        """Find footprints anew, by poison, where derivatives at this point do not show all that outputs follow."""
        footprints = {
            name: route.footprint
            for name, route in ((name, self._routes[name]) for name in names)
            if route.footprint is not None
            and route.manner.derivative is Derivative.COMPLEX
            and route.footprint.extent != self._functional.inputs[name].shape
        }
        if not footprints:
            return
        with self._ledger.phase(self._first, "footprint"):
            if not overlooked(self._functional, footprints, self._random):
                return
        for name, footprint in footprints.items():
            route = self._routes[name]
            with self._ledger.phase(name, "footprint"):
                if overlooked(self._functional, {name: footprint}, self._random):
                    self._routes[name] = find_route(self._functional, name, route.manner, self._random, ATTEMPTS - 2)

    def _with_impulses(self, name: str, route: Route) -> Route:
        """Return a route of real impulses where a complex one would take long and the input looks affine."""
        worth = route.passes * self._functional.middle.size >= _LARGE and not self._needs_certificate(name, route)
        if route.manner.derivative is not Derivative.COMPLEX or not worth:
            return route
        step = power_of_two(spread(self._functional.inputs[name]))
        with self._ledger.phase(name, "noise"):
            noise = affine_noise(self._functional, name, self._random, step, directions=1)
        if noise is None:
            return route
        return replace(route, manner=Manner(Derivative.IMPULSES, self._functional, step, noise, route.manner.rounding))

    def _needs_certificate(self, name: str, route: Route) -> bool:
        return self._efforts[name].method == "auto" and route.passes > _CHEAP

    # -- looks at every element

    def _viewer(self, name: str) -> Viewer:
        effort = self._efforts[name]
        most = min(_CHEAP, effort.budget) if effort.method == "auto" else effort.budget
        return Viewer(self._certifier, name, self._ledger, most)

    def _look(self) -> None:
        for name, route in self._routes.items():
            self._kept(name, partial(self._viewer(name).look, route))
        if proved_together(self._certifier, self._seen):
            return
        for name, seen in list(self._seen.items()):
            self._kept(name, partial(self._viewer(name).proved, seen))

    def _kept(self, name: str, look: Callable[[], Seen]) -> None:
        """Keep what a look saw, what it would have cost, or what the forward pass raised."""
        try:
            self._seen[name] = look()
        except OverBudgetError as error:
            self._seen.pop(name, None)
            self._over[name] = error.passes
        except Exception as error:  # noqa: BLE001  user code; raised where this input's finding is due
            self._errors[name] = error

    # -- certificates

    def _claim(self, name: str) -> Claim:
        return Claim(name, self._analytic[name], self._efforts[name])

    def _certify(self) -> None:
        """Take directions of all inputs at once; where something is wrong, of each by itself."""
        claims = [self._claim(name) for name in self._analytic if self._is_certified(name)]
        least = min((claim.effort.budget for claim in claims), default=0)
        if claims and self._certifier.passes(FEWEST) > least:
            self._over.update(dict.fromkeys((claim.name for claim in claims), self._certifier.passes(FEWEST)))
        elif claims:
            self._residuals = self._directions(claims)

    def _directions(self, claims: list[Claim]) -> dict[str, Residuals]:
        with self._ledger.phase(claims[0].name, "certificate"):
            together = directions_for(claims, self._certifier)
        if not together.loud or len(claims) == 1:
            return dict.fromkeys((claim.name for claim in claims), together)
        apart = {}
        for claim in claims:
            with self._ledger.phase(claim.name, "certificate"):
                apart[claim.name] = directions_for([claim], self._certifier)
        return apart

    def _is_certified(self, name: str) -> bool:
        method = self._efforts[name].method
        return method == "certificate" or (method == "auto" and name in self._over and name not in self._errors)

    # -- findings

    def _finding(self, name: str) -> Finding:
        if name in self._seen:
            return self._judged(name, self._seen[name])
        if name in self._residuals:
            return self._certified(name, self._residuals[name])
        method = "certificate" if self._is_certified(name) else self._method(name)
        return over_budget(self._common(name, method), self._over[name], self._efforts[name].budget)

    def _method(self, name: str) -> str:
        route = self._routes.get(name)
        return "dense" if route is None or route.footprint is None else "compressed"

    def _judged(self, name: str, seen: Seen) -> Finding:
        functional, manner = self._functional, seen.route.manner
        bounds = self._efforts[name].bounds
        if manner.derivative is Derivative.DIFFERENCES:
            limit = 8 * rounding(manner.functional).total / manner.step
        else:  # bars that are made of nothing but rounding
            limit = float(np.max(seen.estimate.bar, initial=0.0))
        bounds = _with_noise_floor(bounds, seen.estimate, limit)
        where = manner.functional if manner.derivative is Derivative.DIFFERENCES else functional
        look = Look(where, name, seen.route.grouping, self._second_step(name, seen))
        with self._ledger.phase(name, "second look"):
            judged = judge(look, seen.estimate, np.ravel(self._analytic[name]), bounds)
        noise = manner.noise.total / max(float(np.linalg.norm(functional.terms)), _TINY)
        self._routes[name] = seen.route
        finding = judged_finding(judged, self._analytic[name], self._common(name, self._method(name)), noise)
        near = Nearby(functional, name, self._analytic[name], seen.estimate, judged.comparison, manner)
        return replace(finding, nearby=near)

    def _second_step(self, name: str, seen: Seen) -> float:
        """Return where the second look starts: impulses are far too long for it."""
        manner = seen.route.manner
        if manner.derivative is Derivative.IMPULSES:
            return first_step(self._functional, name, manner.noise)
        return manner.step

    def _certified(self, name: str, residuals: Residuals) -> Finding:
        claim = self._claim(name)
        estimate = claim.bounded(residuals)
        doubtful = claim.doubtful(estimate)
        if np.any(doubtful) and self._affordable(name):
            with suppress(OverBudgetError):
                viewer = Viewer(self._certifier, name, self._ledger, self._efforts[name].budget)
                return self._judged(name, viewer.proved(viewer.look(self._routes[name])))
        looked = np.full(doubtful.shape, self._efforts[name].reference is not None)
        if np.any(doubtful):
            step = self._routes[name].manner.step
            with self._ledger.phase(name, "search"):
                looked |= claim.look(self._certifier, estimate, residuals, step)
        common = {**self._common(name, "certificate"), "certificate": claim.certificate(residuals)}
        comparison, everything = claim.compared(estimate), bool(np.all(looked))
        finding = certified_finding(comparison, estimate.bar, looked, claim.analytic, common)
        near = Nearby(self._functional, name, claim.analytic, estimate, comparison, everything=everything)
        return replace(finding, nearby=near)

    def _affordable(self, name: str) -> bool:
        """Return whether every element may be looked at once something is in doubt; finds the route where none is."""
        if name not in self._routes:
            self._routes[name] = self._route(name)
            self._look_further([name])
        route, numbers = self._routes[name], self._functional.middle.size + self._analytic[name].size
        soon = route.passes * self._ledger.seconds_a_pass <= _PATIENCE
        return soon and route.passes <= self._efforts[name].budget and route.grouping.count * numbers <= _MAP

    def _common(self, name: str, method: str) -> dict[str, Any]:
        """Return the fields of a check that do not depend on what was compared."""
        route = self._routes.get(name)
        footprint = None if route is None or route.footprint is None else route.footprint.extent
        return {
            "input": name,
            "shape": self._analytic[name].shape,
            "elements": int(self._analytic[name].size),
            "method": method,
            "footprint": footprint,
            "work": self._work(name, method, route),
        }

    def _work(self, name: str, method: str, route: Route | None) -> Work:
        derivative, step = self._derivative(method, route)
        return Work(
            derivative=derivative,
            step=step,
            groups=None if route is None or method == "certificate" else route.grouping.count,
            passes={phase: passes for phase, passes in self._ledger.passes[name].items() if passes},
            seconds=dict(self._ledger.seconds[name]),
        )

    def _derivative(self, method: str, route: Route | None) -> tuple[str, float | None]:
        if method == "certificate" or route is None:
            return ("complex step", None) if self._certifier.proof else ("differences of order 6", None)
        derivative = route.manner.derivative
        return str(derivative), None if derivative is Derivative.COMPLEX else route.manner.step


def _with_noise_floor(bounds: Bounds, estimate: Estimate, limit: float) -> Bounds:
    """Return bounds whose floor is what rounding does to the numerical gradient, where all of that lies below it.

    That of a saturated function does: there is nothing to compare, and nothing to be told.
    """
    largest = float(np.max(np.maximum(np.abs(estimate.low), np.abs(estimate.high)), initial=0.0))
    return replace(bounds, floor=max(bounds.floor, limit)) if largest <= limit < np.inf else bounds
