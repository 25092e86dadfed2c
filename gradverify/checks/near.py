"""The gradients of a case from near by: where each is wrong, and how its numerical side depends on the step.

Nothing here changes a verdict: it runs when all of them are known.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.numerics.error_grid import error_grid
from gradverify.numerics.sampling import stream
from gradverify.numerics.step_curve import step_curve
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradverify.numerics.findings import Finding
    from gradverify.results import CaseResult, GradientCheck
    from gradverify.spec.model import Case

__all__ = ["from_near"]

# Seconds that the curve of one input may take.
_PATIENCE = 5.0


def from_near(case: Case, result: CaseResult, findings: Iterable[Finding]) -> CaseResult:
    """Return a result whose gradients show themselves from near by.

    Curves take passes, and so no more than half of what is left of the case's time; code that raised is not run again.

    Parameters
    ----------
    case
        With its seed and its timeout.
    result
        What was found about it.
    findings
        About its gradients, in their order.
    """
    until = time.perf_counter() + (case.timeout - result.seconds) / 2 if result.verdict is not Verdict.ERROR else 0.0
    shown = (
        _shown(case, check, finding, min(_PATIENCE, until - time.perf_counter()))
        for check, finding in zip(result.gradients, findings, strict=True)
    )
    return replace(result, gradients=tuple(shown))


def _shown(case: Case, check: GradientCheck, finding: Finding, seconds: float) -> GradientCheck:
    if finding.nearby is None:
        return check
    random = stream(case.seed, "near", case.name, check.input)
    try:
        curve = step_curve(finding.nearby, finding.check, random, seconds) if seconds > 0 else None
        return replace(check, error_grid=error_grid(finding.nearby), step_curve=curve)
    except MemoryError:  # a verdict is worth more
        return check
