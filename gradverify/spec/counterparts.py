"""The layer that a case is compared with: what it is called with, and how its arrays lie beside the case's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.target_model import Target

__all__ = ["Arrangement", "At", "Counterpart"]


@dataclass(frozen=True, slots=True)
class At:
    """The parameter of the case at a dotted path."""

    path: str


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How an array of a case lies beside that of its counterpart.

    Attributes
    ----------
    order
        For each axis of the counterpart's array, which of the case's it is, not counting axes that only the case has.
    lengths
        The shape of the case's array without those axes, which have length 1; ``None``: it has none.
    """

    order: tuple[int, ...]
    lengths: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterpart:
    """A layer of the same kind as the case's.

    Attributes
    ----------
    name
        What it is called in messages.
    target
        What computes it.
    params
        Its parameters; ``At`` stands for what the case has at a path.
    unmapped
        Parameters for which the case says nothing, so that they have their defaults.
    inputs
        The case's input by the counterpart's name for it; the others are the object's own.
    arrangements
        By the counterpart's name, for inputs that do not lie alike.
    output
        For each axis of the counterpart's output, which axis of the case's it is; ``None`` where they lie alike.
    compared
        Whether outputs and gradients must equal its own; otherwise only what they depend on.
    """

    name: str
    target: Target
    params: Mapping[str, Any] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    arrangements: Mapping[str, Arrangement] = field(default_factory=dict)
    output: tuple[int, ...] | None = None
    compared: bool = True
