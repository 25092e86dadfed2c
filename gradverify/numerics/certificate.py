"""A whole gradient judged from a few derivatives along random directions (after Freivalds, 1979).

Let ``delta = analytic - true`` for one input, or for several at once. For a Gaussian direction ``v``, ``delta . v`` is
Gaussian with deviation ``||delta||``, so that ``P(|delta . v| <= t) <= 0.8 t / ||delta||``: where ``r`` directions all
stay within ``t``, the error is below ``K t`` in norm, and so in every element, but for a probability of ``(0.8 / K)^r``
- whatever the number of elements. ``K`` follows from the probability that is asked for.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.complex_step import complex_derivative, complex_place
from gradverify.numerics.directional import Directional, representable, richardson
from gradverify.numerics.error_bar import sharpened
from gradverify.numerics.functional import root_mean_square, spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.numerics.complex_step import ComplexProof
    from gradverify.numerics.functional import Array, Functional

__all__ = ["Certifier", "Residual", "Residuals", "suspects"]

# P(|Z| <= t) <= _DENSITY t for a standard Gaussian Z; the exact factor is sqrt(2 / pi) = 0.798.
_DENSITY = 0.8
# Standard deviations of rounding that an error bar covers.
_DEVIATIONS = 5
# Roundings of an analytic gradient's entries that mean nothing.
_ROUNDINGS = 8
# How far outside its bar a residual must lie before the elements it was made from are searched.
_LOUD = 4.0


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left of ``analytic . v`` less the derivative along ``v``.

    Attributes
    ----------
    value, bar
        The residual, and the error bar of the derivative.
    rounding
        What the rounding of an analytic gradient leaves: real, but nothing that is wrong.
    """

    value: float
    bar: float
    rounding: float

    @property
    def loud(self) -> bool:
        """Whether something is wrong, and not only uncertain."""
        return abs(self.value) > _LOUD * (self.bar + self.rounding)


@dataclass(frozen=True, slots=True)
class Residuals:
    """Residuals along several directions.

    Attributes
    ----------
    rows
        One for every direction.
    scales
        By input, how large the entries of its directions are.
    """

    rows: tuple[Residual, ...]
    scales: Mapping[str, float]

    @property
    def loud(self) -> bool:
        """Whether something is wrong, and not only uncertain."""
        return any(row.loud for row in self.rows)

    def bound(self, name: str, miss: float) -> float:
        """Return what no element of an input's gradient is wrong by, but for a probability ``miss``."""
        within = max(abs(row.value) + row.bar for row in self.rows)
        return _DENSITY / math.pow(miss, 1 / len(self.rows)) * within / self.scales[name]


@dataclass(frozen=True)
class Certifier:
    """Takes derivatives along directions, by the quietest way that the code allows.

    Attributes
    ----------
    functional
        What is differentiated.
    proof
        That the code carries complex steps; ``None`` where it does not.
    random
        Stream for directions.
    """

    functional: Functional
    proof: ComplexProof | None
    random: np.random.Generator

    @cached_property
    def _sharp(self) -> tuple[Functional, float]:
        """Where differences are taken, and the standard deviation of the noise in ``L`` there; 1 to 3 passes."""
        sharp, noise = sharpened(self.functional, self.random)
        return sharp, noise.total

    @cached_property
    def _complex(self) -> tuple[Functional, float]:
        """Where complex steps are taken, and by how much a term rounds there, relative to all."""
        assert self.proof is not None  # noqa: S101  callers know
        functional, relative = complex_place(self.functional, self.proof)
        return functional, root_mean_square(relative)

    def passes(self, directions: int) -> int:
        """Return how many passes derivatives along so many directions take where nothing is unusual."""
        return directions * (6 if self.proof is None else 1)

    def along(self, directions: Mapping[str, Array]) -> Directional:
        """Return the derivative of ``L`` along a direction; 1 pass, or 6 to 24 without complex steps."""
        if self.proof is None:
            functional, noise = self._sharp
            return richardson(functional, directions, noise)
        functional, noise = self._complex
        terms = functional.weights * complex_derivative(functional, directions)
        return Directional(float(np.sum(terms)), _DEVIATIONS * noise * float(np.linalg.norm(terms)))

    def residuals(self, gradients: Mapping[str, Array], count: int, before: Residuals | None = None) -> Residuals:
        """Compare gradients with derivatives along random directions of all these inputs at once.

        Parameters
        ----------
        gradients
            By input, of its shape.
        count
            How many directions in all.
        before
            Directions already taken, with the same gradients.
        """
        scales = {name: self.scale(name, gradient) for name, gradient in gradients.items()}
        rows = [] if before is None else list(before.rows)
        while len(rows) < count:
            rows.append(self.residual(gradients, self._drawn(gradients, scales)))
        return Residuals(tuple(rows), scales)

    def _drawn(self, gradients: Mapping[str, Array], scales: Mapping[str, float]) -> dict[str, Array]:
        return {
            name: self.direction(name, scales[name] * self.random.standard_normal(gradient.shape))
            for name, gradient in gradients.items()
        }

    def direction(self, name: str, direction: Array) -> Array:
        """Return a direction as steps along it are really taken."""
        return direction if self.proof is not None else representable(self.functional.inputs[name], direction)

    def residual(self, gradients: Mapping[str, Array], directions: Mapping[str, Array]) -> Residual:
        """Return ``analytic . v`` less the derivative along ``v``."""
        found, claimed, variance = self.along(directions), 0.0, 0.0
        for name, part in directions.items():
            terms = gradients[name] * part
            claimed += float(np.sum(terms))
            variance += float(np.sum(terms**2))
        # The gradient under test rounds about as the derivative does where nothing is done about that.
        eps = max(float(np.finfo(np.float64).eps), self.proof.noise if self.proof is not None else 0.0)
        return Residual(claimed - found.value, found.bar, _ROUNDINGS * eps * math.sqrt(variance))

    def scale(self, name: str, gradient: Array) -> float:
        """Return the size of a direction's entries: the spread for steps that are taken, else what evens inputs out."""
        if self.proof is None:
            return spread(self.functional.inputs[name])
        norm = float(np.linalg.norm(gradient))
        return 1 / norm if norm > 0 and np.isfinite(norm) else 1.0


def suspects(certifier: Certifier, name: str, gradient: Array, *, most: int, tries: int) -> Array:
    """Return elements that are wrong: where the residual along directions of ever smaller parts does not vanish.

    Parts are halved, the loudest for their size first. One wrong element among ``n`` takes ``2 log2 n`` derivatives.

    Parameters
    ----------
    certifier, name, gradient
        What is searched.
    most
        How many elements are wanted at most.
    tries
        How many derivatives may be taken.
    """
    scale = certifier.scale(name, gradient)
    heap: list[tuple[float, int, int]] = [(-np.inf, 0, gradient.size)]
    found: list[int] = []
    while heap and len(found) < most and tries > 0:
        _, first, last = heapq.heappop(heap)
        if last - first == 1:
            found.append(first)
            continue
        middle = (first + last) // 2
        for part in ((first, middle), (middle, last)):
            direction = certifier.direction(name, _within(certifier, gradient, part, scale))
            row = certifier.residual({name: gradient}, {name: direction})
            tries -= 1
            if row.loud:
                heapq.heappush(heap, (-abs(row.value) / (part[1] - part[0]), *part))
    return np.array(found, dtype=np.int64)


def _within(certifier: Certifier, gradient: Array, part: tuple[int, int], scale: float) -> Array:
    """Return a random direction that moves only a part of the elements."""
    direction = np.zeros(gradient.size)
    count = part[1] - part[0]
    direction[slice(*part)] = scale * certifier.random.standard_normal(count)
    return direction.reshape(gradient.shape)
