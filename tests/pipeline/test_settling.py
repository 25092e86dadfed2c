"""What is accepted of a violation, by whom, and what the report says of it."""

from __future__ import annotations

import pytest
from case_results import case_result
from hypothesis import given
from hypothesis import strategies as st

from gradverify.numerics.geometry import Window, measure
from gradverify.pipeline import Policy, policy_for, settle
from gradverify.pipeline.baseline import Baseline
from gradverify.pipeline.settling import violations
from gradverify.results import CaseResult, Cause, Contract, FailOn, GeometrySeverity, Judgement, Severity, Verdict
from gradverify.spec.network_model import Allowance

PADDING, DATA = measure("H", Window(224, 7, 2, (3, 3))), measure("W", Window(224, 11, 4))  # residual 1 both
WORSE, IMPOSSIBLE = measure("W", Window(226, 11, 4)), measure("H", Window(2, 3))
KNOWN = Allowance(1, "as in the paper")
PADDING_SAID = "the size identity is violated along H: (H'-1)S + K = 229, H + 2P = 230; rows never read: 1 of padding"


def result(*geometry, **changes) -> CaseResult:
    return case_result(geometry=geometry, **changes)


def holding(*found) -> Baseline:
    empty = Baseline("b.json", {})
    entries = [empty.entry(result(), part) for part in found]
    return Baseline("b.json", {entry.place: entry for entry in entries})


def identity(**accepted) -> Policy:
    return Policy(fail_on=FailOn.IDENTITY, **accepted)


def test_an_allowance_accepts_up_to_its_residual_and_says_why():
    settled = settle(result(PADDING), identity(allowance=KNOWN))
    assert settled.verdict is Verdict.PASS
    assert settled.reason == f"allowed, because as in the paper: {PADDING_SAID} at the far end"
    assert settle(result(DATA), identity(allowance=KNOWN)).verdict is Verdict.PASS
    assert settle(result(WORSE), identity(allowance=KNOWN)).verdict is Verdict.FAIL
    assert settle(result(WORSE), identity(allowance=Allowance(WORSE.residual, "known"))).verdict is Verdict.PASS


def test_an_allowance_makes_nothing_possible():
    settled = settle(result(IMPOSSIBLE), identity(allowance=Allowance(99, "known")))
    assert settled.verdict is Verdict.FAIL
    assert settled.reason.startswith("impossible geometry along H: kernel 3 is larger")


def test_what_is_new_fails_beside_what_is_accepted():
    settled = settle(result(PADDING, WORSE), identity(allowance=KNOWN))
    assert settled.verdict is Verdict.FAIL
    assert settled.reason.startswith("the size identity is violated along W: (H'-1)S + K = 223, H + 2P = 226")
    known = settle(result(PADDING, WORSE), identity(baseline=holding(PADDING)))
    assert known.reason == settled.reason


def test_a_baseline_accepts_what_it_holds_and_an_allowance_is_told_first():
    held = settle(result(PADDING), identity(baseline=holding(PADDING)))
    assert (held.verdict, held.reason) == (Verdict.PASS, f"in the baseline: {PADDING_SAID} at the far end")
    both = settle(result(WORSE, PADDING), identity(baseline=holding(WORSE), allowance=KNOWN))
    assert both.verdict is Verdict.PASS
    assert both.reason.startswith("allowed, because as in the paper: the size identity is violated along H")


def test_what_does_not_fail_is_not_said_to_be_accepted():
    tolerant = Policy(fail_on=FailOn.DATA_LOSS, allowance=KNOWN, baseline=holding(PADDING))
    assert settle(result(PADDING), tolerant) == result(PADDING)


def test_a_reason_that_is_there_already_stays():
    impossible = result(IMPOSSIBLE, reason="impossible geometry along H and more")
    assert settle(impossible, identity()).reason == "impossible geometry along H and more"
    held = settle(impossible, identity(baseline=holding(IMPOSSIBLE)))
    assert (held.verdict, held.reason) == (Verdict.PASS, "impossible geometry along H and more")


@given(
    st.lists(st.sampled_from([PADDING, DATA, WORSE, IMPOSSIBLE]), max_size=3),
    st.sampled_from(FailOn),
    st.one_of(st.none(), st.builds(Allowance, st.integers(0, 4), st.just("known"))),
)
def test_a_case_fails_exactly_where_it_has_violations_that_nothing_accepts(geometry, fail_on, allowance):
    policy = Policy(fail_on=fail_on, allowance=allowance)
    found = tuple(violations(result(*geometry), policy))
    assert (settle(result(*geometry), policy).verdict is Verdict.FAIL) == bool(found)
    most = -1 if allowance is None else allowance.residual
    assert all(part.residual > most or part.severity is GeometrySeverity.IMPOSSIBLE for part in found)


@pytest.mark.parametrize("verdict", Verdict)
def test_geometry_fails_what_is_not_decided_otherwise(verdict):
    settled = settle(result(DATA, verdict=verdict), identity()).verdict
    assert settled is (Verdict.FAIL if verdict in {Verdict.PASS, Verdict.INCONCLUSIVE} else verdict)


def test_what_is_skipped_has_no_violations():
    assert not tuple(violations(result(IMPOSSIBLE, verdict=Verdict.SKIP), identity()))


@pytest.mark.parametrize("own", [None, FailOn.NEVER])
def test_the_policy_of_a_case_takes_its_allowance_and_keeps_the_baseline(own):
    class Judged:
        fail_on, strict, allow = own, False, KNOWN

    policy = policy_for(Judged(), identity(baseline=holding(DATA), strict=True, expectations=False))
    assert (policy.fail_on, policy.allowance) == (own or FailOn.IDENTITY, KNOWN)
    assert (policy.baseline, policy.strict, policy.expectations) == (holding(DATA), True, False)


def test_the_result_says_which_findings_the_policy_fails_and_which_it_accepts():
    allowed = settle(result(PADDING, WORSE), identity(allowance=KNOWN)).judgement
    assert (allowed.failing_axes, allowed.allowed_axes, allowed.known_axes) == (("W",), ("H",), ())
    held = settle(result(PADDING, WORSE), identity(baseline=holding(PADDING))).judgement
    assert (held.failing_axes, held.allowed_axes, held.known_axes) == (("W",), (), ("H",))
    mild = Policy(fail_on=FailOn.DATA_LOSS, baseline=holding(PADDING))
    assert settle(result(PADDING), mild).judgement == Judgement()


@pytest.mark.parametrize("fail_on", list(FailOn))
def test_what_a_spec_allows_is_accepted_whatever_a_command_fails_on(fail_on):
    settled = settle(result(PADDING), Policy(fail_on=fail_on, allowance=KNOWN))
    assert settled.judgement == Judgement(allowed_axes=("H",))


@pytest.mark.parametrize(("strict", "failing"), [(True, ("dtype",)), (False, ())])
def test_the_result_says_which_warnings_fail_it(strict, failing):
    warning = Contract(code="dtype", verdict=Verdict.FAIL, severity=Severity.WARNING, message="float64 for float32")
    settled = settle(result(contracts=(warning,)), Policy(fail_on=FailOn.NEVER, strict=strict))
    assert settled.judgement == Judgement(failing_warnings=failing)
    assert settled.verdict is (Verdict.FAIL if strict else Verdict.PASS)


def test_the_cause_of_an_unexpected_pass_is_said():
    assert settle(result(expect=Verdict.FAIL), identity()).cause is Cause.UNEXPECTED_PASS
