"""The interface of the numerical engine: a functional and its analytic gradients in, a finding an input out.

Which method runs: compression where the footprint makes it cheap, since it gives every element's own error; else a
certificate whose bound lies below the tolerance of every element, with an exact look at those for which it does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.effort import MAX_PASSES, Effort
from gradverify.numerics.examination import Examination
from gradverify.numerics.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.numerics.functional import Array, Functional

__all__ = ["MAX_PASSES", "Effort", "Finding", "examine"]


# Exponent of 2 beyond which terms, squared and added up, may leave the range of numbers; and that which units keep to.
_LARGEST, _RANGE = 300, 1000


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
    if not analytic:
        return
    unit = _unit(functional)
    scaled = replace(functional, cotangents=tuple(weight / unit for weight in functional.cotangents))
    claims = {name: value / unit for name, value in analytic.items()}
    measured = {name: _in_units(effort, unit) for name, effort in efforts.items()}
    for finding in Examination(scaled, claims, measured).run():
        yield finding.times(unit)


def _unit(functional: Functional) -> float:
    """Return the unit in which everything is to be measured: 1, but where squares would leave the range of numbers."""
    _, exponent = np.frexp(functional.magnitude)
    return float(2.0 ** np.clip(exponent, -_RANGE, _RANGE)) if abs(exponent) > _LARGEST else 1.0


def _in_units(effort: Effort, unit: float) -> Effort:
    reference = None if effort.reference is None else effort.reference / unit
    return replace(effort, bounds=replace(effort.bounds, floor=effort.bounds.floor / unit), reference=reference)
