"""Findings: their levels, their places, their sentences in full; and every case that does not pass has an error."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_reports import case_result, report_of

from gradverify.numerics.geometry import Window, measure
from gradverify.problems import Problem, ProblemKind
from gradverify.reporters.findings import Level, findings_of, findings_of_case
from gradverify.results import BatteryRow, Cause, Judgement, Verdict

BARE = {"contracts": (), "gradients": (), "geometry": ()}


def shown(case):
    return [(found.rule.id, found.level.value, found.about) for found in findings_of_case(case)]


def test_a_failing_case_lists_what_fails_it_first_and_what_else_there_is():
    assert shown(case_result(verdict=Verdict.FAIL)) == [
        ("GV403", "warning", "dtype"),
        ("GV103", "error", "x"),
        ("GV202", "warning", "H"),
        ("GV201", "error", "W"),
    ]


@pytest.mark.parametrize(
    "case",
    [
        case_result(verdict=Verdict.SKIP),
        case_result(verdict=Verdict.PASS, expect=Verdict.FAIL),
        case_result(verdict=Verdict.PASS, **BARE),
    ],
    ids=["skipped", "caught", "clean"],
)
def test_nothing_is_found_where_nothing_is_wrong_but_what_was_expected(case):
    assert findings_of_case(case) == ()


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.ERROR])
@pytest.mark.parametrize("cause", [None, *Cause])
def test_a_case_that_does_not_pass_has_an_error_that_says_why(verdict, cause):
    case = case_result(verdict=verdict, cause=cause, reason="it says why\nand more", **BARE)
    (found,) = findings_of_case(case)
    assert (found.level, found.message, found.about) == (Level.ERROR, "it says why", "")
    assert (found.file, found.line, found.case) == ("conv.yaml", 7, case)


def test_what_is_worth_a_look_does_not_stand_for_the_error_of_a_case_that_does_not_pass():
    case = case_result(verdict=Verdict.FAIL, gradients=(), geometry=(), reason="it says why")
    assert shown(case) == [("GV101", "error", ""), ("GV403", "warning", "dtype")]


def test_only_a_violation_is_accepted_and_no_input_that_is_called_as_its_axis():
    case = case_result(verdict=Verdict.FAIL, contracts=(), judgement=Judgement(known_axes=("H",)))
    case = replace(case, gradients=(replace(case.gradients[0], input="H"),))
    assert [(found.rule.id, found.about, found.accepted) for found in findings_of_case(case)] == [
        ("GV103", "H", False),
        ("GV202", "H", True),
        ("GV201", "W", False),
    ]


def test_an_impossible_window_that_fails_nothing_is_a_warning():
    case = case_result(contracts=(), gradients=(), geometry=(measure("W", Window(2, 3)),))
    assert shown(case) == [("GV201", "warning", "W")]


def test_an_impossible_window_is_said_once():
    case = case_result(verdict=Verdict.ERROR, cause=Cause.IMPOSSIBLE, contracts=(), gradients=())
    assert [rule for rule, _, _ in shown(case)] == ["GV202", "GV201"]


def test_the_policy_decides_how_bad_geometry_and_warnings_are():
    lost, gap = measure("H", Window(8, 3, 2)), measure("W", Window(7, 2, 5))
    case = case_result(gradients=(), geometry=(lost, gap))
    assert shown(case)[1:] == [("GV202", "warning", "H"), ("GV204", "note", "W")]
    failing = replace(case, verdict=Verdict.FAIL, judgement=Judgement(failing_axes=("H",), failing_warnings=("dtype",)))
    assert [level for _, level, _ in shown(failing)] == ["error", "error", "note"]
    accepted = replace(case, judgement=Judgement(known_axes=("H",)))
    assert shown(accepted)[1] == ("GV202", "note", "H")


def test_windows_of_a_battery_are_those_of_no_network():
    row = BatteryRow(layer="conv2d", row="plain", reason="because")
    case = case_result(contracts=(), gradients=(), geometry=(measure("H", Window(8, 3, 2)),), battery=row)
    assert findings_of_case(case) == ()
    assert shown(replace(case, verdict=Verdict.FAIL, judgement=Judgement(failing_axes=("H",)))) == [
        ("GV202", "error", "H")
    ]


def test_sentences_stand_alone():
    messages = [found.message for found in findings_of_case(case_result(verdict=Verdict.FAIL))]
    lost = "rows never read: 1 of data at the far end"
    assert messages == [
        "contract dtype: conv",
        "dx: because of conv; worst entry [1, 2]: analytic -inf, numerical 0.25; largest relative error 0.5",
        (
            f"the size identity is violated along H: (H'-1)S + K = 6, H + 2P = 7; {lost}; "
            "holds with: input 6 (output 2); kernel 4 (output 2); padding 1 (output 3)"
        ),
        (
            "impossible geometry along W: kernel 3 is larger than the padded input 2 + 0 + 0 = 2; "
            "holds with: input 3 (output 1); kernel 2 (output 1); padding 1 (output 2)"
        ),
    ]


def test_what_says_nothing_is_said_by_its_rule():
    (found,) = findings_of_case(case_result(verdict=Verdict.ERROR, cause=Cause.RAISED, reason="\n", **BARE))
    assert found.message == "the code under test raised an exception"
    (found,) = findings_of(report_of(problems=(Problem("a.yaml", 1, 1, "", ProblemKind.MISSING),)))
    assert found.message == "a key that must be there is missing from a spec"


def test_problems_of_files_come_first_with_their_places():
    problem = Problem("a.yaml", 3, 9, "unknown key 'nam'", ProblemKind.UNKNOWN_NAME)
    model = Problem("net.onnx", 0, 0, "is empty", ProblemKind.MODEL)
    first, second = findings_of(report_of(problems=(problem, model)))
    assert (first.rule.id, first.file, first.line, first.column) == ("GV302", "a.yaml", 3, 9)
    assert (second.rule.id, second.file, second.line, second.case) == ("GV908", "net.onnx", 0, None)


def test_places_are_written_as_far_as_they_are_known():
    problems = tuple(Problem(*at, "wrong") for at in (("a.yaml", 3, 9), ("net.onnx", 0, 0), ("", 0, 0)))
    assert [found.place for found in findings_of(report_of(problems=problems))] == ["a.yaml:3:9", "net.onnx", ""]
    assert [str(problem) for problem in problems] == ["a.yaml:3:9: wrong", "net.onnx: wrong", "wrong"]
    assert (case_result().place, case_result(line=0).place) == ("conv.yaml:7", "conv.yaml")


def test_keys_tell_problems_of_one_rule_apart():
    problems = tuple(Problem("a.yaml", 3, 9, f"unknown key '{key}'", ProblemKind.UNKNOWN_NAME) for key in "xy")
    first, second = findings_of(report_of(problems=problems))
    assert first.key != second.key
    assert findings_of(report_of(problems=problems[1:]))[0].key == second.key


def test_keys_tell_findings_apart_and_stay_when_lines_and_numbers_change():
    case = case_result(verdict=Verdict.FAIL)
    keys = [found.key for found in findings_of_case(case)]
    assert len(set(keys)) == len(keys)
    (gradient,) = case.gradients
    moved = replace(case, line=99, column=3, reason="other", gradients=(replace(gradient, reason="7 of 9"),))
    assert [found.key for found in findings_of_case(moved)] == keys
