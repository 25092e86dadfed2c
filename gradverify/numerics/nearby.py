"""What a finding was made from, kept for those who ask to see it from near by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradverify.numerics.error_bar import rounding
from gradverify.numerics.routes import Derivative, Manner, difference_manner
from gradverify.results import Verdict

if TYPE_CHECKING:
    from gradverify.numerics.comparison import Comparison
    from gradverify.numerics.differences import Estimate
    from gradverify.numerics.functional import Array, Functional
    from gradverify.results import GradientCheck

__all__ = ["Nearby"]


@dataclass(frozen=True, slots=True)
class Nearby:
    """The numbers behind a finding, in the units of the engine.

    Attributes
    ----------
    functional, name
        What was differentiated, and by which input.
    analytic
        The gradient under test, of the input's shape.
    estimate, comparison
        Its numerical side and what came of comparing both, flat.
    manner
        By which derivative the first look was taken; ``None`` for a certificate.
    everything
        Whether every element was compared; of a certificate most often only the worst entry is known.
    unit
        What gradients here are to be multiplied by.
    """

    functional: Functional
    name: str
    analytic: Array
    estimate: Estimate
    comparison: Comparison
    manner: Manner | None = None
    everything: bool = True
    unit: float = 1.0

    def element(self, check: GradientCheck) -> int | None:
        """Return the flat index of the element that tells most; ``None`` where no element is known.

        The worst entry of a gradient that fails, else the one with the widest error bar relative to what is allowed, of
        those in doubt where some are.
        """
        if check.verdict is Verdict.FAIL and check.worst is not None:
            return int(np.ravel_multi_index(check.worst.index, self.analytic.shape))
        known = np.isfinite(self.comparison.numerical)
        if not self.everything or not np.any(known):
            return None
        with np.errstate(divide="ignore", invalid="ignore"):  # where no difference is allowed; where any is
            share = np.nan_to_num(self.estimate.bar / self.comparison.allowed, nan=1.0)
        doubtful = known & self.comparison.inconclusive
        return int(np.argmax(np.where(doubtful if np.any(doubtful) else known, share, -1.0)))

    def by_differences(self, random: np.random.Generator) -> Manner:
        """Return how differences of this input are taken: as the engine took them, else as it would; up to 21 passes.

        Code that raises where it is moved to see how noisy it is counts as one that does nothing but round.
        """
        if self.manner is not None and self.manner.derivative is Derivative.DIFFERENCES:
            return self.manner
        try:
            return difference_manner(self.functional, self.name, random)
        except Exception:  # noqa: BLE001  user code, which need not take what the verdict did not ask of it
            least = rounding(self.functional)
            return Manner(Derivative.DIFFERENCES, self.functional, 0.0, least, np.zeros(0))
