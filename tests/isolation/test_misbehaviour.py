"""Nothing that user code does loses a result: one run over every misbehaviour, each between two cases that behave."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from misbehaviour import HONEST, MISBEHAVIOURS, WATCHFUL
from workplace import Ran, run_command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, sessions and /proc")

# How long the processes sleep that must not be left: nobody else sleeps that long.
MARK = f"{40_000 + os.getpid()}"


def case(name: str, module: str, keys: str = "") -> str:
    more = f", {keys}" if keys else ""
    functions = f"{{forward: '{module}:forward', backward: '{module}:backward'}}"
    return f"  - {{name: {name}, functions: {functions}, inputs: {{x: [3]}}{more}}}\n"


def write(folder: Path) -> Path:
    """Write the modules and a spec in which honest and watchful code stands between all others."""
    lines = ["cases:\n", case("fresh", "watchful", "params: {who: fresh}"), case("honest-0", "honest")]
    for name, kind in MISBEHAVIOURS.items():
        (folder / f"{name}.py").write_text(kind.module.replace("MARK", MARK), encoding="utf-8")
        lines.append(case(name, name, kind.keys))
        lines.append(case(f"after-{name}", "watchful", f"params: {{who: after-{name}}}"))
        lines.append(case(f"honest-{name}", "honest"))
    (folder / "honest.py").write_text(HONEST, encoding="utf-8")
    (folder / "watchful.py").write_text(WATCHFUL, encoding="utf-8")
    spec = folder / "spec.yaml"
    spec.write_text("".join(lines), encoding="utf-8")
    return spec


def once(folder: Path) -> dict[str, Any]:
    """Run everything once for all test processes: whoever makes the folder does, the others wait."""
    done = folder / "done.json"
    try:
        folder.mkdir()
    except FileExistsError:
        limit = time.monotonic() + 120
        while not done.exists():
            assert time.monotonic() < limit, "the run of the other test process did not end"
            time.sleep(0.1)
    else:
        began = time.monotonic()
        write(folder)
        ran = run_command("run", "spec.yaml", "--format", "json", cwd=folder)
        left = [process for process in Path("/proc").glob("[0-9]*") if f"sleep\0{MARK}" in command(process)]
        found = {"code": ran.code, "stdout": ran.stdout, "stderr": ran.stderr, "left": [str(one) for one in left]}
        found["seen"] = {file.stem: file.read_text() for file in folder.glob("*.seen")}
        (folder / "half.json").write_text(json.dumps(found | {"seconds": time.monotonic() - began}))
        (folder / "half.json").rename(done)
    return json.loads(done.read_text())


def command(process: Path) -> str:
    try:
        return (process / "cmdline").read_text()
    except OSError:
        return ""


@pytest.fixture(scope="session")
def found(tmp_path_factory, worker_id) -> dict[str, Any]:
    """Return what the run left: code, stdout, stderr and processes."""
    base = tmp_path_factory.getbasetemp()
    return once((base if worker_id == "master" else base.parent) / "misbehaviour")


@pytest.fixture(scope="session")
def cases(found) -> dict[str, Any]:
    """Return the reported cases by name."""
    return {case["name"]: case for case in Ran(found["code"], found["stdout"], found["stderr"]).json["cases"]}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_case_that_misbehaves_gets_its_verdict_and_the_cause_in_words(cases, name):
    kind, case = MISBEHAVIOURS[name], cases[name]
    assert case["verdict"] == kind.verdict, case["reason"]
    if kind.verdict == "pass":
        assert case["reason"] is None
        return
    first, *rest = case["reason"].splitlines()
    assert re.match(kind.reason, first), case["reason"]
    assert re.search(kind.output, "\n".join(rest)), case["reason"]


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_the_cases_after_it_find_everything_as_new(found, cases, name):
    assert [cases[case]["verdict"] for case in (f"honest-{name}", f"after-{name}")] == ["pass", "pass"]
    fresh, after = (
        re.sub(r"0x[0-9a-f]+", "0x", found["seen"][case]).splitlines() for case in ("fresh", f"after-{name}")
    )
    assert after == fresh


def test_every_case_is_reported_and_no_process_is_left(found, cases):
    assert found["code"] == 1  # some fail as they should; without these it is 3
    assert found["left"] == []
    assert found["stderr"] == ""
    assert len(cases) == 2 + 3 * len(MISBEHAVIOURS)
