"""Annotations of GitHub: in full, as its runner reads them, worst first within what a step shows."""

from __future__ import annotations

import pytest
from drawn_reports import UNHURRIED, reports
from hypothesis import given
from made_reports import case_result, rendered, report_of
from workplace import ROOT

from gradverify.numerics.geometry import Window, measure
from gradverify.problems import Problem, ProblemKind
from gradverify.reporters.findings import Level, findings_of, findings_of_case
from gradverify.reporters.words import printable
from gradverify.results import Cause, Verdict

BARE = {"contracts": (), "gradients": (), "geometry": ()}
ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%"}


def unescaped(text: str, *escapes: str) -> str:
    for escape in escapes:
        text = text.replace(escape, ESCAPES[escape])
    return text


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read workflow commands as the runner does: name, properties, message."""
    read = []
    for line in text.split("\n")[:-1]:
        assert line.startswith("::")
        info, _, data = line[2:].partition("::")
        name, _, properties = info.partition(" ")
        pairs = [pair.split("=", 1) for pair in properties.split(",")]
        values = {key: unescaped(value, "%0D", "%0A", "%3A", "%2C", "%25") for key, value in pairs}
        read.append((name, values, unescaped(data, "%0D", "%0A", "%25")))
    return read


def test_a_report_in_full():
    lost = case_result("lost", **{**BARE, "geometry": (measure("H", Window(8, 3, 2)),)})
    bad = case_result(
        "bad", Verdict.FAIL, spec="./my,specs/a::b/100%.yaml", column=5, geometry=(), reproduce="gradverify a:b"
    )
    assert rendered("github", report_of(case_result("good", **BARE), lost, bad)) == GOLDEN


GOLDEN = (
    "::error file=my%2Cspecs/a%3A%3Ab/100%25.yaml,line=7,col=5,title=GV103 bad/stride=2::"
    "GV103 dx: because of bad; worst entry [1, 2]: analytic -inf, numerical 0.25; largest relative error 0.5%0A"
    "GV403 contract dtype: bad%0Areproduce: gradverify a:b\n"
    "::warning file=lost.yaml,line=7,title=GV202 lost/stride=2::"
    "GV202 the size identity is violated along H: (H'-1)S + K = 7, H + 2P = 8; "
    "rows never read: 1 of data at the far end; "
    "holds with: input 7 (output 3); kernel 4 (output 3); input 9 (output 4)\n"
)


@UNHURRIED
@given(reports(most=14))
def test_any_report_is_read_back_line_by_line_errors_first_and_no_more_than_a_step_shows(report):
    found = commands(rendered("github", report))
    names = [name for name, _, _ in found]
    assert names == sorted(names, key=["error", "warning", "notice"].index)
    assert len(found) <= 10
    told = [case for case in report.cases if any(part.level is not Level.NOTE for part in findings_of_case(case))]
    many = len(told) + len(report.problems) + (report.verdict is Verdict.EMPTY)
    assert bool(found) == bool(many)
    assert len(found) <= many
    assert all(values["title"].isprintable() for _, values, _ in found)
    if "notice" not in names:
        said = " ".join(" ".join(f"{values['title']} {message}".split()) for _, values, message in found)
        assert all(" ".join(printable(case.id).split()) in said for case in told)
    else:
        assert many > 10


@pytest.mark.parametrize(
    "case",
    [
        case_result(**BARE),
        case_result(verdict=Verdict.SKIP),
        case_result(expect=Verdict.FAIL),
        case_result(**{**BARE, "geometry": (measure("H", Window(7, 2, 5)),)}),
    ],
    ids=["clean", "skipped", "caught", "harmless"],
)
def test_what_passes_has_no_annotations(case):
    assert rendered("github", report_of(case, verdict=Verdict.PASS, exit_code=0)) == ""


def test_of_many_the_worst_are_shown_and_the_others_counted():
    verdicts = [Verdict.PASS, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.FAIL] * 3
    cases = [case_result(f"c{place}", verdict, geometry=()) for place, verdict in enumerate(verdicts)]
    found = commands(rendered("github", report_of(*cases)))
    assert [values["title"] for _, values, _ in found] == [
        *(f"GV103 c{place}/stride=2" for place in (3, 7, 11)),
        *(f"GV104 c{place}/stride=2" for place in (2, 6, 10)),
        *(f"GV901 c{place}/stride=2" for place in (1, 5, 9)),
        "gradverify",
    ]
    assert found[-1][0] == "notice"
    assert found[-1][2].startswith("3 more annotations: ")


def test_cases_of_a_sweep_that_are_alike_take_one_place():
    sweep = [case_result("conv", Verdict.FAIL, id=f"conv/pad={pad}", geometry=()) for pad in range(25)]
    other = case_result("conv", Verdict.ERROR, id="conv/pad=99", cause=Cause.TIMED_OUT, **BARE)
    found = commands(rendered("github", report_of(*sweep, other)))
    assert [values["title"] for _, values, _ in found] == ["GV103 conv/pad=0 and 24 more cases", "GV903 conv/pad=99"]
    last = found[0][2].splitlines()[-1]
    assert last == f"the same in 24 more cases: {', '.join(f'conv/pad={pad}' for pad in range(1, 21))}, ..."


def test_cases_are_alike_whose_errors_are_whatever_else_is_worth_a_look():
    lost = (measure("H", Window(8, 3, 2)),)
    cases = [case_result("conv", Verdict.FAIL, id=f"conv/{place}", geometry=lost * place) for place in (0, 1)]
    ((_, values, _),) = commands(rendered("github", report_of(*cases)))
    assert values["title"] == "GV103 conv/0 and 1 more case"


def test_what_is_found_tells_cases_apart_that_pass_alike():
    windows = (Window(8, 3, 2), Window(7, 3, 2, (0, 1)), Window(10, 3, 2))
    cases = [
        case_result("conv", id=f"conv/{place}", **{**BARE, "geometry": (measure("H", window),)})
        for place, window in enumerate(windows)
    ]
    found = commands(rendered("github", report_of(*cases)))
    assert [values["title"] for _, values, _ in found] == ["GV202 conv/0 and 1 more case", "GV203 conv/1"]


def test_ten_need_no_count():
    found = commands(rendered("github", report_of(*[case_result(f"c{place}", Verdict.FAIL) for place in range(10)])))
    assert [name for name, _, _ in found] == ["error"] * 10


def test_problems_come_with_their_places_as_far_as_they_have_them():
    problems = (
        Problem("a.yaml", 3, 9, "unknown key 'nam'", ProblemKind.UNKNOWN_NAME),
        Problem("net.onnx", 0, 0, "is empty", ProblemKind.MODEL),
        Problem("", 0, 0, "no module 'nets'", ProblemKind.MODEL),
    )
    report = report_of(problems=problems, verdict=Verdict.ERROR, exit_code=2)
    assert commands(rendered("github", report)) == [
        ("error", {"file": "a.yaml", "line": "3", "col": "9", "title": "GV302 spec-unknown-name"}, "unknown key 'nam'"),
        ("error", {"file": "net.onnx", "title": "GV908 model-unreadable"}, "is empty"),
        ("error", {"title": "GV908 model-unreadable"}, "no module 'nets'"),
    ]
    assert len(findings_of(report)) == 3


def test_that_nothing_ran_is_said_since_it_fails_the_step():
    said = [("error", {"title": "gradverify"}, "EMPTY: no case was selected in 1.50 s")]
    assert commands(rendered("github", report_of())) == said
    assert rendered("github", report_of(exit_code=130)) == ""


def test_paths_are_relative_to_the_project(monkeypatch):
    monkeypatch.chdir(ROOT / "tests")
    ((_, values, _),) = commands(rendered("github", report_of(case_result("a", Verdict.FAIL)), root=str(ROOT)))
    assert values["file"] == "tests/a.yaml"


def test_a_title_is_one_line():
    ((_, values, _),) = commands(rendered("github", report_of(case_result("a", Verdict.FAIL, id="b\n c\x1b"))))
    assert values["title"] == "GV103 b c\\x1b"


def test_long_titles_are_cut_to_what_is_shown():
    ((_, values, _),) = commands(rendered("github", report_of(case_result("x" * 300, Verdict.FAIL))))
    assert len(values["title"]) == 255
