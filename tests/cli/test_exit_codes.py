"""Every exit code, and stdout that carries the report and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import click
import pytest
from squares import BACKWARDS
from workplace import plain_environment

from gradverify.cli import main

TALKING = """
    import os, sys
    import numpy as np

    print("imported", flush=True)

    def square(x):
        print("forward")
        return x * x, x

    def dies(dout, x):
        os._exit(0)
"""
LAYERS = TALKING + BACKWARDS


def spec_for(*backwards: str, extra: str = "") -> str:
    cases = "".join(
        f"""
  - name: {backward}
    functions: {{forward: squares:square, backward: 'squares:{backward}'}}
    inputs: {{x: [3]}}
"""
        for backward in backwards
    )
    return f"cases:{cases}{extra}"


@pytest.mark.parametrize(
    ("backwards", "code", "verdict"),
    [
        (["right"], 0, "pass"),
        (["right", "wrong"], 1, "fail"),
        (["right", "raises"], 3, "error"),
        (["wrong", "raises"], 1, "fail"),
        (["right", "dies"], 3, "error"),
    ],
)
def test_the_first_verdict_that_applies_decides(workplace, backwards, code, verdict):
    workplace.write("squares.py", LAYERS)
    workplace.write("spec.yaml", spec_for(*backwards))
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == code, ran.stderr
    assert ran.json["verdict"] == verdict
    assert ran.json["exit_code"] == code
    assert [case["name"] for case in ran.json["cases"]] == backwards


def test_an_inconclusive_case_exits_1(workplace):
    workplace.write(
        "spec.yaml", "cases: [{name: big, layer: tanh, inputs: {x: [2000]}, method: dense, max_passes: 100}]"
    )
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == 1
    assert ran.json["verdict"] == "inconclusive"
    assert "budget" in ran.json["cases"][0]["gradients"][0]["reason"]


def test_a_case_that_hangs_is_an_error_and_the_others_are_reported(workplace):
    workplace.write("squares.py", LAYERS)
    workplace.write("spec.yaml", spec_for("sleeps", "right"))
    ran = workplace.run("run", "spec.yaml", "--format", "json", "--timeout", "1")
    assert ran.code == 3
    assert [case["verdict"] for case in ran.json["cases"]] == ["error", "pass"]
    assert "timed out" in ran.json["cases"][0]["reason"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "nowhere.yaml"),
        ("run",),
        ("run", "spec.yaml", "--dtype", "int3"),
        ("run", "spec.yaml", "--rtol", "nan"),
        ("run", "spec.yaml", "--atol", "-1"),
        ("run", "spec.yaml", "--timeout", "inf"),
        ("run", "spec.yaml", "--timeout", "0"),
        ("run", "spec.yaml", "--method", "exact"),
        ("run", "spec.yaml", "--memory", "0"),
        ("audit", "spec.yaml", "--memory", "500"),
        ("sweep", "spec.yaml", "--max-passes", "0"),
        ("run", "spec.yaml", "--max-passes", "1e3"),
        ("audit", "spec.yaml", "--method", "dense"),
        ("audit", "spec.yaml", "--max-passes", "9"),
        ("fly",),
    ],
)
def test_wrong_usage_exits_2_with_empty_stdout(workplace, arguments):
    workplace.write("spec.yaml", "cases: [{name: a, layer: relu, inputs: {x: [2]}}]")
    ran = workplace.run(*arguments)
    assert ran.code == 2
    assert ran.stdout == ""
    assert "Error" in ran.stderr


@pytest.mark.parametrize("command", ["run", "audit", "sweep"])
def test_an_invalid_spec_exits_2_and_runs_nothing(workplace, command):
    workplace.write("squares.py", "open('imported', 'w').close()\n" + "import numpy as np\n")
    workplace.write("good.yaml", spec_for("right"))
    workplace.write("bad.yaml", "cases: [{name: a, layer: rellu, inputs: {x: [2]}, foo: 1}]")
    ran = workplace.run(command, ".", "--format", "json")
    assert ran.code == 2
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == [
        "bad.yaml:1:26: 'rellu' is not a built-in layer, did you mean 'relu'?",
        "bad.yaml:1:51: unknown key 'foo' in a case, expected one of " + ran.stderr.splitlines()[1].split("one of ")[1],
    ]
    assert not (workplace.path / "imported").exists()


@pytest.mark.parametrize("arguments", [("-k", "nothing"), ()])
def test_nothing_to_run_exits_5(workplace, arguments):
    if arguments:
        workplace.write("spec.yaml", "cases: [{name: a, layer: relu, inputs: {x: [2]}}]")
    ran = workplace.run("run", ".", "--format", "json", *arguments)
    assert ran.code == 5
    assert ran.json["verdict"] == "empty"
    assert ran.json["cases"] == []


def test_only_skips_exit_5(workplace):
    workplace.write(
        "spec.yaml",
        """
        cases:
          - name: c
            layer: conv2d
            inputs: {x: [1, 1, 2, 2], w: [1, 1, 3, 3], b: [1]}
            sweep: {stride: [1, 2]}
        """,
    )
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == 5
    assert [case["verdict"] for case in ran.json["cases"]] == ["skip", "skip"]
    assert "kernel 3 is larger than the padded input 2" in ran.json["cases"][0]["reason"]


def test_what_user_code_prints_never_reaches_stdout(workplace):
    workplace.write("squares.py", LAYERS)
    workplace.write("spec.yaml", spec_for("right"))
    ran = workplace.run("run", "spec.yaml", "--format", "json")
    assert ran.code == 0
    assert ran.json["counts"]["pass"] == 1
    terminal = workplace.run("run", "spec.yaml")
    assert "imported" not in terminal.stdout
    assert "forward" not in terminal.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGINT") or sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reports_what_has_finished_and_exits_130(workplace, way):
    workplace.write("squares.py", LAYERS)
    workplace.write("spec.yaml", spec_for("right", "sleeps"))
    command = [sys.executable, "-m", "gradverify", "run", "spec.yaml", "--workers", "1", "--format", "json=out.json"]
    command += ["--format", "terminal"]
    started = subprocess.Popen(
        command, cwd=workplace.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=plain_environment()
    )
    line = ""
    while "right" not in line:
        line = started.stdout.readline()
    began = time.monotonic()
    started.send_signal(way)
    out, err = started.communicate(timeout=20)
    assert started.returncode == 130, err
    assert time.monotonic() - began < 5
    assert "INTERRUPTED: 1 pass" in out
    report = (workplace.path / "out.json").read_text()
    assert '"exit_code": 130' in report
    assert '"right"' in report


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
@pytest.mark.parametrize("arguments", [["audit", "many.yaml"], ["audit", "many.yaml", "--format", "json"], ["schema"]])
def test_a_reader_that_leaves_is_no_failed_check(workplace, arguments):
    case = "layer: conv2d, inputs: {x: [1, 1, 8, 8], w: [1, 1, 3, 3], b: [1]}, params: {stride: 2}"
    workplace.write("many.yaml", "cases:\n" + "\n".join(f"- {{name: c{number}, {case}}}" for number in range(300)))
    command = [sys.executable, "-m", "gradverify", *arguments]
    started = subprocess.Popen(command, cwd=workplace.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    started.stdout.close()
    errors = started.stderr.read()
    started.stderr.close()
    assert (started.wait(), errors) == (141, b"")


def test_our_own_failure_has_a_code_of_its_own(monkeypatch, capsys):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(click.Group, "main", broken)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 70
    assert "please report" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "folder"), "there is nothing to judge in 'folder', expected specs"),
        (("run", "a.yaml", "-k", "zzz"), "no case has 'zzz' in its id, --collect-only without -k lists all ids"),
        (("audit", "folder", "--collect-only"), "there is nothing to judge in 'folder', expected specs"),
        (("run", "folder", "--allow-empty"), ""),
    ],
)
def test_why_there_is_nothing_to_judge_is_said_on_stderr(workplace, arguments, said):
    workplace.write("a.yaml", "cases: [{name: a, layer: relu, inputs: {x: [2]}}]")
    (workplace.path / "folder").mkdir()
    ran = workplace.run(*arguments)
    assert ran.code == (0 if "--allow-empty" in arguments else 5)
    assert ran.stderr.startswith(said)
    assert bool(ran.stderr) == bool(said)
