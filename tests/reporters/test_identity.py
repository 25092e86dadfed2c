"""Paths and fingerprints: the same from one run to the next, whatever moved in between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn_reports import TEXTS, UNHURRIED, reports
from hypothesis import given
from made_reports import case_result, report_of
from workplace import ROOT

from gradverify.reporters.findings import findings_of
from gradverify.reporters.identity import fingerprinted, project_path
from gradverify.results import Verdict


def marks(report, root=None):
    return [mark for _, mark in fingerprinted(findings_of(report), root)]


@pytest.mark.parametrize(
    ("file", "root", "path"),
    [
        ("a.yaml", None, "tests/a.yaml"),
        ("./b//../a.yaml", None, "tests/a.yaml"),
        ("../a.yaml", None, "a.yaml"),
        ("../../a.yaml", None, "../../a.yaml"),
        ("../tests/..a.yaml", str(ROOT / "tests"), "..a.yaml"),
        ("a.yaml", "/somewhere/else", "a.yaml"),
        ("/away/a.yaml", None, "/away/a.yaml"),
        ("nets:make", None, "tests/nets:make"),
        ("", None, ""),
    ],
)
def test_paths(file, root, path, monkeypatch):
    monkeypatch.chdir(ROOT / "tests")
    assert project_path(file, root or str(ROOT)) == path


def test_without_a_project_paths_are_relative_to_the_current_folder(monkeypatch):
    monkeypatch.chdir(ROOT / "tests")
    assert project_path("./a.yaml", None) == "a.yaml"
    assert project_path(str(ROOT / "tests/a.yaml"), None) == "a.yaml"


@UNHURRIED
@given(TEXTS)
def test_any_path_is_one_line_that_prints(file):
    assert project_path(file, None).isprintable()


@UNHURRIED
@given(reports())
def test_fingerprints_tell_findings_apart(report):
    found = marks(report)
    assert len(set(found)) == len(found)
    assert found == marks(report)


def test_fingerprints_stay_when_lines_numbers_and_other_cases_change():
    case = case_result(verdict=Verdict.FAIL)
    (gradient,) = case.gradients
    moved = replace(case, spec="./conv.yaml", line=99, gradients=(replace(gradient, reason="7 of 9"),))
    others = [case_result("before"), moved, case_result("after", Verdict.FAIL)]
    assert set(marks(report_of(case))) <= set(marks(report_of(*others)))


def test_of_two_alike_findings_the_first_keeps_its_fingerprint():
    case = case_result(contracts=(), geometry=(), verdict=Verdict.FAIL)
    once, twice = marks(report_of(case)), marks(report_of(case, case))
    assert once == twice[:1]
    assert len(set(twice)) == 2
