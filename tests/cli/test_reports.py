"""Several reports at once: also when cases fail, a run is interrupted, nothing ran, or a disk is full."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml
from squares import BACKWARDS, SQUARE
from workplace import Ran, Workplace, plain_environment

from gradverify.rules import RULES

VANISHING = """
    import shutil

    def vanishes(dout, x):
        shutil.rmtree("out", ignore_errors=True)
        return right(dout, x)
"""
LAYERS = SQUARE + BACKWARDS + VANISHING
FILES = {
    "json": "r.json",
    "jsonl": "r.jsonl",
    "junit": "r.xml",
    "sarif": "r.sarif",
    "gitlab": "gl.json",
    "github": "gh.txt",
    "markdown": "r.md",
}
ALL = [part for name, file in FILES.items() for part in ("--format", f"{name}={file}")]
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals, pipes and devices")
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@pytest.fixture
def layers(workplace: Workplace):
    """Return a folder with layers, and how to write a spec for some of them."""
    workplace.write("squares.py", LAYERS)

    def spec(*backwards: str) -> Workplace:
        targets = (f"functions: {{forward: squares:square, backward: 'squares:{name}'}}" for name in backwards)
        cases = (
            f"- {{name: {name}, inputs: {{x: [3]}}, {target}}}" for name, target in zip(backwards, targets, strict=True)
        )
        workplace.write("spec.yaml", "cases:\n" + "\n".join(f"  {case}" for case in cases))
        return workplace

    return spec


def run(place: Workplace, *arguments: str, **env: str) -> Ran:
    return place.run("run", *arguments, **env)


def junit(place: Workplace) -> dict[str, list[str]]:
    """Return what became of each test case."""
    suites = JUnitXml.fromfile(str(place.path / "r.xml"))
    return {case.name: [type(part).__name__ for part in case.result] for suite in suites for case in suite}


def results(place: Workplace) -> list[str]:
    (ran,) = json.loads((place.path / "r.sarif").read_text())["runs"]
    return [result["ruleId"] for result in ran["results"]]


def lines(place: Workplace) -> list[dict]:
    return [json.loads(line) for line in (place.path / "r.jsonl").read_text().splitlines()]


def test_all_formats_at_once_say_the_same_of_failing_cases(layers):
    place = layers("right", "wrong", "raises")
    ran = run(place, "spec.yaml", *ALL)
    assert (ran.code, ran.stdout, ran.stderr) == (1, "", "")
    assert junit(place) == {"right": [], "wrong": ["Failure"], "raises": ["Error"]}
    assert results(place) == ["GV101", "GV901"]
    assert [issue["severity"] for issue in json.loads((place.path / "gl.json").read_text())] == ["critical", "major"]
    assert [line.get("verdict") for line in lines(place)] == ["pass", "fail", "error", "fail"]
    errors = (place.path / "gh.txt").read_text().splitlines()
    assert [line.split("::")[1] for line in errors] == [
        "error file=spec.yaml,line=3,col=5,title=GV101 wrong",
        "error file=spec.yaml,line=4,col=5,title=GV901 raises",
    ]
    assert "| FAIL | <code>wrong</code> |" in (place.path / "r.md").read_text()
    assert json.loads((place.path / "r.json").read_text())["counts"]["error"] == 1
    assert sorted(path.name for path in place.path.iterdir() if path.is_file()) == sorted(
        [*FILES.values(), "spec.yaml", "squares.py"]
    )


def test_one_to_stdout_leaves_it_to_that_alone(layers):
    place = layers("right", "wrong")
    ran = run(place, "spec.yaml", "--format", "gitlab", "--format", "junit=r.xml")
    assert ran.code == 1
    assert [issue["check_name"] for issue in json.loads(ran.stdout)] == ["GV101 gradient-mismatch"]
    assert junit(place) == {"right": [], "wrong": ["Failure"]}


def test_that_nothing_was_selected_reaches_every_report(layers):
    place = layers("right")
    ran = run(place, "spec.yaml", "-k", "nothing", *ALL)
    assert ran.code == 5
    assert (junit(place), results(place), json.loads((place.path / "gl.json").read_text())) == ({}, [], [])
    assert [line["verdict"] for line in lines(place)] == ["empty"]
    assert "EMPTY: no case was selected" in (place.path / "gh.txt").read_text()
    assert (place.path / "r.md").read_text().startswith("## EMPTY: no case was selected")


@pytest.mark.parametrize("command", ["run", "audit", "sweep"])
def test_an_invalid_spec_reaches_every_report(workplace, command):
    workplace.write("spec.yaml", "cases: [{name: a, layer: rellu, inputs: {x: [2]}}]")
    ran = workplace.run(command, "spec.yaml", *ALL, GITHUB_STEP_SUMMARY="")
    said = "'rellu' is not a built-in layer, did you mean 'relu'?"
    assert (ran.code, ran.stdout, ran.stderr) == (2, "", f"spec.yaml:1:26: {said}\n")
    (problem,) = lines(workplace)[-1]["problems"]
    rule = RULES[problem["rule"]]
    assert problem["message"] == said
    assert junit(workplace) == {f"{rule.name} spec.yaml:1:26": ["Error"]}
    assert results(workplace) == [rule.id]
    (issue,) = json.loads((workplace.path / "gl.json").read_text())
    assert (issue["description"], issue["severity"]) == (said, "blocker")
    where = f"file=spec.yaml,line=1,col=26,title={rule.id} {rule.name}"
    assert (workplace.path / "gh.txt").read_text() == f"::error {where}::{said}\n"
    assert f"| {rule.id} | <code>spec.yaml:1:26</code> |" in (workplace.path / "r.md").read_text()


def test_an_invalid_spec_is_annotated_on_stderr_where_stdout_stays_empty(workplace):
    workplace.write("spec.yaml", "cases: [{name: a, layer: rellu, inputs: {x: [2]}}]")
    ran = run(workplace, "spec.yaml", "--format", "github")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("::error file=spec.yaml,line=1,col=26,")


def started(place: Workplace, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gradverify", "run", "spec.yaml", "--workers", "1", *arguments]
    pipe = subprocess.PIPE
    env = {**plain_environment(), "PYTHONUNBUFFERED": ""}  # what is not flushed is not out
    return subprocess.Popen(command, cwd=place.path, stdout=pipe, stderr=pipe, text=True, env=env)


@posix
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_every_report_with_what_had_finished(layers, way):
    place = layers("wrong", "sleeps")
    files = [part for name, file in FILES.items() if name != "jsonl" for part in ("--format", f"{name}={file}")]
    running = started(place, "--format", "jsonl", *files)
    first = json.loads(running.stdout.readline())  # out as soon as it is known
    running.send_signal(way)
    rest, errors = running.communicate(timeout=20)
    assert (running.returncode, first["id"]) == (130, "wrong"), errors
    assert json.loads(rest)["exit_code"] == 130
    assert junit(place) == {"wrong": ["Failure"], "interrupted": ["Error"]}
    assert results(place) == ["GV101"]
    (ran,) = json.loads((place.path / "r.sarif").read_text())["runs"]
    assert ran["invocations"][0]["executionSuccessful"] is False
    assert (place.path / "r.md").read_text().startswith("## INTERRUPTED: 1 fail")
    assert (place.path / "gh.txt").read_text().count("::error ") == 1


def test_a_step_summary_is_added_to_and_takes_no_more_than_github_shows(layers):
    place = layers("wrong")
    place.write("summary.md", "before\n")
    run(place, "spec.yaml", "--format", "github", GITHUB_STEP_SUMMARY="summary.md")
    text = (place.path / "summary.md").read_text()
    assert text.startswith("before\n## FAIL: 1 fail")
    (place.path / "summary.md").write_bytes(b"x" * (2**20 - 300))
    run(place, "spec.yaml", "--format", "github", GITHUB_STEP_SUMMARY="summary.md")
    added = (place.path / "summary.md").read_bytes()[2**20 - 300 :]
    assert len(added) <= 300
    assert added.startswith(b"## FAIL: 1 fail")


@pytest.mark.parametrize("variable", ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"])
def test_paths_are_those_of_the_project_where_a_ci_system_says_where_it_is(layers, variable):
    place = layers("wrong")
    ran = run(place, "spec.yaml", "--format", "github", **{variable: str(place.path.parent)})
    assert f"file={place.path.name}/spec.yaml,line=2" in ran.stdout


@pytest.mark.parametrize(("backwards", "code"), [(["vanishes"], 74), (["vanishes", "wrong"], 1)])
def test_a_folder_that_vanishes_costs_its_own_reports_alone(layers, backwards, code):
    place = layers(*backwards)
    (place.path / "out").mkdir()
    ran = run(place, "spec.yaml", "--format", "sarif=out/r.sarif", "--format", "junit=r.xml", "--format", "json")
    lost = "Error: --format: 'out/r.sarif' could not be written: No such file or directory\n"
    assert (ran.code, ran.stderr) == (code, lost)
    assert ran.json["counts"]["pass"] == 1
    assert list(junit(place)) == backwards


@needs_full
@pytest.mark.parametrize("name", ["jsonl", "terminal", "junit"])
def test_a_full_disk_costs_its_own_report_alone(layers, name):
    place = layers("right")
    ran = run(place, "spec.yaml", "--format", f"{name}=/dev/full", "--format", "sarif=r.sarif", "--format", "json")
    assert (ran.code, ran.json["verdict"]) == (74, "pass")
    assert ran.stderr == "Error: --format: '/dev/full' could not be written: No space left on device\n"
    assert results(place) == []


@needs_full
@pytest.mark.parametrize("name", ["jsonl", "terminal", "json"])
def test_a_full_disk_behind_stdout_is_said_and_costs_no_other_report(layers, name):
    place = layers("right")
    command = [sys.executable, "-m", "gradverify", "run", "spec.yaml", "--workers", "1"]
    with open("/dev/full", "w") as full:  # noqa: PTH123  a device
        done = subprocess.run(
            [*command, "--format", name, "--format", "junit=r.xml"],
            cwd=place.path,
            stdout=full,
            stderr=subprocess.PIPE,
            env={**plain_environment(), "PYTHONUNBUFFERED": ""},
            text=True,
            check=False,
        )
    lost = "Error: stdout could not be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (74, lost)
    assert junit(place) == {"right": []}


@posix
def test_a_reader_that_leaves_costs_no_other_report(layers):
    place = layers("right")
    running = started(place, "--format", "jsonl", "--format", "junit=r.xml")
    running.stdout.close()
    assert (running.stderr.read(), running.wait()) == ("", 141)
    running.stderr.close()
    assert junit(place) == {"right": []}
