"""However a run ends: what has finished is reported at once, and nothing goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from misbehaviour import HONEST

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, sessions and /proc")

STUCK = {
    "spins": "while True: pass",
    "holds_the_lock": "ctypes.PyDLL(None).sleep(60)",
    "is_stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "has_a_detached_child": "subprocess.run(['sleep', MARK], start_new_session=True, stdin=0, stdout=1)",
    "ignores_signals": "[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 3, 15)], time.sleep(60)",
}


@pytest.fixture
def started(workplace):
    """Start a run in which every worker but one is stuck; return it once the free one has finished its cases."""
    mark = f"{50_000 + os.getpid()}"
    lines = ["cases:"]
    for name, statement in STUCK.items():
        workplace.write(f"{name}.py", HONEST)
        code = f"def forward(x):\n    open('{name}.stuck', 'w').close()\n    {statement}\n".replace("MARK", repr(mark))
        (workplace.path / f"{name}.py").write_text(HONEST + code, encoding="utf-8")
        functions = f"{{forward: '{name}:forward', backward: '{name}:backward'}}"
        lines.append(f"  - {{name: {name}, functions: {functions}, inputs: {{x: [3]}}}}")
    lines.append("  - {name: finished, layer: relu, inputs: {x: [3]}}")
    lines.append("  - {name: too, layer: tanh, inputs: {x: [3]}}")
    (workplace.path / "spec.yaml").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "gradverify", "run", "spec.yaml", "--workers", str(len(STUCK) + 1)]
    process = subprocess.Popen(
        [*command, "--format", "json"],
        cwd=workplace.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    limit = time.monotonic() + 30
    while len(list(workplace.path.glob("*.stuck"))) < len(STUCK):
        assert time.monotonic() < limit, "they did not get stuck in time"
        time.sleep(0.02)
    time.sleep(0.7)  # for the two that finish; nothing shows when
    yield process, mark
    process.kill()
    process.communicate()


def running(folder: Path, mark: str) -> list[str]:
    """Return the command lines of processes that belong to a run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_text().replace("\0", " ")
            inside = (process / "cwd").samefile(folder)
        except OSError:
            continue
        if inside or f"sleep {mark}" in line:
            found.append(line)
    return found


@pytest.mark.parametrize("way", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_reports_within_a_second_what_has_finished_in_whatever_order(started, workplace, way):
    process, mark = started
    assert len(running(workplace.path, mark)) > len(STUCK)
    began = time.monotonic()
    process.send_signal(way)
    out, err = process.communicate(timeout=20)
    assert time.monotonic() - began < 1
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["exit_code"] == 130
    assert [case["name"] for case in report["cases"]] == ["finished", "too"]
    assert running(workplace.path, mark) == []


def test_nothing_goes_on_when_gradverify_itself_is_killed(started, workplace):
    process, mark = started
    process.kill()
    process.communicate()
    limit = time.monotonic() + 5
    while left := running(workplace.path, mark):
        assert time.monotonic() < limit, left
        time.sleep(0.02)


def test_two_packages_of_one_name_never_meet(workplace):
    for folder, factor in (("first", 2), ("second", 3)):
        workplace.write(f"{folder}/layers/__init__.py", f"from layers.factor import FACTOR\nOWN = {factor}\n")
        workplace.write(f"{folder}/layers/factor.py", f"FACTOR = {factor}\n")
        workplace.write(
            f"{folder}/layers/scale.py",
            """
            import layers
            def forward(x, expected):
                assert layers.OWN == layers.FACTOR == expected
                return layers.FACTOR * x
            def backward(dout, x, expected):
                return layers.FACTOR * dout
            """,
        )
        functions = "{forward: 'layers.scale:forward', backward: 'layers.scale:backward'}"
        cases = "\n".join(
            f"  - {{name: c{n}, functions: {functions}, inputs: {{x: [3]}}, params: {{expected: {factor}}}}}"
            for n in range(3)
        )
        (workplace.path / folder / "spec.yaml").write_text("cases:\n" + cases, encoding="utf-8")
    ran = workplace.run("run", "first/spec.yaml", "second/spec.yaml", "--format", "json")
    assert [case["verdict"] for case in ran.json["cases"]] == ["pass"] * 6, ran.stdout


TELLTALE = "from pathlib import Path\nPath(__file__).with_name('executed').touch()\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit", "."],
        ["audit", "spec.yaml", "--format", "json"],
        ["run", "spec.yaml", "--collect-only"],
        ["sweep", "spec.yaml", "--set", "stride=1:2", "--collect-only"],
        ["layers"],
        ["layers", "conv2d"],
        ["init", "conv2d"],
        ["schema"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_what_executes_no_user_code_executes_none(workplace, arguments):
    for name in ("mine", "sitecustomize_of_mine", "numpy", "yaml", "json", "gradverify_plugin", "conftest"):
        workplace.write(f"{name}.py", TELLTALE + HONEST)
    workplace.write(
        "spec.yaml",
        """
        pythonpath: [.]
        cases:
          - name: window
            functions: {forward: 'mine:forward', backward: 'mine:backward'}
            inputs: {x: [1, 1, 5, 5], w: [1, 1, 2, 2]}
            params: {stride: 1}
            geometry: {input: x, kernel: w, stride: stride}
        """,
    )
    command = [str(Path(sys.executable).with_name("gradverify")), *arguments]
    ran = subprocess.run(command, cwd=workplace.path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert not (workplace.path / "executed").exists()


def test_the_telltale_tells(workplace):
    workplace.write("mine.py", TELLTALE + HONEST)
    functions = "{forward: 'mine:forward', backward: 'mine:backward'}"
    workplace.write("spec.yaml", f"cases: [{{name: a, functions: {functions}, inputs: {{x: [3]}}}}]")
    assert workplace.run("run", "spec.yaml").code == 0
    assert (workplace.path / "executed").exists()
