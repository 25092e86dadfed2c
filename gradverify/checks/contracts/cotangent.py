"""Contracts about how gradients follow the cotangent: a vector-Jacobian product is linear in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.finding import Finding, broken, kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gradverify.checks.contracts.differences import Arrays
    from gradverify.checks.contracts.look import Look

__all__ = ["linear_in_cotangent", "zero_cotangent"]

# Powers of two by which the cotangent is scaled at most: 2^60 is 1e18, beyond all thresholds and clips.
_LARGEST_POWER = 60
# A part of the range of a dtype that leaves room for what backward computes on the way.
_SHARE = 4


def linear_in_cotangent(look: Look) -> Finding | None:
    """Check that gradients follow a tiny, a huge negative and a sum of two cotangents.

    Powers of two round nowhere, so that only what is no multiplication can change the digits. Returns ``None`` where
    backward is not told the cotangent.
    """
    if not look.is_told:
        return None
    problems = list(_problems(look, fresh=False))
    if problems and look.is_reusable:
        problems = list(_problems(look, fresh=True))
    return broken(problems) if problems else kept("gradients are linear in the cotangent")


def _problems(look: Look, *, fresh: bool) -> Iterator[str]:
    wanted = _without_updates(look, look.gradients)
    power = _power(look)
    for scale, words in ((2.0**-power, f"2^-{power}"), (-(2.0**power), f"-2^{power}")):
        found = _without_updates(look, look.pulled(_times(look.trial.cotangents, scale), fresh=fresh))
        unscaled = {name: array / array.dtype.type(scale) for name, array in found.items()}
        yield from _said(look, unscaled, wanted, f"the cotangent times {words} gives {{}} times it")
    second = look.second_cotangents()
    both = tuple(one + other for one, other in zip(look.trial.cotangents, second, strict=True))
    alone, together = (_without_updates(look, look.pulled(weights, fresh=fresh)) for weights in (second, both))
    parts = {name: wanted[name] + alone[name] for name in wanted.keys() & alone.keys()}
    yield from _said(look, together, parts, "the sum of two cotangents gives {} times the sum of both gradients")


def _said(look: Look, found: Arrays, wanted: Arrays, template: str) -> Iterator[str]:
    """Yield a sentence for every gradient that is another than it should be, with its worst entry."""
    narrow = any(np.finfo(array.dtype).maxexp < 100 for array in wanted.values())
    for name in look.differ.gradients(found, wanted, otherwise=True):
        one, other = found.get(name[1:]), wanted.get(name[1:])
        if one is None or other is None or one.shape != other.shape:
            yield f"{name} changes its shape with the cotangent"
        elif not (narrow and not np.all(np.isfinite(one))):  # float16 overflows on the way
            yield f"{name} is not linear: {template.format(_ratio(one, other))}"


def _ratio(one: NDArray[Any], other: NDArray[Any]) -> str:
    """Return by what the worst entry is off, with its index; for messages."""
    with np.errstate(all="ignore"):
        gap = np.where(np.isfinite(one), np.abs(one - other), np.inf)
        index = np.unravel_index(int(np.argmax(gap)), one.shape)
        ratio = float(one[index] / other[index])
    return f"at [{', '.join(str(int(axis)) for axis in index)}] {ratio:.2g}"


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
    """Check that a cotangent of zeros gives gradients of exactly 0; ``None`` where backward is not told one."""
    if not look.is_told:
        return None
    try:
        found = look.pulled(_times(look.trial.cotangents, 0.0))
    except Exception as error:  # noqa: BLE001  user code that divides by the cotangent
        return broken([f"backward raises for a cotangent of zeros: {look.said(error)}"])
    problems = [_not_zero(name, array) for name, array in found.items() if not np.all(array == 0)]
    return broken(problems) if problems else kept("a cotangent of zeros gives gradients of 0")


def _not_zero(name: str, array: NDArray[Any]) -> str:
    wrong = array[array != 0]
    worst = wrong[np.argmax(np.where(np.isfinite(wrong), np.abs(wrong), np.inf))]
    return f"a cotangent of zeros gives {wrong.size} of {array.size} entries of d{name} that are not 0: {worst:.2g}"
