"""What turns findings into a verdict: warnings, geometry, what is accepted, expectations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gradverify.numerics.geometry import describe_violation
from gradverify.results import CaseResult, Cause, FailOn, GeometrySeverity, Judgement, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.pipeline.baseline import Baseline
    from gradverify.results import Contract, Geometry
    from gradverify.spec.model import Case
    from gradverify.spec.network_model import Allowance

__all__ = ["Policy", "policy_for", "settle", "violations"]

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
    allowance
        What a case itself accepts.
    baseline
        What was accepted before.
    """

    fail_on: FailOn = FailOn.NEVER
    strict: bool = False
    expectations: bool = True
    allowance: Allowance | None = None
    baseline: Baseline | None = None


def policy_for(case: Case, policy: Policy) -> Policy:
    """Return the policy under which a case is judged: what it says itself, or else the command."""
    fail_on = policy.fail_on if case.fail_on is None else case.fail_on
    return replace(policy, strict=policy.strict or case.strict, fail_on=fail_on, allowance=case.allow)


def settle(result: CaseResult, policy: Policy) -> CaseResult:
    """Return the result with its final verdict: warnings and geometry by the policy, then the expectation."""
    if result.verdict in {Verdict.PASS, Verdict.INCONCLUSIVE}:
        result = _by_policy(result, policy)
    if not policy.expectations or result.expect is not Verdict.FAIL:
        return result
    if result.verdict is Verdict.FAIL:
        return replace(result, verdict=Verdict.PASS, reason=f"caught as expected: {result.reason}")
    if result.verdict is Verdict.PASS:
        reason = "expected to fail, but every check passed"
        return replace(result, verdict=Verdict.FAIL, reason=reason, cause=Cause.UNEXPECTED_PASS)
    return result


def violations(result: CaseResult, policy: Policy) -> Iterator[Geometry]:
    """Yield the axes whose geometry fails a case, if nothing accepts it; what the case itself allows is none."""
    if result.verdict is not Verdict.SKIP:
        yield from (part for part in _failing(result, policy) if not _allowed(part, policy.allowance))


def _by_policy(result: CaseResult, policy: Policy) -> CaseResult:
    found = tuple(violations(result, policy))
    new = [part for part in found if not _in_baseline(result, part, policy)]
    warnings = _warnings(result) if policy.strict else ()
    result = replace(
        result,
        judgement=Judgement(
            failing_axes=tuple(part.axis for part in new),
            allowed_axes=tuple(
                part.axis for part in result.geometry if not part.identity and _allowed(part, policy.allowance)
            ),
            known_axes=tuple(part.axis for part in found if part not in new),
            failing_warnings=tuple(part.code for part in warnings),
        ),
    )
    if new:
        return replace(result, verdict=Verdict.FAIL, reason=result.reason or describe_violation(new[0]))
    if warnings:
        return replace(result, verdict=Verdict.FAIL, reason=f"warning, which --strict fails: {warnings[0].message}")
    accepted = [*_reasons(result, policy), *(f"in the baseline: {describe_violation(part)}" for part in found)]
    return replace(result, reason=result.reason or accepted[0]) if accepted else result


def _reasons(result: CaseResult, policy: Policy) -> Iterator[str]:
    """Yield why violations are allowed."""
    for part in _failing(result, policy):
        if policy.allowance is not None and _allowed(part, policy.allowance):
            yield f"allowed, because {policy.allowance.because}: {describe_violation(part)}"


def _failing(result: CaseResult, policy: Policy) -> tuple[Geometry, ...]:
    return tuple(part for part in result.geometry if part.severity in _FAILING[policy.fail_on])


def _allowed(geometry: Geometry, allowance: Allowance | None) -> bool:
    possible = geometry.severity is not GeometrySeverity.IMPOSSIBLE
    return allowance is not None and possible and geometry.residual <= allowance.residual


def _in_baseline(result: CaseResult, geometry: Geometry, policy: Policy) -> bool:
    return policy.baseline is not None and policy.baseline.accepts(result, geometry)


def _warnings(result: CaseResult) -> tuple[Contract, ...]:
    return tuple(
        part for part in result.contracts if part.severity is Severity.WARNING and part.verdict is Verdict.FAIL
    )
