"""A built-in layer as a user's pair of functions, whose backward is off in one element, or right."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

import numpy as np
from spec_cases import functions

from gradverify.layers.registry import LAYERS

NOTHING = "the gradient is zero everywhere"
RIGHT: dict[str, Any] = {"input": None}


def forward(*inputs, layer, implementation, spoil, **params):
    """Run a built-in; ``spoil`` says which input's gradient backward spoils, and how."""
    chosen = _implementation(layer, implementation)
    out, cache = resolve_name(chosen.forward)(*inputs, **params)
    return out, (cache, chosen, differentiable(layer).index(spoil["input"]) if spoil["input"] else None, spoil)


def backward(dout, cache):
    """Multiply one entry of one gradient."""
    inner, chosen, position, spoil = cache
    gradients = list(resolve_name(chosen.backward)(dout, inner))
    if position is not None:
        gradients[position] = gradients[position].copy()
        gradients[position][place(gradients[position], spoil)] *= spoil["factor"]
    return gradients


def place(gradient, spoil) -> tuple[int, ...]:
    """Return the first entry in a random order that is at least ``least`` of the largest.

    The order does not depend on the values, so that a gradient is spoilt at the same place in every precision.
    """
    sizes = np.abs(gradient).ravel()
    if not np.any(sizes):
        raise ValueError(NOTHING)
    order = np.random.default_rng(spoil["seed"]).permutation(sizes.size)
    first = order[np.argmax(sizes[order] >= spoil["least"] * sizes.max())]
    return tuple(int(axis) for axis in np.unravel_index(first, gradient.shape))


def differentiable(layer: str) -> tuple[str, ...]:
    return tuple(role.name for role in LAYERS[layer].inputs if role.classes is None)


def _implementation(layer, name):
    (chosen,) = [item for item in LAYERS[layer].implementations if item.name == name]
    return chosen


def as_functions(entry: dict[str, Any], spoil: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a built-in as that of the functions above."""
    params = {**entry["params"], "layer": entry["layer"], "implementation": entry["implementation"], "spoil": spoil}
    return {
        "functions": functions("spoiled_layers", "forward", "backward"),
        "inputs": entry["inputs"],
        "params": params,
        "dtype": entry["dtype"],
    }
