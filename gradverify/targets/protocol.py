"""What every target offers to the checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Array", "Calls", "Forward", "Gradients", "Target"]

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Forward:
    """What a forward pass returned.

    Attributes
    ----------
    outputs
        The outputs, as arrays of their own.
    cache
        What backward gets, where ``has_cache``.
    gradient
        What a loss returned as its own gradient, where ``has_gradient``.
    unweighted
        Numbers of the outputs whose cotangent backward is not told, while it is told that of others: it is 0.
    summed
        Whether the analytic gradient is that of the sum of the outputs, because no cotangent enters it.
    """

    outputs: tuple[Array, ...]
    cache: Any = None
    has_cache: bool = False
    gradient: Any = None
    has_gradient: bool = False
    summed: bool = False
    unweighted: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Gradients:
    """What a backward pass returned, by input.

    Attributes
    ----------
    values
        As returned, for every input for which something was.
    problem
        What is wrong with their number or their names, or ``None``.
    """

    values: Mapping[str, Any]
    problem: str | None = None


@dataclass(slots=True)
class Calls:
    """How often forward and backward were called."""

    forward: int = field(default=0)
    backward: int = field(default=0)


class Target(Protocol):
    """A forward pass and the analytic gradient that belongs to it.

    Attributes
    ----------
    calls
        How often each was called.
    own_inputs
        Parameters that the target has and the case does not name; inputs like the others, each with a gradient.
    unverified
        What is to be said of arrays that move the outputs and have no gradient that was found; ``None`` where that was
        not looked for.
    """

    @property
    def calls(self) -> Calls: ...
    @property
    def own_inputs(self) -> Mapping[str, Array]: ...
    @property
    def unverified(self) -> tuple[str, ...] | None: ...

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass on copies of the inputs."""

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Run the backward pass that belongs to a forward pass."""
