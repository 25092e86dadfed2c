"""How hard a gradient is checked, and what is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from gradverify.numerics.comparison import Bounds
    from gradverify.numerics.functional import Array

__all__ = ["MAX_PASSES", "Effort"]

# Forward passes for one look at an input's gradient; beyond this the check says so instead of running on.
MAX_PASSES = 100_000


@dataclass(frozen=True, slots=True)
class Effort:
    """How a gradient is to be checked.

    Attributes
    ----------
    bounds
        What is allowed.
    random
        Stream for directions.
    budget
        Forward passes allowed for one look: at all elements, along directions, or for what is wrong.
    method
        ``auto``, ``dense``, ``compressed`` or ``certificate``.
    reference
        The analytic gradient in the precision of the numerical side, where the one under test is not.
    """

    bounds: Bounds
    random: np.random.Generator
    budget: int = MAX_PASSES
    method: str = "auto"
    reference: Array | None = None
