"""The options that run, audit and sweep share."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from workplace import run_command

from gradverify import __version__
from gradverify.cli.main import commands

TANH = """
    seed: 4
    cases:
      - {name: first, layer: tanh, inputs: {x: [3]}, timeout: 50}
      - {name: second, layer: relu, inputs: {x: [3]}}
      - {name: third, layer: tanh, inputs: {x: [2]}, dtype: float32, sweep: {}}
"""

WARNS = """
    import numpy as np

    def forward(x):
        return x * x, x

    def backward(dout, x):
        return (2 * x * dout).astype(np.float64)
"""


def test_collect_only_prints_ids_and_runs_nothing(workplace):
    workplace.write("a.yaml", "cases: [{name: a, functions: {forward: 'no:f', backward: 'no:b'}, inputs: {x: [2]}}]")
    ran = workplace.run("run", "a.yaml", "--collect-only")
    assert (ran.code, ran.stdout) == (0, "a\n")
    assert workplace.run("run", "a.yaml", "--collect-only", "-k", "b").code == 5


def test_k_keeps_the_cases_whose_id_contains_the_text(workplace):
    workplace.write("a.yaml", TANH)
    ran = workplace.run("run", "a.yaml", "--format", "json", "-k", "ir")
    assert [case["id"] for case in ran.json["cases"]] == ["first", "third"]


def test_options_beat_the_spec(workplace):
    workplace.write("a.yaml", TANH)
    spec = workplace.run("run", "a.yaml", "--format", "json").json
    ours = workplace.run("run", "a.yaml", "--format", "json", "--seed", "9").json
    assert (spec["seed"], ours["seed"]) == (4, 9)
    worst = [report["cases"][0]["gradients"][0]["worst"] for report in (spec, ours)]
    assert worst[0] != worst[1]


@pytest.mark.parametrize("command", ["run", "sweep"])
@pytest.mark.parametrize(
    ("arguments", "method", "passes"),
    [
        ((), None, None),
        (("--method", "certificate", "--max-passes", "1"), "certificate", 1),
        (("--method", "auto"), "auto", None),
    ],
)
def test_the_method_and_its_budget_reach_the_cases(command, arguments, method, passes, monkeypatch):
    heard = []
    monkeypatch.setattr("gradverify.cli.session.conduct", lambda common, *_: heard.append(common.overrides()))
    commands.main([command, "a.yaml", *arguments], standalone_mode=False)
    assert [(overrides.method, overrides.max_passes) for overrides in heard] == [(method, passes)]


def test_tolerances_on_the_command_line_beat_the_spec(workplace):
    workplace.write("off.py", "def f(x): return x * x, x\ndef b(dout, x): return 2.001 * x * dout\n")
    workplace.write(
        "a.yaml", "cases: [{name: off, functions: {forward: 'off:f', backward: 'off:b'}, inputs: {x: [3]}}]"
    )
    assert workplace.run("run", "a.yaml").code == 1
    assert workplace.run("run", "a.yaml", "--rtol", "1e-3").code == 0
    assert workplace.run("run", "a.yaml", "--rtol", "0", "--atol", "1").code == 0


def test_the_same_seed_gives_the_same_report(workplace):
    workplace.write("a.yaml", TANH)
    reports = [workplace.run("run", "a.yaml", "--format", "json").json for _ in range(2)]
    for report in reports:
        del report["seconds"]
        for case in report["cases"]:
            del case["seconds"]
    assert reports[0] == reports[1]


def test_fail_fast_skips_the_rest(workplace):
    workplace.write("bad.py", "def f(x): return x * x, x\ndef b(dout, x): return x\n")
    workplace.write(
        "a.yaml",
        """
        cases:
          - {name: bad, functions: {forward: 'bad:f', backward: 'bad:b'}, inputs: {x: [2]}}
          - {name: good, layer: relu, inputs: {x: [2]}}
        """,
    )
    ran = workplace.run("run", "a.yaml", "--fail-fast", "--format", "json")
    assert ran.code == 1
    assert [(case["verdict"], case["reason"]) for case in ran.json["cases"]][1] == ("skip", "not run")


def test_strict_fails_warnings(workplace):
    workplace.write("warns.py", WARNS)
    workplace.write(
        "a.yaml",
        """
        dtype: float32
        cases: [{name: a, functions: {forward: 'warns:forward', backward: 'warns:backward'}, inputs: {x: [2]}}]
        """,
    )
    lenient = workplace.run("run", "a.yaml", "--format", "json")
    assert lenient.code == 0
    warning = [part for part in lenient.json["cases"][0]["contracts"] if part["verdict"] == "fail"]
    assert [(part["code"], part["severity"]) for part in warning] == [("dtype", "warning")]
    assert workplace.run("run", "a.yaml", "--strict").code == 1


def test_expect_turns_the_verdict_round_and_warnings_do_not_satisfy_it(workplace):
    workplace.write("bad.py", WARNS + "\n    def wrong(dout, x):\n        return x * dout\n")
    workplace.write(
        "a.yaml",
        """
        cases:
          - {name: caught, functions: {forward: 'bad:forward', backward: 'bad:wrong'}, inputs: {x: [2]}, expect: fail}
          - name: missed
            functions: {forward: 'bad:forward', backward: 'bad:backward'}
            inputs: {x: [2]}
            expect: fail
            dtype: float32
        """,
    )
    report = workplace.run("run", "a.yaml", "--format", "json").json
    assert [case["verdict"] for case in report["cases"]] == ["pass", "fail"]
    assert report["cases"][0]["gradients"][0]["verdict"] == "fail"
    assert report["counts"] == {"pass": 1, "fail": 1, "inconclusive": 0, "error": 0, "skip": 0}


@pytest.mark.parametrize(
    ("arguments", "alexnet", "resnet"),
    [
        ((), 1, 1),
        (("--fail-on", "identity"), 1, 1),
        (("--fail-on", "data-loss"), 1, 0),
        (("--fail-on", "impossible"), 0, 0),
        (("--fail-on", "never"), 0, 0),
    ],
)
def test_audit_fails_on_what_it_is_told_to(arguments, alexnet, resnet):
    assert run_command("audit", "configs/alexnet-stem.yaml", *arguments).code == alexnet
    assert run_command("audit", "configs/resnet-stem.yaml", *arguments).code == resnet


def test_run_shows_a_violation_and_fails_it_only_when_told():
    shown = run_command("run", "configs/alexnet-stem.yaml")
    assert shown.code == 0
    assert "identity violated: H r=1, W r=1 (data lost)" in shown.stdout
    assert run_command("run", "configs/alexnet-stem.yaml", "--fail-on", "data-loss").code == 1
    assert run_command("run", "configs/resnet-stem.yaml", "--fail-on", "data-loss").code == 0
    assert run_command("run", "configs/resnet-stem.yaml", "--fail-on", "identity").code == 1


def test_audit_ignores_expect_and_never_imports_user_code(workplace):
    workplace.write("layer.py", "open('imported', 'w').close()")
    workplace.write(
        "a.yaml",
        """
        cases:
          - name: mine
            functions: {forward: 'layer:f', backward: 'layer:b'}
            inputs: {x: [2, 3, 8, 8], w: [4, 3, 3, 3]}
            params: {conv_param: {stride: 2, pad: 0}}
            geometry: {input: x, kernel: w, stride: conv_param.stride, padding: conv_param.pad}
            expect: fail
          - {name: other, functions: {forward: 'layer:f', backward: 'layer:b'}, inputs: {x: [2]}}
        """,
    )
    ran = workplace.run("audit", "a.yaml", "--format", "json")
    assert ran.code == 1
    assert [case["verdict"] for case in ran.json["cases"]] == ["fail", "skip"]
    assert [part["unread_data"] for part in ran.json["cases"][0]["geometry"]] == [1, 1]
    assert not (workplace.path / "imported").exists()


def test_impossible_geometry_fails_the_audit_and_is_an_error_in_run(workplace):
    workplace.write("a.yaml", "cases: [{name: c, layer: conv2d, inputs: {x: [1, 1, 2, 2], w: [1, 1, 3, 3], b: [1]}}]")
    audit, run = (
        workplace.run("audit", "a.yaml", "--format", "json"),
        workplace.run("run", "a.yaml", "--format", "json"),
    )
    assert (audit.code, audit.json["cases"][0]["verdict"]) == (1, "fail")
    assert (run.code, run.json["cases"][0]["verdict"]) == (3, "error")
    assert workplace.run("audit", "a.yaml", "--fail-on", "impossible").code == 1
    assert workplace.run("audit", "a.yaml", "--fail-on", "never").code == 0


def test_formats_go_to_files_and_one_to_stdout(workplace):
    workplace.write("a.yaml", TANH)
    ran = workplace.run("run", "a.yaml", "--format", "terminal", "--format", "json=out.json")
    assert ran.stdout.endswith(" s\n")
    assert json.loads((workplace.path / "out.json").read_text())["verdict"] == "pass"
    assert [path.name for path in workplace.path.iterdir() if path.name.startswith(".")] == []
    silent = workplace.run("run", "a.yaml", "--format", "json=out.json")
    assert (silent.code, silent.stdout) == (0, "")
    assert workplace.run("run", "a.yaml", "--format", "json", "--format", "terminal").code == 2
    assert workplace.run("run", "a.yaml", "--format", "xml").code == 2
    assert workplace.run("run", "a.yaml", "--format", "json=no/where.json").code == 2
    assert workplace.run("run", "a.yaml", "--format", "json=.").code == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX pipes")
def test_a_report_goes_into_a_pipe_that_stays_one(workplace):
    workplace.write("a.yaml", TANH)
    pipe = workplace.path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-c", f"print(open({str(pipe)!r}).read())"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as reader:
        assert workplace.run("run", "a.yaml", "--format", "json=pipe").code == 0
        assert json.loads(reader.communicate(timeout=20)[0])["verdict"] == "pass"
    assert pipe.is_fifo()


def test_colour_only_where_it_is_wanted(workplace):
    workplace.write("a.yaml", TANH)
    assert "\x1b[" not in workplace.run("run", "a.yaml").stdout
    assert "\x1b[" in workplace.run("run", "a.yaml", FORCE_COLOR="1").stdout
    assert "\x1b[" not in workplace.run("run", "a.yaml", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_quiet_and_verbose(workplace):
    workplace.write("a.yaml", TANH)
    quiet, normal, verbose = (workplace.run("run", "a.yaml", *flags).stdout for flags in (["-q"], [], ["-v"]))
    assert quiet.count("\n") == 2
    assert "first" in normal
    assert "contract shape" not in normal
    assert "contract shape: pass" in verbose


def test_an_ascii_stdout_is_enough(workplace):
    workplace.write("a.yaml", "cases: [{name: 'gradiënt ∂', layer: relu, inputs: {x: [2]}}]")
    ran = workplace.run("run", "a.yaml", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert ran.code == 0
    assert "PASS" in ran.stdout


def test_version():
    assert run_command("--version").stdout == f"gradverify {__version__}\n"


def test_a_tolerance_that_is_no_number_is_called_that():
    ran = run_command("run", "a.yaml", "--rtol", "loose")
    assert (ran.code, ran.stdout) == (2, "")
    assert "'loose' is not a valid number" in ran.stderr
