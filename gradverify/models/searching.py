"""The smallest sizes at which every layer of a model is exact, found by reading it at one size after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.models.reading import read
from gradverify.models.requests import reshaped
from gradverify.numerics.geometry import axis_names, holds
from gradverify.results import Solution
from gradverify.spec.site import image_of

if TYPE_CHECKING:
    from gradverify.models.requests import ModelRequest
    from gradverify.spec.site import Model

__all__ = ["SearchRequest", "search"]

# How many sizes are looked at: residuals return after the total stride of a network, and some layers need a few more.
_PERIODS = 4
_FEWEST, _MOST = 32, 256
# Of layers that stand in the way.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """Search for exact sizes of a model.

    Attributes
    ----------
    request
        Reads the model as it is.
    seconds
        How long the search may take; then it is given up.
    """

    request: ModelRequest
    seconds: float


def search(asked: SearchRequest) -> Solution | str:
    """Return the smallest lengths of the first image that enters a model, or why none were found.

    All its spatial axes grow together, one step at a time, and each is done at its first length from the given one on
    at which the identity of every window along it holds, while no layer has a problem. Nothing is proved: a model is
    read, not understood, so the search ends a few total strides on.
    """
    began = time.monotonic()
    model = read(asked.request)
    if isinstance(model, str):
        return model
    name, shape = image_of(model.inputs)
    if not shape or None in shape[2:]:
        return Solution(given=(), reason="no input has spatial axes whose lengths are known")
    axes = dict(zip(axis_names(len(shape) - 2), (int(length or 0) for length in shape[2:]), strict=True))
    found: dict[str, int] = {}
    tried, stubborn = 0, _violated(model)
    changed: Model | str = model
    for step in range(_sizes(model, max(axes.values()))):
        if len(found) == len(axes) or time.monotonic() - began > asked.seconds:
            break
        lengths = {axis: found.get(axis, length + step) for axis, length in axes.items()}
        if step:
            changed = read(reshaped(asked.request, model, {name: (*shape[:2], *lengths.values())}))
        tried += 1
        stubborn &= _violated(changed)
        found |= {axis: lengths[axis] for axis in _exact(changed, axes) if axis not in found}
    if len(found) == len(axes):
        return Solution(given=tuple(axes.items()), found=tuple((axis, found[axis]) for axis in axes), tried=tried)
    missing = ", ".join(f"{axis} = {axes[axis]} to {axes[axis] + tried - 1}" for axis in axes if axis not in found)
    reason = f"none of {missing} is; the search ends there{_hindrance(changed, stubborn)}"
    return Solution(given=tuple(axes.items()), reason=reason, tried=tried)


def _violated(model: Model | str) -> set[tuple[str, str]]:
    """Return the layers and axes whose identity does not hold."""
    sites = () if isinstance(model, str) else model.sites
    return {(site.name, axis) for site in sites for axis, window in site.windows if not holds(window)}


def _hindrance(model: Model | str, stubborn: set[tuple[str, str]]) -> str:
    """Say what stands in the way of any size: at the last one that was read, or at every one of them."""
    if isinstance(model, str):
        return f", where the model cannot be read: {model}"
    wrong = next((site for site in model.sites if site.problem is not None), None)
    if wrong is not None:
        return f", where {wrong.name} has a problem: {wrong.problem}"
    named = [site.name for site in model.sites if any((site.name, axis) in stubborn for axis, _ in site.windows)]
    return f"; violated at every one of them: {', '.join(named[:_MOST_NAMED])}" if named else ""


def _sizes(model: Model, length: int) -> int:
    """Return how many lengths are worth a look, from what the longest axis shrinks to."""
    # What comes in, not what comes out: a pool over all that is left has one output, whatever the strides before it.
    entering = (length for site in model.sites for length in (site.input_shape or ())[2:] if length)
    return max(_FEWEST, min(_PERIODS * -(-length // min(entering, default=1)), _MOST))


def _exact(model: Model | str, axes: dict[str, int]) -> list[str]:
    """Return the axes along which every window is exact; none where a layer has a problem."""
    if isinstance(model, str) or any(site.problem is not None for site in model.sites):
        return []
    failing = {axis for _, axis in _violated(model)}
    return [axis for axis in axes if axis not in failing]
