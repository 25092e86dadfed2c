"""Where reports go: several at once, files as a whole, devices at once; what is wrong with a spec goes there too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

GOOD = "cases: [{name: a, layer: relu, inputs: {x: [2]}}, {name: b, layer: tanh, inputs: {x: [2]}}]"
BAD = "cases: [{name: a, layer: rleu, inputs: {x: [2]}}]"


@pytest.fixture
def good(workplace):
    workplace.write("good.yaml", GOOD)
    return workplace


def test_several_formats_at_once(good):
    ran = good.run("run", "good.yaml", "--format", "terminal", "--format", "json=one.json", "--format", "json=two.json")
    assert ran.code == 0
    assert ran.stdout.splitlines()[-1].startswith("PASS: 2 pass")
    one, two = (json.loads((good.path / name).read_text()) for name in ("one.json", "two.json"))
    assert one == two
    assert one["counts"]["pass"] == 2
    assert sorted(path.name for path in good.path.iterdir()) == ["good.yaml", "one.json", "two.json"]


@pytest.mark.parametrize("second", ["report.json", "./report.json", "sub/../report.json"])
def test_two_formats_for_one_file_are_wrong_usage_however_it_is_written(good, second):
    (good.path / "sub").mkdir()
    ran = good.run("run", "good.yaml", "--format", "json=report.json", "--format", f"terminal={second}")
    assert ran.code == 2
    assert "two formats for one file, 'report.json'" in ran.stderr
    assert not (good.path / "report.json").exists()


@pytest.mark.parametrize(
    ("read", "report"),
    [
        ("good.yaml", "good.yaml"),
        ("good.yaml", "sub/../good.yaml"),
        ("good.yaml", "link.xml"),
        (".", "good.yaml"),
        (".", "sub/new.yml"),
    ],
)
def test_no_report_replaces_what_is_read(good, read, report):
    (good.path / "sub").mkdir()
    (good.path / "link.xml").symlink_to("good.yaml")
    ran = good.run("run", read, "--format", f"junit={report}")
    assert (ran.code, ran.stdout) == (2, "")
    assert f"'{report}' is what this command reads" in ran.stderr
    assert (good.path / "good.yaml").read_text() == GOOD
    assert not (good.path / "sub/new.yml").exists()


def test_no_report_replaces_a_baseline(good):
    good.write("net.yaml", "cases: [{name: p, layer: maxpool2d, inputs: {x: [1, 1, 4, 4]}, params: {kernel_size: 2}}]")
    baseline = ("--baseline", "known.json", "--update-baseline")
    assert good.run("audit", "net.yaml", *baseline).code == 0
    written = (good.path / "known.json").read_text()
    assert good.run("audit", "net.yaml", *baseline, "--format", "json=known.json").code == 2
    assert (good.path / "known.json").read_text() == written


def test_a_report_beside_specs_is_one(good):
    assert good.run("run", ".", "--format", "junit=report.xml").code == 0
    assert "<testsuites" in (good.path / "report.xml").read_text()


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("sub", "'sub' is a folder"),
        ("none/r.xml", "'none/r.xml' is in no folder"),
        ("n" * 300 + "/r.xml", "in no folder"),
    ],
)
def test_where_no_report_can_be(good, report, said):
    (good.path / "sub").mkdir()
    ran = good.run("run", "good.yaml", "--format", f"junit={report}")
    assert ran.code == 2
    assert said in ran.stderr


def test_a_link_stays_one_and_leads_to_the_report(good):
    (good.path / "reports").mkdir()
    (good.path / "report.json").symlink_to("reports/real.json")
    assert good.run("run", "good.yaml", "--format", "json=report.json").code == 0
    assert (good.path / "report.json").is_symlink()
    assert json.loads((good.path / "reports/real.json").read_text())["verdict"] == "pass"


@pytest.mark.skipif(not Path("/dev/stderr").exists(), reason="no such device here")
def test_what_is_open_already_is_written_to_and_never_replaced(good):
    log = good.path / "log.txt"
    command = [sys.executable, "-m", "gradverify", "run", "good.yaml", "--format", "json=/dev/stderr"]
    with log.open("w") as file:
        file.write("before\n")
        file.flush()
        done = subprocess.run(command, cwd=good.path, stderr=file, stdout=subprocess.PIPE, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
    first, _, rest = log.read_text().partition("\n")
    assert (first, json.loads(rest)["verdict"]) == ("before", "pass")
    assert Path("/dev/stderr").is_symlink()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_written_to(good):
    pipe = good.path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert good.run("run", "good.yaml", "--format", "json=pipe").code == 0
    reader.join(timeout=30)
    assert json.loads(read[0])["verdict"] == "pass"


def test_what_is_wrong_with_a_spec_replaces_the_report_of_the_last_run(workplace):
    workplace.write("spec.yaml", GOOD)
    assert workplace.run("run", "spec.yaml", "--format", "json=report.json").code == 0
    workplace.write("spec.yaml", BAD)
    ran = workplace.run("run", "spec.yaml", "--format", "terminal", "--format", "json=report.json")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == "spec.yaml:1:26: 'rleu' is not a built-in layer, did you mean 'relu'?\n"
    document = json.loads((workplace.path / "report.json").read_text())
    assert (document["verdict"], document["exit_code"], document["cases"]) == ("error", 2, [])
    (problem,) = document["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("spec.yaml", 1, 26)
    assert problem["message"] == "'rleu' is not a built-in layer, did you mean 'relu'?"


def test_the_terminal_report_in_a_file_says_what_is_wrong_with_a_spec(workplace):
    workplace.write("spec.yaml", BAD)
    assert workplace.run("audit", "spec.yaml", "--format", "terminal=report.txt").code == 2
    lines = (workplace.path / "report.txt").read_text().splitlines()
    assert "spec.yaml:1:26: 'rleu' is not a built-in layer, did you mean 'relu'?" in lines
    assert lines[-1] == "ERROR: 1 problem, nothing was run"


def test_a_model_that_cannot_be_read_reaches_the_files_as_well(workplace):
    (workplace.path / "net.onnx").write_bytes(b"no model")
    ran = workplace.run("audit", "net.onnx", "--format", "json=report.json")
    assert (ran.code, ran.stdout) == (2, "")
    (problem,) = json.loads((workplace.path / "report.json").read_text())["problems"]
    assert (problem["file"], problem["line"], problem["rule"]) == ("net.onnx", 0, "GV908")
    assert ran.stderr == f"net.onnx: {problem['message']}\n"


def test_collecting_writes_no_reports(workplace):
    workplace.write("spec.yaml", BAD)
    assert workplace.run("run", "spec.yaml", "--collect-only", "--format", "json=report.json").code == 2
    assert not (workplace.path / "report.json").exists()


@dataclass(frozen=True)
class Kind:
    """A case, and the rule of what becomes of it."""

    body: str
    rule: str
    spec: str = ""


KINDS = {
    "raised": Kind("raise ValueError('no')", "GV901"),
    "unusable": Kind("return None", "GV902"),
    "timed-out": Kind("import time; time.sleep(60)", "GV903", ", timeout: 1"),
    "died": Kind("import os; os.abort()", "GV904"),
    "out-of-memory": Kind("raise MemoryError", "GV905"),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_could_not_run_says_why_by_its_rule(workplace, kind):
    workplace.write("mine.py", f"def forward(x):\n    {kind.body}\n\n\ndef backward(dout, x):\n    return dout\n")
    functions = "functions: {forward: mine:forward, backward: mine:backward}"
    workplace.write("spec.yaml", f"cases: [{{name: a, {functions}, inputs: {{x: [2]}}{kind.spec}}}]")
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == 3
    assert ran.json["cases"][0]["rule"] == kind.rule
