"""What every target offers to the checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.targets.handing import Hand

__all__ = ["LAYOUTS", "Array", "Calls", "Forward", "Gradients", "Target", "Traits"]

Array: TypeAlias = NDArray[Any]

# Ways in which arrays of numpy can lie in memory.
LAYOUTS = ("fortran", "strided", "reversed", "read-only")


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


@dataclass(frozen=True, slots=True)
class Traits:
    """What a target is, as far as that decides what can be promised of it.

    Attributes
    ----------
    keeps
        Whether what forward returned may serve several backward passes, and others may come in between: a cache, or an
        object of its own. Not where one object serves all passes, nor where backward runs forward itself.
    is_object
        Whether it is an object, which may keep a state by design.
    differentiated
        Whether a framework differentiates it.
    told
        Whether backward itself is told the cotangent, and does not return derivatives that are multiplied with it.
    updated
        Inputs whose gradient is what backward takes off them.
    parameters
        Inputs that an object or module holds as its parameters.
    layouts
        Those of ``LAYOUTS`` in which arrays can reach the code.
    """

    keeps: bool = True
    is_object: bool = False
    differentiated: bool = False
    told: bool = True
    updated: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    layouts: tuple[str, ...] = LAYOUTS


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
    @property
    def traits(self) -> Traits: ...

    def handing(self, hand: Hand) -> Target:
        """Return this target, handing arrays to its code in another manner; calls are counted together."""

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass on copies of the inputs."""

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Run the backward pass that belongs to a forward pass."""
