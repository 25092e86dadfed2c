"""How a finding becomes a verdict, and what a listener hears."""

from __future__ import annotations

import pytest
from case_results import case_result
from workplace import Workplace

from gradverify.numerics.geometry import Window, measure
from gradverify.pipeline import Policy, Settings, audit, policy_for, select, settle, verify
from gradverify.results import (
    CaseResult,
    Contract,
    FailOn,
    Plan,
    Report,
    Severity,
    Verdict,
    exit_code_of,
    worst_verdict,
)
from gradverify.spec.overriding import Overrides

EXACT, GAP = measure("H", Window(6, 3, 3)), measure("H", Window(7, 3, 4))
PADDING, DATA, IMPOSSIBLE = (
    measure("H", Window(224, 7, 2, (3, 3))),
    measure("H", Window(224, 11, 4)),
    measure("H", Window(2, 3)),
)
WARNING = Contract(code="dtype", verdict=Verdict.FAIL, severity=Severity.WARNING, message="wider")


def result(verdict: Verdict = Verdict.PASS, **changes) -> CaseResult:
    return case_result(verdict=verdict, **changes)


@pytest.mark.parametrize(
    ("fail_on", "failing"),
    [
        (FailOn.IDENTITY, [PADDING, DATA, IMPOSSIBLE]),
        (FailOn.DATA_LOSS, [DATA, IMPOSSIBLE]),
        (FailOn.IMPOSSIBLE, [IMPOSSIBLE]),
        (FailOn.NEVER, []),
    ],
)
@pytest.mark.parametrize("geometry", [EXACT, GAP, PADDING, DATA, IMPOSSIBLE], ids=lambda part: part.severity.value)
def test_geometry_fails_by_the_policy(fail_on, failing, geometry):
    settled = settle(result(geometry=(EXACT, geometry)), Policy(fail_on=fail_on))
    assert settled.verdict is (Verdict.FAIL if geometry in failing else Verdict.PASS)
    assert (settled.reason is not None) == (geometry in failing)


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.SKIP])
def test_geometry_leaves_errors_and_skips_alone(verdict):
    assert settle(result(verdict, geometry=(DATA,)), Policy(fail_on=FailOn.IDENTITY)).verdict is verdict


def test_warnings_fail_only_when_strict():
    warned = result(contracts=(WARNING,))
    assert settle(warned, Policy()).verdict is Verdict.PASS
    strict = settle(warned, Policy(strict=True))
    assert (strict.verdict, strict.reason) == (Verdict.FAIL, "warning, which --strict fails: wider")


@pytest.mark.parametrize(
    ("found", "settled"),
    [
        (Verdict.FAIL, Verdict.PASS),
        (Verdict.PASS, Verdict.FAIL),
        (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
        (Verdict.ERROR, Verdict.ERROR),
        (Verdict.SKIP, Verdict.SKIP),
    ],
)
def test_an_expected_failure_turns_the_verdict_round(found, settled):
    expecting = result(found, expect=Verdict.FAIL)
    assert settle(expecting, Policy()).verdict is settled
    assert settle(expecting, Policy(expectations=False)).verdict is found


@pytest.mark.parametrize(
    ("verdicts", "whole", "code"),
    [
        ("pass fail inconclusive error skip", "fail", 1),
        ("pass inconclusive error skip", "inconclusive", 1),
        ("pass error skip", "error", 3),
        ("pass skip", "pass", 0),
        ("skip", "empty", 5),
        ("", "empty", 5),
    ],
)
def test_the_verdict_of_the_whole(verdicts, whole, code):
    found = worst_verdict(Verdict(name) for name in verdicts.split())
    assert (found.value, exit_code_of(found)) == (whole, code)


class Recorder:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.plan: Plan | None = None
        self.cases: list[CaseResult] = []
        self.report: Report | None = None

    def start(self, plan: Plan) -> None:
        assert not self.cases
        self.plan = plan

    def case(self, result: CaseResult) -> None:
        self.cases.append(result)

    def finish(self, report: Report) -> None:
        self.report = report


SPEC = """
    seed: 3
    cases:
      - {name: a, layer: relu, inputs: {x: [2]}}
      - {name: b, layer: conv2d, inputs: {x: [1, 1, 4, 4], w: [1, 1, 3, 3], b: [1]}, params: {stride: 2}}
      - {name: c, layer: tanh, inputs: {x: [2]}}
"""


@pytest.mark.parametrize("executor", ["serial", "processes"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_listener_hears_plan_cases_in_order_and_the_report(workplace: Workplace, executor, workers):
    selection = select((str(workplace.write("a.yaml", SPEC)),), Overrides())
    recorder = Recorder()
    report = verify(selection, Settings(command="run", executor=executor, workers=workers), lambda: recorder)
    assert recorder.plan.cases == ("a", "b", "c")
    assert [case.id for case in recorder.cases] == ["a", "b", "c"]
    assert recorder.report is report
    assert (report.verdict, report.exit_code, report.seed) == (Verdict.PASS, 0, 3)
    assert report.cases == tuple(recorder.cases)


def test_fail_fast_skips_what_is_left(workplace: Workplace):
    selection = select((str(workplace.write("a.yaml", SPEC)),), Overrides())
    settings = Settings(command="audit", policy=Policy(fail_on=FailOn.IDENTITY), fail_fast=True)
    report = audit(selection, settings, Recorder)
    assert [case.verdict.value for case in report.cases] == ["skip", "fail", "skip"]
    assert report.cases[2].reason == "not run"


def test_an_interrupt_keeps_what_has_finished(workplace: Workplace):
    selection = select((str(workplace.write("a.yaml", SPEC)),), Overrides())

    class Interrupting(Recorder):
        def case(self, result: CaseResult) -> None:
            super().case(result)
            if len(self.cases) == 2:
                raise KeyboardInterrupt

    report = verify(selection, Settings(command="run", executor="serial"), Interrupting)
    assert [case.id for case in report.cases] == ["a", "b"]
    assert report.exit_code == 130


def test_a_case_says_for_itself_what_fails_it(workplace: Workplace):
    """As the options of the command line do, which win."""
    case = "{name: a, layer: maxpool2d, inputs: {x: [1, 1, 5, 5]}, params: {kernel_size: 2}"
    spec = f"fail_on: never\ncases: [{case}}}, {case.replace('a,', 'b,', 1)}, fail_on: identity, strict: true}}]"
    file = str(workplace.write("a.yaml", spec))
    for overrides, policy, verdicts in (
        (Overrides(), Policy(fail_on=FailOn.IDENTITY), "pass fail"),
        (Overrides(fail_on=FailOn.NEVER), Policy(fail_on=FailOn.NEVER), "pass pass"),
        (Overrides(fail_on=FailOn.DATA_LOSS), Policy(fail_on=FailOn.DATA_LOSS), "fail fail"),
    ):
        report = audit(select((file,), overrides), Settings(command="audit", policy=policy), Recorder)
        assert " ".join(case.verdict for case in report.cases) == verdicts
    assert [policy_for(case, Policy()).strict for case in select((file,), Overrides()).cases] == [False, True]
    assert all(policy_for(case, Policy()).strict for case in select((file,), Overrides(strict=True)).cases)


@pytest.mark.parametrize("keep", [True, False])
def test_arrays_reach_listeners_of_bad_cases_alone_and_no_report(workplace: Workplace, keep: bool):
    heard = Recorder()
    pool = "layer: relu, inputs: {x: [2]}"
    file = str(workplace.write("a.yaml", f"cases: [{{name: a, {pool}}}, {{name: b, {pool}, expect: fail}}]"))
    settings = Settings(command="run", executor="serial", keep=keep, reproduce=lambda case: f"run {case.id}")
    report = verify(select((file,), Overrides()), settings, lambda: heard)
    assert [bool(case.arrays) for case in heard.cases] == [False, keep]
    assert not any(case.arrays for case in report.cases)
    assert [case.reproduce for case in report.cases] == [None, "run b"]


def test_the_keyword_selects_and_the_seed_of_the_command_line_wins(workplace: Workplace):
    file = str(workplace.write("a.yaml", SPEC))
    selection = select((file,), Overrides(seed=8), keyword="b")
    assert [case.id for case in selection.cases] == ["b"]
    assert (selection.seed, selection.cases[0].seed) == (8, 8)
    assert select((file,), Overrides()).seed == 3
