"""What a finding looks like from near by: for people alone, on request, and in no document for machines."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ErrorGrid", "StepCurve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGrid:
    """The errors of a gradient over two of its axes: of all other axes the largest, on long axes of neighbours as well.

    Attributes
    ----------
    axes
        Which axis runs down and which across; the second is ``None`` for a vector, the first too for a single number.
    together
        How many indices along each make a cell; the last one may have fewer.
    excess
        By row and column the largest ``|a - n|`` of a cell's elements divided by what is allowed for it: above 1 it
        fails. ``inf`` where an analytic entry is not finite.
    failed
        How many elements of each cell fail.
    """

    axes: tuple[int | None, int | None]
    together: tuple[int, int]
    excess: tuple[tuple[float, ...], ...]
    failed: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCurve:
    """How far a numerical slope of one element lies from its best value, by step size: truncation against roundoff.

    All errors are absolute, in units of the gradient.

    Attributes
    ----------
    index
        The element: the worst entry of a gradient that fails or is in doubt, else the one with the widest error bar.
    order
        Of the differences that the curve is of.
    steps
        Step sizes, ascending.
    errors
        What was measured at each: the distance of the difference from the numerical value of the verdict.
    truncation, roundoff
        What is estimated at each: ``C h^p``, and the noise of the function divided by the step.
    derivative, step
        What the verdict's slope was read from, and its step; ``None`` where a step has no meaning.
    analytic, numerical, bar, allowed
        Of this element: both values, the error bar of the numerical one, and the largest difference that passes.
    """

    index: tuple[int, ...]
    order: int
    steps: tuple[float, ...]
    errors: tuple[float, ...]
    truncation: tuple[float, ...]
    roundoff: tuple[float, ...]
    derivative: str
    step: float | None
    analytic: float
    numerical: float
    bar: float
    allowed: float
