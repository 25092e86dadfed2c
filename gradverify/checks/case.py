"""One case from beginning to end: geometry, forward, contracts, gradients; what was found before an error is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gradverify.checks.backward import with_backward
from gradverify.checks.contracts import contracts_of, finite_forward
from gradverify.checks.contracts.reference import belonging, confirmed
from gradverify.checks.evidence import Evidence, may_fail
from gradverify.checks.geometry import geometry_of, impossible
from gradverify.checks.gradient import check_gradients
from gradverify.checks.near import from_near
from gradverify.checks.refusal import not_promised, refusal
from gradverify.checks.subject import Subject, run_backward, run_forward, subject_of, weights_of
from gradverify.errors import GradverifyError, explain_error
from gradverify.results import CaseResult, Cause, Contract, Geometry, GradientCheck, Severity, Verdict, worst_verdict
from gradverify.spec.model import Case, Check
from gradverify.targets.guard import Guarded
from gradverify.targets.shims import hint

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["verify", "verify_subject"]


@dataclass(slots=True)
class _Findings:
    """What has been found so far."""

    geometry: tuple[Geometry, ...] = ()
    contracts: list[Contract] = field(default_factory=list)
    gradients: list[GradientCheck] = field(default_factory=list)
    subject: Subject | None = None
    cause: Cause | None = None
    evidence: Evidence = field(default_factory=Evidence)


def verify(case: Case) -> CaseResult:
    """Import the target of a case, run every check and return what was found.

    User code that raises makes it an ``error``.
    """
    return verify_subject(case, lambda: subject_of(case))


def verify_subject(case: Case, make: Callable[[], Subject]) -> CaseResult:
    """Run every check of a case on a subject that is made when its turn comes, and return what was found."""
    started = time.perf_counter()
    findings = _Findings()
    try:
        verdict, reason = _examined(case, findings, make)
    except GradverifyError as error:
        findings.cause = Cause.UNUSABLE
        verdict, reason = _refused(case, error) or (Verdict.ERROR, str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001  user code may raise anything
        findings.cause = Cause.OUT_OF_MEMORY if isinstance(error, MemoryError) else Cause.RAISED
        verdict, reason = _refused(case, error) or (Verdict.ERROR, explain_error(error, case.search_path) + hint(error))
    spoiled = _spoiled(findings)
    if spoiled is not None:
        verdict, reason, findings.cause = Verdict.ERROR, spoiled, Cause.SPOILED
        findings.contracts, findings.gradients = [], []
        findings.evidence = Evidence(findings.evidence.inputs)
    calls = findings.subject.target.calls if findings.subject else None
    result = case.result(
        verdict,
        reason,
        seconds=time.perf_counter() - started,
        forward_evaluations=calls.forward if calls else 0,
        backward_evaluations=calls.backward if calls else 0,
        contracts=tuple(findings.contracts),
        gradients=tuple(findings.gradients),
        geometry=findings.geometry,
        cause=findings.cause if verdict is Verdict.ERROR else None,
    )
    if case.keep and may_fail(result):
        result = replace(result, arrays=findings.evidence.arrays())
    return _seen_from_near(case, result, findings) if case.near else result


def _seen_from_near(case: Case, result: CaseResult, findings: _Findings) -> CaseResult:
    """Return the result with its gradients from near by; without, where the code spoils itself on the way."""
    shown = from_near(case, result, findings.evidence.findings)
    return shown if _spoiled(findings) is None else result


def _refused(case: Case, error: BaseException) -> tuple[Verdict, str] | None:
    """Return the verdict on code that refuses what a battery asks of it; ``None`` where it breaks."""
    refused = refusal(case, error)
    return None if refused is None else (Verdict.SKIP, refused)


def _spoiled(findings: _Findings) -> str | None:
    """Say what the code did that makes everything found about it worthless."""
    target = findings.subject.target if findings.subject else None
    return target.spoiled() if isinstance(target, Guarded) else None


def _examined(case: Case, findings: _Findings, make: Callable[[], Subject]) -> tuple[Verdict, str | None]:
    """Run the checks in order; each fills in what it finds."""
    if Check.GEOMETRY in case.checks:
        findings.geometry = geometry_of(case)
    if case.site is not None and case.site.problem is not None:
        findings.cause = Cause.NOT_JUDGED
        return Verdict.ERROR, case.site.problem
    reason = impossible(case)
    if reason is not None:
        findings.cause = Cause.IMPOSSIBLE
        return (Verdict.SKIP if case.sweep else Verdict.ERROR), reason
    if case.checks == (Check.GEOMETRY,):
        return Verdict.PASS, None
    findings.subject = make()
    return _verified(case, findings, findings.subject)


def _verified(case: Case, findings: _Findings, subject: Subject) -> tuple[Verdict, str | None]:
    """Run both passes, and look at contracts and gradients."""
    findings.evidence.inputs = subject.inputs
    passed = run_forward(subject)
    finite = finite_forward(case, passed.forward)
    if finite.verdict is not Verdict.PASS:
        findings.contracts.append(finite)
        return _judged(findings)
    findings.evidence.cotangents = weights_of(case, passed.forward)
    trial = run_backward(subject, passed, findings.evidence.cotangents)
    findings.evidence.gradients = trial.gradients.values
    if Check.CONTRACTS in case.checks:
        findings.contracts.extend(contracts_of(case, subject, trial))
        other = not_promised(case, findings.contracts)
        if other is not None:
            findings.contracts = []
            return Verdict.SKIP, other
    if Check.GRADIENTS in case.checks:
        for finding in check_gradients(case, subject, trial):
            check = confirmed(case, findings.contracts, finding.check)
            findings.gradients.append(with_backward(check, case, findings.geometry))
            if case.keep or case.near:
                findings.evidence.findings.append(finding)
        if not subject.differentiable:
            return _without_gradients(findings)
    verdict, reason = _judged(findings)
    return verdict, belonging(case, findings.contracts, findings.gradients) or reason


def _without_gradients(findings: _Findings) -> tuple[Verdict, str | None]:
    """Return the verdict where there was nothing to compare: no pass, whatever the contracts say."""
    verdict, reason = _judged(findings)
    missing = findings.subject.target.unverified if findings.subject else None
    said = f"nothing to verify: {'; '.join(missing)}" if missing else "no input has a gradient"
    return (Verdict.SKIP, said) if verdict is Verdict.PASS else (verdict, reason)


def _judged(findings: _Findings) -> tuple[Verdict, str | None]:
    """Return the verdict of all parts, and the first reason for it."""
    kept = [part for part in findings.contracts if part.severity is Severity.FAILURE or part.verdict is Verdict.PASS]
    verdict = worst_verdict([*(part.verdict for part in kept), *(part.verdict for part in findings.gradients)])
    if verdict is Verdict.PASS:
        return verdict, None
    if verdict is Verdict.EMPTY:
        none = findings.subject is not None and not findings.subject.differentiable
        return Verdict.SKIP, "no input has a gradient" if none else "nothing to verify: every contract is off"
    reasons = [contract.message for contract in kept if contract.verdict is verdict]
    reasons += [f"d{part.input}: {part.reason}" for part in findings.gradients if part.verdict is verdict]
    return verdict, reasons[0] if reasons else None
