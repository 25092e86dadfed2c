"""A network or model as a whole: what the geometry of each of its layers comes to together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Inputs", "Network", "NetworkLayer", "Shape", "Solution"]

# Lengths; None where a length is not known.
Shape: TypeAlias = tuple[int | None, ...]
# Names and shapes of what goes in.
Inputs: TypeAlias = tuple[tuple[str, Shape], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLayer:
    """One layer of a network, in the order in which data pass through it.

    Attributes
    ----------
    name, op
        What it is called, and what it does.
    case
        Id of the case that judges it; ``None`` where it has no windows and no problem.
    input_shape, output_shape
        Of its first input and output; ``None`` where even the number of axes is not known.
    receptive_field, total_stride, offset
        For every spatial axis: how many elements of the network's input one element of its output depends on; how far
        in the input two neighbouring outputs lie apart (``"1/2"`` where a transposed layer makes more than there are);
        and the first element that the first output depends on, negative in the padding. ``None`` for an axis, or empty,
        where they are not known.
    notes
        Sentences about what comes out, each with its axes: how far a decoder comes back to the length it undoes.
    """

    name: str
    op: str
    case: str | None = None
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    receptive_field: tuple[int | None, ...] = ()
    total_stride: tuple[int | str | None, ...] = ()
    offset: tuple[int | None, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """What a search for exact sizes found.

    Attributes
    ----------
    given
        Name and length of every axis of the input; of a dim that several have as their length, once.
    found
        The smallest lengths at or above these at which every layer is exact; ``None`` where there are none, or where
        the search was given up.
    reason
        Why there are none, or that the search was given up.
    proved
        Whether it is proved that there are none.
    tried
        How many lengths were looked at.
    """

    given: tuple[tuple[str, int], ...]
    found: tuple[tuple[str, int], ...] | None = None
    reason: str | None = None
    proved: bool = False
    tried: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network or model.

    Attributes
    ----------
    id, spec
        Its id, which begins the ids of its layers' cases, and the file or factory it comes from.
    inputs
        Names and shapes of what goes in.
    layers
        Its layers: all of those of a spec, and of a model those that have windows or a problem.
    solution
        What ``--solve`` found; ``None`` where nobody asked.
    """

    id: str
    spec: str
    inputs: Inputs
    layers: tuple[NetworkLayer, ...]
    solution: Solution | None = None
