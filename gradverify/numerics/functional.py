"""The scalar that is differentiated: ``L = sum_j c_j . y_j(x)``, with outputs ``y_j`` and cotangents ``c_j``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Evaluate", "Functional", "flat", "root_mean_square", "spread"]

# How much larger than 1 and all inputs an output must be to be worth a pass that shows whether it is a constant, and
# how far the inputs move then, in units of their spread.
_DWARFS, _NEAR = 1e6, 2.0**-8

Array: TypeAlias = NDArray[Any]
Evaluate: TypeAlias = Callable[[Mapping[str, Array]], tuple[Array, ...]]


@dataclass(frozen=True)
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

    def at(self, name: str, value: Array) -> Array:
        """Return all outputs in one row with one input replaced, in that input's dtype: code may accept no other."""
        return self.moved({name: value})

    def moved(self, values: Mapping[str, Array]) -> Array:
        """Return all outputs in one row with some inputs replaced, each in the dtype that it has."""
        cast = {name: value.astype(self.inputs[name].dtype, copy=False) for name, value in values.items()}
        return flat(self.evaluate({**self.inputs, **cast}))

    def tried(self, values: Mapping[str, Array]) -> Array | None:
        """Return what :meth:`moved` does, or ``None`` where the code raises: it may check its domain, or its dtypes."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                return self.moved(values)
        except Exception:  # noqa: BLE001  user code, where it was not written for
            return None

    @cached_property
    def weights(self) -> Array:
        """The cotangents of all outputs in one row."""
        return flat(self.cotangents)

    @cached_property
    def middle(self) -> Array:
        """The outputs at the point in one row."""
        return flat(self.base)

    @cached_property
    def parts(self) -> tuple[slice, ...]:
        """Where in a row each output lies."""
        ends = np.cumsum([output.size for output in self.base])
        return tuple(slice(int(end) - output.size, int(end)) for end, output in zip(ends, self.base, strict=True))

    @cached_property
    def still(self) -> Array:
        """Which outputs are far larger than all inputs and do not move: masks of ``-1e9``, say; 1 pass if any.

        They round nothing that any derivative is made of, and nothing is to be measured by them. What stands still at
        1 may be saturated, and does round.
        """
        inputs = (
            float(np.max(np.abs(value), initial=0.0)) for value in self.inputs.values() if value.dtype.kind == "f"
        )
        large = np.abs(self.middle) > _DWARFS * max([1.0, *inputs])
        after = self.tried(self._beside) if np.any(large) else None
        return large & (after == self.middle) if after is not None else np.zeros(large.shape, dtype=bool)

    @cached_property
    def terms(self) -> Array:
        """``c_j y_j`` of all outputs in one row; 0 for constants that dwarf others."""
        with np.errstate(over="ignore"):
            return np.asarray(np.where(self.still, 0.0, self.weights) * self.middle)

    @property
    def _beside(self) -> dict[str, Array]:
        """A point beside this one, in no special direction."""
        random, moved = np.random.default_rng(0), {}
        for name, value in self.inputs.items():
            if value.dtype.kind == "f":
                moved[name] = value + _NEAR * spread(value) * random.standard_normal(value.shape)
        return moved

    @cached_property
    def magnitude(self) -> float:
        """``max |c_j y_j|``, the size of the largest term of ``L``."""
        return float(np.max(np.abs(self.terms), initial=0.0))

    def change(self, after: Array, before: Array) -> float:
        """Return ``sum_j c_j . (after_j - before_j)``.

        Differences are taken output by output before they are summed: outputs that did not change cancel exactly,
        and only the others round.
        """
        return float(np.sum(self.weights * (after - before)))


def flat(outputs: Sequence[Array]) -> Array:
    """Return arrays in one row; a view where there is one array."""
    if len(outputs) == 1:
        return np.ravel(outputs[0])
    return np.concatenate([np.ravel(output) for output in outputs]) if outputs else np.zeros(0)


def root_mean_square(values: Array) -> float:
    """Return ``sqrt(mean(v^2))``, 0 where there are none."""
    return float(np.sqrt(np.mean(np.abs(values) ** 2))) if values.size else 0.0


def spread(value: Array) -> float:
    """Return the scale on which an input varies: its standard deviation, else its size, else 1.

    Not ``|x|``: data near 1e3 with a spread of 1 need a step that fits the spread.
    """
    deviation = float(np.std(value)) if value.size > 1 else 0.0
    if deviation > 0 and np.isfinite(deviation):
        return deviation
    size = float(np.max(np.abs(value), initial=0.0))
    return size if size > 0 and np.isfinite(size) else 1.0
