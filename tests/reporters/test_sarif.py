"""SARIF: valid for the schema of 2.1.0, findings with rules, places and fingerprints, and what could not run."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest
from drawn_reports import UNHURRIED, reports
from hypothesis import given
from jsonschema import Draft4Validator
from made_reports import case_result, rendered, report_of
from workplace import ROOT

from gradverify.numerics.geometry import Window, measure
from gradverify.problems import Problem, ProblemKind
from gradverify.reporters import sarif
from gradverify.reporters.findings import findings_of
from gradverify.results import Cause, Judgement, Verdict
from gradverify.rules import pages

BARE = {"contracts": (), "gradients": (), "geometry": ()}
LOST = {"contracts": (), "gradients": (), "geometry": (measure("H", Window(8, 3, 2)),)}


@cache
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads((ROOT / "tests/schemas/sarif-2.1.0-rtm.5.json").read_text()))


def run_of(report, **appearance):
    """Return the one run of a valid document."""
    document = json.loads(rendered("sarif", report, **appearance))
    validator().validate(document)
    (run,) = document["runs"]
    return run


@pytest.fixture
def short_pages(monkeypatch):
    monkeypatch.setattr(sarif, "page", lambda rule: f"# {rule}\n")


@pytest.mark.usefixtures("short_pages")
def test_a_report_in_full():
    lost = case_result("lost", spec="./nets/lost.yaml", column=5, **LOST)
    assert json.loads(rendered("sarif", report_of(lost, command="audit"))) == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "gradverify", "version": "1.2.3", "rules": [DATA_LOST]}},
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "exitCode": 0,
                        "toolConfigurationNotifications": [],
                        "toolExecutionNotifications": [],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": "GV202",
                        "ruleIndex": 0,
                        "level": "warning",
                        "message": {
                            "text": "lost/stride=2: the size identity is violated along H: (H'-1)S + K = 7, "
                            "H + 2P = 8; "
                            "rows never read: 1 of data at the far end; "
                            "holds with: input 7 (output 3); kernel 4 (output 3); input 9 (output 4)"
                        },
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "nets/lost.yaml", "uriBaseId": "%SRCROOT%"},
                                    "region": {"startLine": 7, "startColumn": 5},
                                }
                            }
                        ],
                        "partialFingerprints": {"gradverify/v1": MARK, "primaryLocationLineHash": MARK},
                    }
                ],
            }
        ],
    }


DATA_LOST = {
    "id": "GV202",
    "name": "data-lost",
    "shortDescription": {"text": "Rows of real data are read by no window."},
    "fullDescription": {"text": "Rows of real data are read by no window."},
    "help": {"text": "# GV202\n", "markdown": "# GV202\n"},
    "defaultConfiguration": {"level": "warning"},
    "properties": {"tags": ["geometry"]},
}
MARK = "03df6b3d6a74a0f1094d9eedf44a6e3d"


@UNHURRIED
@given(reports())
def test_any_report_is_valid_and_holds_every_finding_of_a_file(report):
    run = run_of(report)
    found = [finding for finding in findings_of(report) if finding.file]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [
        part["ruleId"] for part in run["results"]
    ]
    assert sorted(result["ruleId"] for result in run["results"]) == sorted(finding.rule.id for finding in found)
    levels = [["error", "warning", "note"].index(result["level"]) for result in run["results"]]
    assert levels == sorted(levels)
    marks = {result["partialFingerprints"]["gradverify/v1"] for result in run["results"]}
    assert len(marks) == len(found)
    assert all(result["message"]["text"].replace("\n", "").isprintable() for result in run["results"])


def test_a_rule_comes_with_its_page():
    (rule,) = run_of(report_of(case_result(**LOST)))["tool"]["driver"]["rules"]
    assert rule["shortDescription"] == {"text": "Rows of real data are read by no window."}
    assert rule["help"] == {"text": pages.page("GV202"), "markdown": pages.page("GV202")}


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("./a b.yaml", "a%20b.yaml"),
        ("nets:make", "nets%3Amake"),
        ("../x/梯.yaml", "../x/%E6%A2%AF.yaml"),
        (str(ROOT / "tests/x.yaml"), "tests/x.yaml"),
    ],
)
def test_places_are_relative_references(file, uri, monkeypatch):
    monkeypatch.chdir(ROOT)
    (result,) = run_of(report_of(case_result(spec=file, **LOST)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_paths_are_relative_to_the_project(monkeypatch):
    monkeypatch.chdir(ROOT / "tests")
    report = report_of(case_result(spec="x.yaml", **LOST))
    (result,) = run_of(report, root=str(ROOT))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tests/x.yaml"


def test_what_has_no_line_has_no_region_and_what_has_no_file_is_no_result():
    problems = (
        Problem("net.onnx", 0, 0, "is empty", ProblemKind.MODEL),
        Problem("", 0, 0, "no module 'nets'", ProblemKind.MODEL),
    )
    run = run_of(report_of(problems=problems, verdict=Verdict.ERROR, exit_code=2))
    (model,) = run["results"]
    assert "region" not in model["locations"][0]["physicalLocation"]
    assert notified(run) == (False, [("error", "is empty"), ("error", "no module 'nets'")], [])


@pytest.mark.parametrize(
    ("judgement", "reason", "kind", "why"),
    [
        (Judgement(allowed_axes=("H",)), "allowed, because it is", "inSource", "allowed, because it is"),
        (Judgement(allowed_axes=("H",)), None, "inSource", "allowed by the spec"),
        (Judgement(known_axes=("H",)), "in the baseline: H", "external", "in the baseline: H"),
    ],
)
def test_what_is_accepted_is_suppressed_with_its_reason(judgement, reason, kind, why):
    (result,) = run_of(report_of(case_result(reason=reason, judgement=judgement, **LOST)))["results"]
    assert result["level"] == "note"
    assert result["suppressions"] == [{"kind": kind, "status": "accepted", "justification": why}]


def notified(run):
    (invocation,) = run["invocations"]
    said = [invocation[f"tool{part}Notifications"] for part in ("Configuration", "Execution")]
    return invocation["executionSuccessful"], *(
        [(part["level"], part["message"]["text"]) for part in some] for some in said
    )


def test_what_could_not_run_is_told_apart_from_what_was_found():
    raised = case_result("r", Verdict.ERROR, cause=Cause.RAISED, reason="ValueError: no", **BARE)
    assert notified(run_of(report_of(raised))) == (False, [], [("error", "r/stride=2: ValueError: no")])
    beside = replace(raised, geometry=LOST["geometry"])  # which is no reason why it could not run
    assert notified(run_of(report_of(beside))) == (False, [], [("error", "r/stride=2: ValueError: no")])
    problem = Problem("a.yaml", 3, 9, "unknown key 'nam'", ProblemKind.UNKNOWN_NAME)
    refused = report_of(problems=(problem,), verdict=Verdict.ERROR, exit_code=2)
    assert notified(run_of(refused)) == (False, [("error", "unknown key 'nam'")], [])
    failing = report_of(case_result("f", Verdict.FAIL))
    assert notified(run_of(failing)) == (True, [], [])
    cut = "Interrupted: results are those of what had finished."
    assert notified(run_of(replace(failing, exit_code=130))) == (False, [], [("error", cut)])


def test_a_file_holds_no_more_results_than_code_scanning_takes_errors_first(monkeypatch):
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 2)
    run = run_of(report_of(case_result("a", geometry=()), case_result("b", Verdict.FAIL)))
    assert [result["level"] for result in run["results"]] == ["error", "error"]
    assert notified(run)[2] == [("warning", "3 more results are left out: a file may hold 2.")]
