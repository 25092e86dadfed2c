"""JUnit XML: in full, valid for Jenkins' xUnit plugin, and read back by a parser that others use."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
import xmlschema
from drawn_reports import UNHURRIED, reports
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped
from made_reports import case_result, rendered, report_of
from workplace import ROOT

from gradverify.problems import Problem, ProblemKind
from gradverify.reporters.words import printable
from gradverify.results import Verdict

BARE = {"contracts": (), "gradients": (), "geometry": ()}
KINDS = {
    Verdict.PASS: None,
    Verdict.FAIL: Failure,
    Verdict.INCONCLUSIVE: Failure,
    Verdict.ERROR: Error,
    Verdict.SKIP: Skipped,
}


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(ROOT / "tests/schemas/junit-10.xsd")


def read(text: str) -> JUnitXml:
    """Return the suites of a valid document."""
    schema().validate(text)
    return JUnitXml.fromstring(text.encode())


def outcome(case) -> type | None:
    """Return what became of a test case; what it printed is no outcome."""
    found = [part for part in case.result if isinstance(part, (Error, Failure, Skipped))]
    assert len(found) <= 1
    return type(found[0]) if found else None


def test_a_report_in_full():
    good = case_result("good", reason=None, seconds=0.25, **BARE)
    bad = case_result("bad", Verdict.FAIL, spec="good.yaml", seconds=1.5, contracts=(), geometry=())
    bad = replace(bad, reproduce="gradverify run good.yaml --case bad/stride=2")
    slow = case_result("slow", Verdict.SKIP, reason="not run", **BARE)
    assert rendered("junit", report_of(good, bad, slow, command="run")) == GOLDEN


GOLDEN = """\
<?xml version='1.0' encoding='us-ascii'?>
<testsuites name="gradverify" tests="3" failures="1" errors="0" time="1.750">
  <testsuite name="good.yaml" file="good.yaml" tests="2" failures="1" errors="0" skipped="0" time="1.750">
    <properties>
      <property name="gradverify" value="1.2.3" />
      <property name="command" value="run" />
      <property name="seed" value="5" />
      <property name="exit_code" value="1" />
    </properties>
    <testcase classname="good.yaml" name="good/stride=2" time="0.250" />
    <testcase classname="good.yaml" name="bad/stride=2" time="1.500">
      <failure type="fail" message="GV103 dx: because of bad; worst entry [1, 2]: analytic -inf, numerical 0.25; \
largest relative error 0.5">good.yaml:7, bad
bad
dx (2x3) fail: because of bad
  worst entry [1, 2]
    analytic  -inf
    numerical 0.25
  largest relative error 0.5, absolute inf (6 compared)
  widest error bar nan
  geometry: the last row of bad is zero
reproduce: gradverify run good.yaml --case bad/stride=2</failure>
    </testcase>
  </testsuite>
  <testsuite name="slow.yaml" file="slow.yaml" tests="1" failures="0" errors="0" skipped="1" time="0.000">
    <properties>
      <property name="gradverify" value="1.2.3" />
      <property name="command" value="run" />
      <property name="seed" value="5" />
      <property name="exit_code" value="1" />
    </properties>
    <testcase classname="slow.yaml" name="slow/stride=2" time="0.000">
      <skipped type="skip" message="not run" />
    </testcase>
  </testsuite>
</testsuites>
"""


@UNHURRIED
@given(reports())
def test_any_report_is_valid_and_read_back_with_its_names_verdicts_and_counts(report):
    document = read(rendered("junit", report))
    suites = list(document)
    cases = [case for suite in suites for case in suite]
    by_spec = [
        case for spec in dict.fromkeys(case.spec for case in report.cases) for case in report.cases if case.spec == spec
    ]
    assert len(suites) == len({case.spec for case in report.cases}) + len(
        {p.file or "gradverify" for p in report.problems}
    )
    if report.problems:
        assert [outcome(case) for case in cases] == [Error] * len(report.problems)
    else:
        assert [case.name for case in cases] == [printable(case.id) for case in by_spec]
        assert [case.classname for case in cases] == [printable(case.spec) for case in by_spec]
        assert [outcome(case) for case in cases] == [KINDS[case.verdict] for case in by_spec]
    outcomes = [outcome(case) for case in cases]
    counts = document.tests, document.failures, document.errors
    assert counts == (len(cases), outcomes.count(Failure), outcomes.count(Error))
    assert [suite.skipped for suite in suites] == [sum(outcome(case) is Skipped for case in suite) for suite in suites]


@pytest.mark.parametrize(
    ("verdict", "kind"), [(Verdict.FAIL, Failure), (Verdict.INCONCLUSIVE, Failure), (Verdict.ERROR, Error)]
)
def test_the_type_of_what_does_not_pass_is_its_verdict(verdict, kind):
    (suite,) = read(rendered("junit", report_of(case_result("a", verdict, geometry=()))))
    ((found, *_),) = [case.result for case in suite]
    assert (type(found), found.type) == (kind, verdict.value)


def test_what_is_found_of_a_passing_case_is_its_output():
    (suite,) = read(rendered("junit", report_of(case_result("a", geometry=()))))
    (case,) = suite
    assert outcome(case) is None
    assert case.system_out == "warning: GV403 contract dtype: a"


def test_problems_are_errors_of_suites_of_their_own():
    problems = (
        Problem("a.yaml", 3, 9, "unknown key 'nam'", ProblemKind.UNKNOWN_NAME),
        Problem("net.onnx", 0, 0, "is empty", ProblemKind.MODEL),
        Problem("", 0, 0, "no module 'nets'", ProblemKind.MODEL),
    )
    document = read(rendered("junit", report_of(problems=problems, verdict=Verdict.ERROR, exit_code=2)))
    assert [(suite.name, case.name, case.result[0].message) for suite in document for case in suite] == [
        ("a.yaml", "spec-unknown-name a.yaml:3:9", "GV302 unknown key 'nam'"),
        ("net.onnx", "model-unreadable net.onnx", "GV908 is empty"),
        ("gradverify", "model-unreadable gradverify", "GV908 no module 'nets'"),
    ]


def test_an_empty_report_is_valid():
    assert read(rendered("junit", report_of())).tests == 0


def test_an_interrupted_run_has_a_test_case_that_does_not_pass():
    case = case_result(**BARE)
    suites = read(rendered("junit", report_of(case, exit_code=130)))
    ((passed,), (interrupted,)) = suites
    assert (outcome(passed), outcome(interrupted)) == (None, Error)
    assert interrupted.name == "interrupted"
    assert interrupted.result[0].message == "INTERRUPTED: 1 pass in 1.50 s"
    assert (suites.tests, suites.errors) == (2, 1)
