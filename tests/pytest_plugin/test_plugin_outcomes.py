"""What becomes of a case is what ``gradverify run`` says, and is shown as it says it."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from plugin_project import RELU, RIGHT, SWEPT, WRONG, made, own, summary
from workplace import ROOT

GAPS = "layer: conv2d, inputs: {x: [1, 1, 7, 7], w: [1, 1, 2, 2], b: [1]}, params: {stride: 3, padding: 1}"
TOO_LARGE = "layer: conv2d, inputs: {x: [1, 1, 2, 2], w: [1, 1, K, K], b: [1]}, dims: {K: 2}, sweep: {K: [2, 3]}"
CASES = {
    "right": RIGHT,
    "wrong": WRONG,
    "caught": f"{WRONG}, expect: fail",
    "missed": f"{RIGHT}, expect: fail",
    "swept": SWEPT,
    "raises": own("raises"),
    "crashes": own("crashes"),
    "hangs": f"{own('hangs')}, timeout: 0.5",
    "patches": own("patches"),
    "unread": GAPS,
    "judged": f"{GAPS}, fail_on: identity",
    "impossible": TOO_LARGE,
    "undecided": "layer: tanh, inputs: {x: [2000]}, method: dense, max_passes: 100",
    "unloadable": own("forward", "nowhere"),
}
# What pytest counts as, by the verdict of a run.
OUTCOMES = {"pass": "passed", "fail": "failed", "inconclusive": "failed", "error": "failed", "skip": "skipped"}


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    """Run all of it once; return the project and what pytest left."""
    project = made(tmp_path_factory.mktemp("everything"))
    project.spec(*[f"name: {name}, {keys}" for name, keys in CASES.items()])
    return project, project.pytest("-v", "-rA", "--durations=5", "--junitxml=report.xml", "-o", "junit_family=xunit1")


def shown(ran, name):
    """Return what stands under the title of a case."""
    title = re.search(rf"^_+ {re.escape(name)} _+\n(.*?)(?=^(_{{5,}} |={{5,}} ))", ran.stdout, re.DOTALL | re.MULTILINE)
    return title.group(1) if title else ""


def test_every_outcome_is_the_verdict_of_a_run(everything):
    project, ran = everything
    report = project.run("run", "layers.gradverify.yaml", "--format", "json").json
    outcomes = dict(re.findall(r"^layers\.gradverify\.yaml::(\S+) (\w+) ", ran.stdout, re.MULTILINE))
    assert {name: word.lower() for name, word in outcomes.items()} == {
        case["id"]: OUTCOMES[case["verdict"]] for case in report["cases"]
    }
    counts = Counter(OUTCOMES[case["verdict"]] for case in report["cases"])
    assert summary(ran) == ", ".join(f"{counts[word]} {word}" for word in ("failed", "passed", "skipped"))
    assert ran.code == 1


def test_a_failure_is_the_readable_report_and_no_traceback(everything):
    project, ran = everything
    lines = project.run("run", "layers.gradverify.yaml", "--case", "wrong").stdout.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("-- FAIL wrong"))
    said = lines[begin : lines.index("", begin)]
    assert shown(ran, "wrong").splitlines() == [said[0].removeprefix("-- "), *said[1:]]
    assert "reproduce: gradverify run layers.gradverify.yaml --case wrong" in said[-1]
    assert "pytest_plugin" not in ran.stdout


def test_an_error_is_told_with_its_line_and_what_was_printed(everything):
    project, ran = everything
    assert f"ValueError: no luck ({project.path}/layers.py, line 18, in raises)\n" in shown(ran, "raises")
    assert "     just before\n" in shown(ran, "raises")
    assert "killed by SIGSEGV (segmentation fault)" in shown(ran, "crashes")
    assert "timed out after 0.5 s" in shown(ran, "hangs")


def test_the_summary_names_the_rule_and_the_finding(everything):
    lines = dict(re.findall(r"^FAILED layers\.gradverify\.yaml::(\S+) - (.*)", everything[1].stdout, re.MULTILINE))
    assert lines["wrong"].startswith(
        "GV101 dx: 3 of 3 elements differ by more than is allowed; errors: every element (3)"
    )
    assert lines["missed"] == "GV105 expected to fail, but every check passed"
    assert lines["hangs"].startswith("GV903 timed out after 0.5 s (")
    assert lines["judged"].startswith("GV2")


def test_a_skip_has_its_reason_and_its_place(everything):
    assert re.search(r"^SKIPPED \[1\] layers\.gradverify\.yaml:13: .*kernel", everything[1].stdout, re.MULTILINE)


def test_what_separates_failing_from_passing_cases_ends_the_run(everything):
    assert "swept: fails exactly when pad = 0 (12 cases)\n" in everything[1].stdout


def test_warnings_are_quiet_but_counted_and_shown_on_request(everything):
    project, ran = everything
    assert re.search(r"^\d+ passing cases? ha(s|ve) warnings \(-rP shows them\)$", ran.stdout, re.MULTILINE)
    assert "size identity violated along H and W" in shown(ran, "unread")
    quiet = project.pytest("-q", "layers.gradverify.yaml::unread")
    assert "identity" not in quiet.stdout
    assert "warnings" not in quiet.stdout


def test_the_time_of_a_case_is_its_own(everything):
    (slowest, *_) = re.findall(r"^([\d.]+)s call +(\S+)$", everything[1].stdout, re.MULTILINE)
    assert slowest[1] == "layers.gradverify.yaml::hangs"
    assert 0.5 <= float(slowest[0]) < 1


def test_junit_names_file_and_line(everything):
    project, _ = everything
    found = {case.get("name"): case for case in ET.parse(project.path / "report.xml").iter("testcase")}  # noqa: S314  pytest wrote it
    assert len(found) == 26
    wrong = found["wrong"]
    # pytest counts lines from 0.
    assert (wrong.get("classname"), wrong.get("file"), wrong.get("line")) == (
        "layers.gradverify.yaml",
        "layers.gradverify.yaml",
        "2",
    )
    assert wrong.find("failure").get("message").startswith("GV101 dx: 3 of 3 elements")
    assert "worst entry" in wrong.find("failure").text
    assert found["impossible/K=3"].find("skipped") is not None
    assert float(found["hangs"].get("time")) >= 0.5


def test_more_is_said_of_a_case_when_more_is_asked_for(project):
    project.spec(f"name: wrong, {WRONG}")
    plain, full = project.pytest("-v"), project.pytest("-vv")
    assert "method" not in shown(plain, "wrong")
    assert "method" in shown(full, "wrong")


@pytest.mark.parametrize("style", ["line", "short", "native", "no"])
def test_every_style_of_tracebacks_shows_none(project, style):
    project.spec(f"name: wrong, {WRONG}")
    ran = project.pytest(f"--tb={style}")
    assert summary(ran) == "1 failed"
    assert ("widest error bar" in ran.stdout) == (style != "no")
    assert "pytest_plugin" not in ran.stdout
    assert (f"{project.path}/layers.gradverify.yaml:2: GV101 dx: 3 of 3" in ran.stdout) == (style == "line")


def test_the_command_to_reproduce_works_where_pytest_was_started(project):
    project.write("deep/layers.py", (project.path / "layers.py").read_text())
    project.spec(f"name: wrong way, {WRONG}", name="deep/it is.gradverify.yaml")
    ran = project.pytest("deep")
    (words,) = re.findall(r"reproduce: gradverify (.*)", ran.stdout)
    assert words == "run 'deep/it is.gradverify.yaml' --case 'wrong way'"
    assert project.run("run", "deep/it is.gradverify.yaml", "--case", "wrong way").code == 1


@pytest.mark.slow
def test_every_shipped_config_passes_as_a_test(project):
    for folder in ("configs", "examples"):
        shutil.copytree(ROOT / folder, project.path / folder)
    project.write("pytest.ini", "[pytest]\ngradverify_specs = configs\n")
    ran = project.pytest("-q", "configs")
    assert ran.code == 0, ran.stdout
    assert re.fullmatch(r"\d{3} passed", summary(ran))


def test_user_code_never_enters_the_process_of_pytest(project):
    project.write(
        "layers.py",
        "import os\nif os.getpid() == int(os.environ['MAIN']):\n    raise SystemError\n"
        + (project.path / "layers.py").read_text(),
    )
    project.write("conftest.py", "import os\nos.environ['MAIN'] = str(os.getpid())\n")
    project.spec(f"name: right, {RIGHT}", f"name: relu, {RELU}")
    assert summary(project.pytest()) == "2 passed"


def test_gradients_that_are_asserted_are_shown_without_our_lines(project):
    project.write(
        "test_mine.py",
        """\
        import gradverify, layers, numpy
        def test_right():
            gradverify.assert_gradients(layers.forward, layers.backward, {"x": numpy.ones(3)})
        def test_wrong():
            gradverify.assert_gradients(layers.forward, layers.wrong, {"x": numpy.ones(3)})
        """,
    )
    ran = project.pytest("--import-mode=importlib", "-o", "pythonpath=.")
    assert summary(ran) == "1 failed, 1 passed"
    assert ">       gradverify.assert_gradients(layers.forward, layers.wrong" in ran.stdout
    assert re.search(r"^E +dx \(3\) fail: 3 of 3 elements", ran.stdout, re.MULTILINE)
    assert re.search(r"^test_mine\.py:5: GradientsError$", ran.stdout, re.MULTILINE)
    assert "def assert_gradients" not in ran.stdout
