"""A target whose gradients mean a multiple of what they are: an average over the batch, say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.targets.handing import Hand
    from gradverify.targets.protocol import Array, Calls, Forward, Gradients, Target, Traits

__all__ = ["Scaled"]


@dataclass(frozen=True, slots=True)
class Scaled:
    """Multiplies the gradients of a target.

    Attributes
    ----------
    target
        The target itself.
    factors
        By the name of the input.
    """

    target: Target
    factors: Mapping[str, float]

    @property
    def calls(self) -> Calls:
        """How often the target was called."""
        return self.target.calls

    @property
    def own_inputs(self) -> Mapping[str, Array]:
        """Parameters of the target."""
        return self.target.own_inputs

    @property
    def unverified(self) -> tuple[str, ...] | None:
        """Arrays of the target that move its outputs and have no gradient that was found."""
        return self.target.unverified

    @property
    def traits(self) -> Traits:
        """What can be promised of the target."""
        return self.target.traits

    def handing(self, hand: Hand) -> Scaled:
        """Return the same, giving arrays to the code by another hand."""
        return replace(self, target=self.target.handing(hand))

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass."""
        return self.target.forward(inputs)

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Run the backward pass and multiply what it gives."""
        gradients = self.target.backward(cotangents, forward, inputs)
        values = dict(gradients.values)
        for name, factor in self.factors.items():
            if values.get(name) is not None:
                array = np.asarray(values[name])
                values[name] = array * array.dtype.type(factor) if array.dtype.kind == "f" else array
        return replace(gradients, values=values)
