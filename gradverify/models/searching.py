"""The smallest sizes at which every layer of a model is exact, found by reading it at one size after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.models.reading import read
from gradverify.models.requests import OnnxRequest, TorchRequest
from gradverify.numerics.geometry import axis_names, holds
from gradverify.results import Solution

if TYPE_CHECKING:
    from gradverify.models.requests import ModelRequest
    from gradverify.spec.site import Model, Shape

__all__ = ["SearchRequest", "search"]

# How many sizes are looked at: residuals return after the total stride of a network, and some layers need a few more.
_PERIODS = 4
_FEWEST, _MOST = 32, 256


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
    image = next(((name, shape) for name, shape in model.inputs if len(shape) > 2 and None not in shape[2:]), None)
    if image is None:
        return Solution(given=(), reason="no input has spatial axes whose lengths are known")
    name, shape = image
    axes = dict(zip(axis_names(len(shape) - 2), (int(length or 0) for length in shape[2:]), strict=True))
    found: dict[str, int] = {}
    tried = 0
    for step in range(_sizes(model, max(axes.values()))):
        if len(found) == len(axes) or time.monotonic() - began > asked.seconds:
            break
        lengths = {axis: found.get(axis, length + step) for axis, length in axes.items()}
        changed = read(_resized(asked.request, model, name, (*shape[:2], *lengths.values()))) if step else model
        tried += 1
        found |= {axis: lengths[axis] for axis in _exact(changed, axes) if axis not in found}
    given = tuple(axes.items())
    if len(found) == len(axes):
        return Solution(given=given, found=tuple((axis, found[axis]) for axis in axes), tried=tried)
    missing = ", ".join(f"{axis} = {axes[axis]} to {axes[axis] + tried - 1}" for axis in axes if axis not in found)
    return Solution(given=given, reason=f"none of {missing} is; the search ends there", tried=tried)


def _sizes(model: Model, length: int) -> int:
    """Return how many lengths are worth a look, from what the longest axis shrinks to."""
    outputs = (length for site in model.sites for length in (site.output_shape or ())[2:] if length)
    return max(_FEWEST, min(_PERIODS * -(-length // min(outputs, default=1)), _MOST))


def _exact(model: Model | str, axes: dict[str, int]) -> list[str]:
    """Return the axes along which every window is exact; none where a layer has a problem."""
    if isinstance(model, str) or any(site.problem is not None for site in model.sites):
        return []
    failing = {axis for site in model.sites for axis, window in site.windows if not holds(window)}
    return [axis for axis in axes if axis not in failing]


def _resized(request: ModelRequest, model: Model, name: str, shape: Shape) -> ModelRequest:
    """Return a request with another shape of one input, and those of the others as they are."""
    shapes = {other: tuple(int(length) for length in given if length is not None) for other, given in model.inputs}
    shapes[name] = tuple(1 if length is None else length for length in shape)
    if isinstance(request, OnnxRequest):
        given = {*request.input_shapes, *(other for other, _ in model.inputs[: len(request.in_order)])}
        known = {other: shapes[other] for other in shapes if other in given}
        return replace(request, input_shapes={**known, name: shapes[name]}, in_order=(), resizes=True)
    assert isinstance(request, TorchRequest)  # noqa: S101  there is no other kind
    dtypes = {other: dtype for (other, _), (_, _, dtype) in zip(model.inputs, request.input_shapes, strict=False)}
    inputs = tuple((other, lengths, dtypes.get(other, "")) for other, lengths in shapes.items())
    return replace(request, input_shapes=inputs)
