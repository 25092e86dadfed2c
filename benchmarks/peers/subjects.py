"""The code under test: built-in layers as one forward and one backward function, counted, right or with a bug.

Every peer calls these, gradverify by their names in a spec, so that all of them run the same numpy code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pkgutil import resolve_name
from typing import Any

import numpy as np
from bugs import BUGS

from gradverify.layers.registry import LAYERS

__all__ = ["LEDGER", "Ledger", "backward", "forward"]


@dataclass(slots=True)
class Ledger:
    """What has been called since ``clear``.

    Attributes
    ----------
    forward
        Number of forward passes.
    largest
        Largest entry of each gradient that the first backward pass returned, by input.
    """

    forward: int = 0
    largest: dict[str, float] = field(default_factory=dict)

    def clear(self) -> None:
        """Begin anew."""
        self.forward, self.largest = 0, {}


LEDGER = Ledger()


@dataclass(frozen=True, slots=True)
class _Kept:
    """The cache of a built-in, and what made it."""

    layer: str
    bug: str | None
    inner: Any


def forward(*inputs: np.ndarray, layer: str, bug: str | None = None, **params: Any) -> tuple[np.ndarray, _Kept]:
    """Run the forward pass of a built-in in its fast implementation."""
    LEDGER.forward += 1
    out, inner = _functions(layer)[0](*inputs, **params)
    return out, _Kept(layer, bug, inner)


def backward(dout: np.ndarray, kept: _Kept) -> tuple[np.ndarray, ...]:
    """Run its backward pass, and make the mistake where there is one."""
    gradients = _right(kept.layer, dout, kept.inner)
    if not LEDGER.largest:
        LEDGER.largest = {name: float(np.max(np.abs(value))) for name, value in gradients.items()}
    if kept.bug is not None:
        gradients |= BUGS[kept.bug].spoil(lambda *given: _right(kept.layer, *given), dout, kept.inner)
    return tuple(gradients.values())


def _right(layer: str, dout: np.ndarray, inner: Any) -> dict[str, np.ndarray]:
    names = (role.name for role in LAYERS[layer].inputs)
    return dict(zip(names, _functions(layer)[1](dout, inner), strict=True))


@cache
def _functions(layer: str) -> tuple[Any, Any]:
    (chosen,) = (item for item in LAYERS[layer].implementations if item.name == LAYERS[layer].fast)
    return resolve_name(chosen.forward), resolve_name(chosen.backward)
