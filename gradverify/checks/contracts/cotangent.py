"""Contracts about how gradients follow the cotangent: a vector-Jacobian product is linear in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.finding import Finding, broken, kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.checks.contracts.differences import Arrays
    from gradverify.checks.contracts.look import Look

__all__ = ["linear_in_cotangent", "zero_cotangent"]

# Powers of two by which the cotangent is scaled at most: 2^60 is 1e18, beyond all thresholds and clips.
_LARGEST_POWER = 60
# A part of the range of a dtype that leaves room for what backward computes on the way.
_SHARE = 3
# How often what backward leaves without a cotangent may separate two of its gradients.
_LEFT_OVER = 4
# Exponents below which a dtype is narrow: float16.
_NARROW = 100


def linear_in_cotangent(look: Look) -> Finding | None:
    """Check that gradients follow a tiny, a huge negative and a sum of two cotangents.

    Powers of two round nowhere, so that only what is no multiplication can change the digits. Returns ``None`` where
    backward is not told the cotangent.
    """
    if not look.is_told:
        return None
    problem = _problem(look, fresh=False)
    if problem and look.is_reusable:
        problem = _problem(look, fresh=True)
    return broken([problem]) if problem else kept("gradients are linear in the cotangent")


def _problem(look: Look, *, fresh: bool) -> str | None:
    """Return what is wrong with the first cotangent that gradients do not follow."""
    own, weights = _without_updates(look, look.gradients), look.trial.cotangents
    power = _power(look)
    for scale, words in ((2.0**-power, f"2^-{power}"), (-(2.0**power), f"-2^{power}")):
        found = _without_updates(look, look.pulled(_times(weights, scale), fresh=fresh))
        problem = _said(look, found, own, scale, f"times {words}")
        if problem:
            return problem
    second = look.second_cotangents()
    both = tuple(one + other for one, other in zip(weights, second, strict=True))
    alone, together = (_without_updates(look, look.pulled(weights, fresh=fresh)) for weights in (second, both))
    parts = {name: own[name] + alone[name] for name in own if name in alone and alone[name].shape == own[name].shape}
    return _said(look, together, parts, 1.0, "plus another, whose gradients are known,")


def _said(look: Look, found: Arrays, wanted: Arrays, scale: float, which: str) -> str | None:
    """Say which gradients are others than ``scale`` times those wanted, with the worst entry of the first."""
    unscaled = {name: array / array.dtype.type(scale) for name, array in found.items()}
    wrong = [name[1:] for name in look.differ.gradients(unscaled, wanted, otherwise=True)]
    wrong = [name for name in wrong if not _overflows(found.get(name))]
    wrong = [name for name in wrong if not _is_left_over(look, name, found.get(name), wanted.get(name), scale)]
    if not wrong:
        return None
    names, first = ", ".join(f"d{name}" for name in wrong), wrong[0]
    said = f"{names} {'is' if len(wrong) == 1 else 'are'} not linear in the cotangent: {which} it gives"
    one, other = found.get(first), wanted.get(first)
    if one is None or other is None or one.shape != other.shape:
        return f"{said} d{first} another shape"
    index = _worst(unscaled[first], other)
    place = ", ".join(str(axis) for axis in index)
    return f"{said} d{first}[{place}] = {one[index]:.3g}, expected {other[index] * other.dtype.type(scale):.3g}"


def _is_left_over(look: Look, name: str, found: NDArray[Any] | None, wanted: NDArray[Any] | None, scale: float) -> bool:
    """Return whether nothing but the rounding separates two gradients that backward leaves without any cotangent."""
    left = look.left_over.get(name, 0.0)
    if not left or found is None or wanted is None or found.shape != wanted.shape:
        return False
    return float(np.max(np.abs(found - wanted * wanted.dtype.type(scale)), initial=0.0)) <= _LEFT_OVER * left


def _overflows(array: NDArray[Any] | None) -> bool:
    """Return whether a gradient is too large for float16, which backward may have left on the way."""
    return array is not None and np.finfo(array.dtype).maxexp < _NARROW and not bool(np.all(np.isfinite(array)))


def _worst(one: NDArray[Any], other: NDArray[Any]) -> tuple[int, ...]:
    with np.errstate(all="ignore"):
        gap = np.where(np.isfinite(one), np.abs(one - other), np.inf)
    return tuple(int(axis) for axis in np.unravel_index(int(np.argmax(gap)), one.shape))


def _power(look: Look) -> int:
    """Return a power of two that leaves the narrowest dtype in use enough of its range."""
    arrays = (*look.gradients.values(), *look.trial.cotangents, *look.trial.forward.outputs)
    narrowest = min((np.finfo(array.dtype).maxexp for array in arrays if array.dtype.kind == "f"), default=0)
    return min(narrowest // _SHARE, _LARGEST_POWER)


def _times(cotangents: tuple[NDArray[Any], ...], scale: float) -> tuple[NDArray[Any], ...]:
    return tuple(weight * weight.dtype.type(scale) for weight in cotangents)


def _without_updates(look: Look, gradients: Arrays) -> Arrays:
    """Return gradients without those that backward took off the parameters: a difference rounds them to that size."""
    return {name: array for name, array in gradients.items() if name not in look.traits.updated}


def zero_cotangent(look: Look) -> Finding | None:
    """Check that a cotangent of zeros gives gradients of 0; ``None`` where backward is not told one.

    What lies below the last digit of the gradients of the case is rounding: that of a sum which vanishes, say.
    """
    if not look.is_told:
        return None
    try:
        found = look.pulled(_times(look.trial.cotangents, 0.0))
    except Exception as error:  # noqa: BLE001  user code that divides by the cotangent
        return broken([f"backward raises for a cotangent of zeros: {look.said(error)}"])
    problems = [
        _not_zero(name, array) for name, array in found.items() if np.any(array != 0) and name not in look.left_over
    ]
    return broken(problems) if problems else kept("a cotangent of zeros gives gradients of 0")


def _not_zero(name: str, array: NDArray[Any]) -> str:
    wrong = array[array != 0]
    worst = wrong[np.argmax(np.where(np.isfinite(wrong), np.abs(wrong), np.inf))]
    return f"a cotangent of zeros gives {wrong.size} of {array.size} entries of d{name} that are not 0: {worst:.2g}"
