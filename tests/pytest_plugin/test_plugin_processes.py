"""Under xdist, when interrupted, and afterwards: every case once, nothing lost, nothing left."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from plugin_project import RIGHT, SWEPT, WRONG, command, environment, own, summary

from gradverify.cli.options import usable_cores

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and /proc")

FAILING = {"wrong", "swept/pad=0,N=2", "swept/pad=0,N=3", "swept/pad=0,N=4"}
# Writes a line for every call, with its process.
NOTES = """
import os
def noted(x, pad=0):
    with open(__file__ + ".notes", "ab", buffering=0) as file:
        file.write(f"{os.getpid()} {pad}\\n".encode())
    return forward(x, pad)
"""
MANY = own("noted", more="inputs: {x: [3]}, params: {pad: 0}, sweep: {pad: 1:12}, checks: [contracts]")


def notes(project):
    """Return the processes and cases that ran, in their order."""
    lines = (project.path / "deep/layers.py.notes").read_text().splitlines()
    return list(dict.fromkeys(tuple(line.split()) for line in lines))


def workers_of(project):
    """Return the command lines of worker processes that serve a project."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(file.read_bytes().decode("utf-8", "replace"))
    return [line for line in found if str(project.path) in line and "gradverify.execution" in line]


@pytest.fixture
def swept(project):
    project.write("layers.py", (project.path / "layers.py").read_text() + NOTES)
    project.spec(f"name: swept, {SWEPT}", f"name: wrong, {WRONG}")
    project.spec(f"name: many, {MANY}", name="deep/many.gradverify.yaml")
    project.write("deep/layers.py", (project.path / "layers.py").read_text())
    return project


@pytest.mark.parametrize(
    "mode",
    [
        "load",
        "worksteal",
        *(pytest.param(mode, marks=pytest.mark.slow) for mode in ("loadscope", "loadfile", "loadgroup", "each")),
    ],
)
def test_every_way_to_distribute_runs_every_case_once(swept, mode):
    ran = swept.pytest("-n", "2", "--dist", mode, "-q", "--junitxml=report.xml")
    twice = 1 + (mode == "each")
    assert summary(ran) == f"{4 * twice} failed, {21 * twice} passed"
    assert "layers.gradverify.yaml: swept: fails exactly when pad = 0 (12 cases)" in ran.stdout
    assert "FAILED layers.gradverify.yaml::wrong - GV101 dx: 3 of 3 elements" in ran.stdout
    assert "reproduce: gradverify run layers.gradverify.yaml --case wrong" in ran.stdout
    assert len(notes(swept)) == 12 * twice
    cases = ET.parse(swept.path / "report.xml").iter("testcase")  # noqa: S314  pytest wrote it
    assert {case.get("name") for case in cases if case.find("failure") is not None} == FAILING


def test_a_worker_serves_many_cases(swept):
    assert summary(swept.pytest("deep")) == "12 passed"
    processes = {process for process, _ in notes(swept)}
    assert len(processes) <= usable_cores()
    assert workers_of(swept) == []


def test_one_worker_runs_the_cases_in_their_order(swept):
    assert summary(swept.pytest("deep", "-o", "gradverify_options=--workers 1")) == "12 passed"
    processes, cases = zip(*notes(swept), strict=True)
    assert len(set(processes)) == 1
    assert cases == tuple(str(number) for number in range(1, 13))


def test_stopping_under_xdist_leaves_nothing(project):
    project.spec(*[f"name: wrong-{number}, {WRONG}" for number in range(8)], f"name: hangs, {own('hangs')}, timeout: 3")
    ran = project.pytest("-n", "2", "-x")
    assert 1 <= int(re.search(r"(\d+) failed", summary(ran)).group(1)) < 9
    assert workers_of(project) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(project, number):
    project.spec(f"name: right, {RIGHT}", f"name: wrong, {WRONG}", f"name: hangs, {own('hangs')}")
    process = subprocess.Popen(
        command("-v", "-o", "gradverify_options=--workers 1"),
        cwd=project.path,
        env=environment() | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "::wrong FAILED" in line:
            break
    process.send_signal(number)
    rest = process.communicate(timeout=20)[0]
    limit = time.monotonic() + 5
    while workers_of(project) and time.monotonic() < limit:
        time.sleep(0.05)
    assert workers_of(project) == []
    if number == signal.SIGINT:
        assert process.returncode == 2
        assert "KeyboardInterrupt" in rest
        assert "dx (3) fail: 3 of 3 elements" in rest
        assert "1 failed, 1 passed" in rest
