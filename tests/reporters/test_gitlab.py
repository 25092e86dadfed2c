"""Code quality of GitLab: in full, as its documentation wants it, with severities and without what is accepted."""

from __future__ import annotations

import json
from functools import cache

import pytest
from drawn_reports import UNHURRIED, reports
from hypothesis import given
from jsonschema import Draft7Validator
from made_reports import case_result, rendered, report_of
from workplace import ROOT

from gradverify.numerics.geometry import Window, measure
from gradverify.problems import Problem, ProblemKind
from gradverify.reporters.findings import findings_of
from gradverify.results import Cause, Judgement, Verdict

BARE = {"contracts": (), "gradients": (), "geometry": ()}
LOST = {**BARE, "geometry": (measure("H", Window(8, 3, 2)),)}


@cache
def validator() -> Draft7Validator:
    return Draft7Validator(json.loads((ROOT / "tests/schemas/gitlab-code-quality.json").read_text()))


def issues(report, **appearance):
    """Return the findings of a valid document."""
    found = json.loads(rendered("gitlab", report, **appearance))
    validator().validate(found)
    return found


def test_a_report_in_full():
    lost = case_result("lost", spec="./nets/lost.yaml", **LOST)
    assert json.loads(rendered("gitlab", report_of(case_result("good", **BARE), lost))) == [
        {
            "description": "lost/stride=2: the size identity is violated along H: (H'-1)S + K = 7, H + 2P = 8; "
            "rows never read: 1 of data at the far end; "
            "holds with: input 7 (output 3); kernel 4 (output 3); input 9 (output 4)",
            "check_name": "GV202 data-lost",
            "fingerprint": "03df6b3d6a74a0f1094d9eedf44a6e3d",
            "severity": "minor",
            "location": {"path": "nets/lost.yaml", "lines": {"begin": 7}},
        }
    ]


@UNHURRIED
@given(reports())
def test_any_report_is_valid_and_lists_every_finding_once(report):
    found = issues(report)
    assert [issue["check_name"].split()[0] for issue in found] == [finding.rule.id for finding in findings_of(report)]
    assert len({issue["fingerprint"] for issue in found}) == len(found)


@pytest.mark.parametrize(
    ("case", "severity"),
    [
        (case_result(verdict=Verdict.FAIL, contracts=(), geometry=()), "critical"),
        (case_result(verdict=Verdict.INCONCLUSIVE, contracts=(), geometry=()), "major"),
        (case_result(verdict=Verdict.ERROR, cause=Cause.RAISED, **BARE), "major"),
        (case_result(**LOST), "minor"),
        (case_result(**{**BARE, "geometry": (measure("H", Window(7, 2, 5)),)}), "info"),
    ],
    ids=["wrong", "inconclusive", "raised", "warning", "note"],
)
def test_severities(case, severity):
    assert [issue["severity"] for issue in issues(report_of(case))] == [severity]


def test_what_is_accepted_is_left_out():
    assert issues(report_of(case_result(judgement=Judgement(known_axes=("H",)), **LOST))) == []


def test_problems_block_and_have_a_line_and_a_path_as_gitlab_wants():
    problems = (
        Problem("a.yaml", 3, 9, "unknown key 'nam'", ProblemKind.UNKNOWN_NAME),
        Problem("net.onnx", 0, 0, "is empty", ProblemKind.MODEL),
        Problem("", 0, 0, "no module 'nets'", ProblemKind.MODEL),
    )
    found = issues(report_of(problems=problems, verdict=Verdict.ERROR, exit_code=2))
    assert {issue["severity"] for issue in found} == {"blocker"}
    places = [(issue["location"]["path"], issue["location"]["lines"]["begin"]) for issue in found]
    assert places == [("a.yaml", 3), ("net.onnx", 1), (".", 1)]


def test_paths_are_relative_to_the_project(monkeypatch):
    monkeypatch.chdir(ROOT / "tests")
    (issue,) = issues(report_of(case_result(spec="x.yaml", **LOST)), root=str(ROOT))
    assert issue["location"]["path"] == "tests/x.yaml"


def test_nothing_found_is_an_empty_list():
    assert rendered("gitlab", report_of()) == "[]\n"
