"""The scalar that is differentiated: ``L = sum_j c_j . y_j(x)``, with outputs ``y_j`` and cotangents ``c_j``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Evaluate", "Functional", "spread"]

Array: TypeAlias = NDArray[Any]
Evaluate: TypeAlias = Callable[[Mapping[str, Array]], tuple[Array, ...]]


@dataclass(frozen=True, slots=True)
class Functional:
    """A forward pass together with the cotangents of its outputs.

    Attributes
    ----------
    evaluate
        Maps inputs by name to the outputs; must not keep or change what it is given.
    inputs
        The point, in the precision of the numerical side.
    cotangents
        One for each output, in the same precision.
    base
        The outputs at the point.
    """

    evaluate: Evaluate
    inputs: Mapping[str, Array]
    cotangents: tuple[Array, ...]
    base: tuple[Array, ...]

    def at(self, name: str, value: Array) -> tuple[Array, ...]:
        """Return the outputs with one input replaced, in the dtype of that input: code may accept no other."""
        return self.evaluate({**self.inputs, name: value.astype(self.inputs[name].dtype, copy=False)})

    def change(self, after: tuple[Array, ...], before: tuple[Array, ...]) -> float:
        """Return ``sum_j c_j . (after_j - before_j)``.

        Differences are taken output by output before they are summed: outputs that did not change cancel exactly,
        and only the others round.
        """
        total = 0.0
        for weight, new, old in zip(self.cotangents, after, before, strict=True):
            total = total + np.sum(weight * (new - old))
        return total

    @property
    def magnitude(self) -> float:
        """``max |c_j y_j|``, the size of the largest term of ``L``."""
        terms = zip(self.cotangents, self.base, strict=True)
        return max((float(np.max(np.abs(weight * output), initial=0.0)) for weight, output in terms), default=0.0)


def spread(value: Array) -> float:
    """Return the scale on which an input varies: its standard deviation, else its size, else 1.

    Not ``|x|``: data near 1e3 with a spread of 1 need a step that fits the spread.
    """
    deviation = float(np.std(value)) if value.size > 1 else 0.0
    if deviation > 0 and np.isfinite(deviation):
        return deviation
    size = float(np.max(np.abs(value), initial=0.0))
    return size if size > 0 and np.isfinite(size) else 1.0
