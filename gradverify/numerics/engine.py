"""The interface of the numerical engine: a functional and its analytic gradients in, a finding an input out.

Which method runs: compression where the footprint makes it cheap, since it gives every element's own error; else a
certificate whose bound lies below the tolerance of every element, with an exact look at those for which it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.numerics.effort import MAX_PASSES, Effort
from gradverify.numerics.examination import Examination
from gradverify.numerics.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.numerics.functional import Array, Functional

__all__ = ["MAX_PASSES", "Effort", "Finding", "examine"]


def examine(functional: Functional, analytic: Mapping[str, Array], efforts: Mapping[str, Effort]) -> Iterator[Finding]:
    """Check the analytic gradients of some inputs against numerical ones.

    Parameters
    ----------
    functional
        What is differentiated.
    analytic
        By input, of the input's shape, in the precision of the numerical side.
    efforts
        How, by input.

    Yields
    ------
    Finding
        For every input, in order; ``inconclusive`` with its reason where the budget does not suffice.
    """
    if analytic:
        yield from Examination(functional, analytic, efforts).run()
