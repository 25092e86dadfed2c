"""What turns findings into a verdict: warnings, geometry, expectations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.numerics.geometry import describe_violation
from gradverify.results import CaseResult, FailOn, GeometrySeverity, Severity, Verdict

if TYPE_CHECKING:
    from gradverify.spec.model import Case

__all__ = ["Policy", "policy_for", "settle"]

_FAILING = {
    FailOn.IDENTITY: {
        GeometrySeverity.PADDING_UNREAD,
        GeometrySeverity.DATA_LOST,
        GeometrySeverity.IMPOSSIBLE,
    },
    FailOn.DATA_LOSS: {GeometrySeverity.DATA_LOST, GeometrySeverity.IMPOSSIBLE},
    FailOn.IMPOSSIBLE: {GeometrySeverity.IMPOSSIBLE},
    FailOn.NEVER: set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What turns a finding into a verdict.

    Attributes
    ----------
    fail_on
        Geometry that fails a case.
    strict
        Whether warnings fail a case.
    expectations
        Whether ``expect: fail`` turns a verdict round.
    """

    fail_on: FailOn = FailOn.NEVER
    strict: bool = False
    expectations: bool = True


def policy_for(case: Case, policy: Policy) -> Policy:
    """Return the policy under which a case is judged: what it says itself, or else the command."""
    fail_on = policy.fail_on if case.fail_on is None else case.fail_on
    return replace(policy, strict=policy.strict or case.strict, fail_on=fail_on)


def settle(result: CaseResult, policy: Policy) -> CaseResult:
    """Return the result with its final verdict: warnings and geometry by the policy, then the expectation."""
    reason = _policy_reason(result, policy) if result.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE} else None
    if reason is not None:
        result = replace(result, verdict=Verdict.FAIL, reason=reason)
    if not policy.expectations or result.expect is not Verdict.FAIL:
        return result
    if result.verdict is Verdict.FAIL:
        return replace(result, verdict=Verdict.PASS, reason=f"caught as expected: {result.reason}")
    if result.verdict is Verdict.PASS:
        return replace(result, verdict=Verdict.FAIL, reason="expected to fail, but every check passed")
    return result


def _policy_reason(result: CaseResult, policy: Policy) -> str | None:
    for geometry in result.geometry:
        if geometry.severity in _FAILING[policy.fail_on]:
            return result.reason or describe_violation(geometry)
    warnings = [part for part in result.contracts if part.severity is Severity.WARNING and part.verdict is Verdict.FAIL]
    return f"warning, which --strict fails: {warnings[0].message}" if policy.strict and warnings else None
