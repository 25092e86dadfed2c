"""Results of cases, made without running any."""

from __future__ import annotations

from dataclasses import replace

from gradverify.results import CaseResult, Verdict


def case_result(**changes) -> CaseResult:
    """Return the result of a case that passes, but for some changes."""
    made = CaseResult(
        id="a",
        name="a",
        spec="a.yaml",
        line=1,
        target="conv2d",
        verdict=Verdict.PASS,
        reason=None,
        expect=Verdict.PASS,
        params={},
        sweep={},
    )
    return replace(made, **changes)
