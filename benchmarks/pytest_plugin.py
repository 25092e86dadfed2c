"""What pytest costs: 200 small cases as tests beside ``gradverify run`` of the same spec, medians, in one run.

python benchmarks/pytest_plugin.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5
SPEC = """
cases:
  - name: conv
    layer: conv2d
    dims: {C: 1}
    inputs: {x: [1, C, 5, 5], w: [1, C, 2, 2], b: [1]}
    sweep: {C: 1:2, stride: 1:5, padding: 5:6, dilation: 1:10}
"""
LOADING = """
import time, pytest
started = time.perf_counter()
import gradverify.pytest_plugin
print(1000 * (time.perf_counter() - started))
"""
# The plugins that others brought along are none of ours.
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest"]


def seconds_of(command: list[str], folder: str) -> float:
    """Return the time of a command that succeeds."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, cwd=folder, env=kept, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print a row a command, with its ratio to the run, and what every other run of pytest pays for the plugin."""
    run = [sys.executable, "-m", "gradverify", "run", "many.gradverify.yaml", "-q"]
    commands = {
        "gradverify run, 200 cases": run,
        "gradverify run --workers 1": [*run, "--workers", "1"],
        "pytest, 200 cases": PYTEST,
        "pytest, --workers 1": [*PYTEST, "-o", "gradverify_options=--workers 1"],
        "pytest -n 2": [*PYTEST, "-n", "2"],
        "pytest --collect-only": [*PYTEST, "--collect-only"],
    }
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pytest.ini").write_text("[pytest]\n")
        Path(folder, "many.gradverify.yaml").write_text(SPEC)
        # In turns, so that a busy machine is busy for all; the first round, which writes bytecode, is not counted.
        rounds = [{name: seconds_of(words, folder) for name, words in commands.items()} for _ in range(RUNS + 1)]
        loaded = [subprocess.check_output([sys.executable, "-c", LOADING], text=True) for _ in range(RUNS)]
    measured = {name: statistics.median(one[name] for one in rounds[1:]) for name in commands}
    print(f"{'command':<28} {'seconds':>8} {'x run':>6}")
    for name, seconds in measured.items():
        print(f"{name:<28} {seconds:>8.2f} {seconds / measured['gradverify run, 200 cases']:>6.2f}")
    print(f"the plugin itself: {statistics.median(map(float, loaded)):.1f} ms")


if __name__ == "__main__":
    main()
