"""Points where a function has no derivative: accept the subgradients between the one-sided slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.numerics.stencils import forward_slope

if TYPE_CHECKING:
    from gradverify.numerics.functional import Functional

__all__ = ["Kink", "find_kink"]

# A smooth function's one-sided slopes approach each other in proportion to the step.
_SHRINKS = 0.75
# Across a jump they move apart in proportion to one over the step: then there are no slopes to lie between.
_GROWS = 1.5


@dataclass(frozen=True, slots=True)
class Kink:
    """The one-sided slopes at a kink, in order."""

    low: float
    high: float


def find_kink(functional: Functional, name: str, index: tuple[int, ...], step: float, noise: float) -> Kink | None:
    """Return the slopes on both sides where they stay apart as the step shrinks, or ``None``; 4 passes, order 2.

    Parameters
    ----------
    functional, name, index
        What is differentiated, and by which element.
    step
        The larger of the two steps compared; the smaller is half of it.
    noise
        Standard deviation of the noise in the function; gaps within it are none.
    """
    wide = _gap(functional, name, index, step)
    narrow = _gap(functional, name, index, step / 2)
    gap, before = abs(narrow[1] - narrow[0]), abs(wide[1] - wide[0])
    if gap <= 16 * noise / step or not _SHRINKS * before <= gap <= _GROWS * before:
        return None
    ends = [2 * near - far for near, far in zip(narrow, wide, strict=True)]
    return Kink(min(ends), max(ends))


def _gap(functional: Functional, name: str, index: tuple[int, ...], step: float) -> tuple[float, float]:
    return (
        forward_slope(functional, name, index, -step),
        forward_slope(functional, name, index, step),
    )
