"""Central differences from the steps really taken.

Offsets are ``-2h, -h, h, 2h``. With ``D(h) = (f(x + h) - f(x - h)) / (h+ - h-)``, of order 2, the combination
``(4 D(h) - D(2h)) / 3`` has order 4 (Fornberg, 1988), and ``|D(h) - D(2h)| / 3`` estimates the error of ``D(h)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gradverify.numerics.functional import Array, Functional

__all__ = ["Slope", "central", "five_point", "forward_slope", "moved_outputs", "one_sided", "power_of_two"]


@dataclass(frozen=True, slots=True)
class Slope:
    """A derivative with order 4, and what the passes it was made from say about its error.

    Attributes
    ----------
    value
        The derivative.
    second_order_error
        Estimated error of the derivative of order 2.
    corner
        How far apart the slopes on both sides stay when the step goes to 0: of order ``h^3`` where the function is
        smooth, about the size of the kink where one lies within the stencil. Central differences alone cannot tell:
        at a kink they agree, at every step, on the mean of both slopes.
    """

    value: float
    second_order_error: float
    corner: float


def power_of_two(value: float) -> float:
    """Return the power of two nearest below a positive number; steps of this form are exact for most data."""
    return float(2.0 ** np.floor(np.log2(value)))


def central(functional: Functional, name: str, index: tuple[int, ...], step: float) -> float:
    """Return ``(f(x + h) - f(x - h)) / (h+ - h-)`` with the steps really taken; 2 passes, order 2."""
    return _symmetric(functional, name, index, step)[0]


def _symmetric(functional: Functional, name: str, index: tuple[int, ...], step: float) -> tuple[float, float]:
    """Return the central difference, and the slope on the right less that on the left; 2 passes."""
    after, up = _moved(functional, name, index, step)
    before, down = _moved(functional, name, index, -step)
    right, left = functional.change(after, functional.base) / up, functional.change(before, functional.base) / down
    return float(functional.change(after, before) / (up - down)), float(right - left)


def five_point(functional: Functional, name: str, index: tuple[int, ...], step: float) -> Slope:
    """Return the derivative by one input element from the offsets ``±h, ±2h``; 4 passes, order 4."""
    inner, bend = _symmetric(functional, name, index, step)
    outer, bent = _symmetric(functional, name, index, 2 * step)
    return Slope((4 * inner - outer) / 3, abs(inner - outer) / 3, abs(2 * bend - bent))


def forward_slope(functional: Functional, name: str, index: tuple[int, ...], step: float) -> float:
    """Return ``(f(x + h) - f(x)) / h+``, exact to rounding where ``f`` is affine; 1 pass. ``step`` may be negative."""
    after, taken = _moved(functional, name, index, step)
    return float(functional.change(after, functional.base) / taken)


def one_sided(functional: Functional, name: str, index: tuple[int, ...], step: float) -> tuple[Array, ...]:
    """Return the slope ``c_j (y_j(x + h) - y_j(x)) / h+`` of every term; 1 pass. ``step`` may be negative."""
    after, taken = _moved(functional, name, index, step)
    parts = zip(functional.cotangents, after, functional.base, strict=True)
    return tuple(np.asarray(weight * (new - middle) / taken) for weight, new, middle in parts)


def moved_outputs(functional: Functional, name: str, index: tuple[int, ...], step: float) -> tuple[Array, ...]:
    """Return, as a mask for each output, which entries move when one element does, either way; 2 passes."""
    after, _ = _moved(functional, name, index, step)
    before, _ = _moved(functional, name, index, -step)
    parts = zip(after, before, functional.base, strict=True)
    return tuple((new != middle) | (old != middle) for new, old, middle in parts)


def _moved(
    functional: Functional, name: str, index: tuple[int, ...], step: float
) -> tuple[tuple[Array, ...], np.floating]:
    """Return the outputs with one element moved, and how far it really moved."""
    moved = functional.inputs[name].copy()
    old = moved[index]
    moved[index] = old + step
    if moved[index] == old:  # below the spacing of numbers here: the least step that there is
        moved[index] = np.nextafter(old, np.copysign(np.inf, step).astype(moved.dtype))
    return functional.at(name, moved), moved[index] - old
