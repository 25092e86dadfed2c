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
        A vector is one row: then the first runs across.
    together
        How many indices along each make a cell; the last one may have fewer.
    excess
        By row and column the largest ``|a - n|`` of a cell's elements divided by what is allowed for it: above 1 it
        fails. ``inf`` where an analytic entry is not finite, or nothing is allowed; ``nan`` where no numerical value of
        a cell could be computed.
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
        The element: the worst entry of a gradient that fails, else the one with the widest error bar relative to what
        is allowed, of those in doubt where some are.
    order
        Of the differences that the curve is of.
    steps
        Step sizes, ascending: each twice the one before, but where the code raised, or a step is too short for the
        numbers.
    errors
        What was measured at each: the distance of the difference from the numerical value of the verdict. 0 where both
        are the same.
    truncation, roundoff
        What is estimated at each: ``C h^p``, all 0 where no truncation is seen; and the noise of the function divided
        by the step, all 0 where nothing is seen to round.
    derivative, step
        What the verdict's slope was read from, and its step, which may lie outside ``steps``; ``None`` where a step has
        no meaning.
    analytic, numerical, bar, allowed
        Of this element: both values, the error bar of the numerical one, and the largest difference that passes.
    sides
        The slopes on both sides of an element at a kink, between which every value is right; ``None`` elsewhere. The
        differences agree on a value between them there, whatever the step.
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
    sides: tuple[float, float] | None = None
