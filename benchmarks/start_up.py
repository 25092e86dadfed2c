"""How long a user waits: start-up of the commands beside bare Python, medians, in one run.

python benchmarks/start_up.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 15
ROOT = Path(__file__).parent.parent
SMALL = "cases: [{name: small, layer: relu, inputs: {x: [4, 5]}}]\n"


def median_seconds(command: list[str]) -> float:
    """Return the median time of a command; the first run, which writes bytecode, is not counted."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main() -> None:
    """Print a row a command, with its ratio to bare Python."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.yaml")
        small.write_text(SMALL)
        gradverify = [sys.executable, "-m", "gradverify"]
        asking = ["env", "_GRADVERIFY_COMPLETE=bash_complete"]
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import numpy'": [sys.executable, "-c", "import numpy"],
            "gradverify --help": [*gradverify, "--help"],
            "completion of a command's name": [*asking, "COMP_LINE=gradverify sch", *gradverify],
            "completion of a case's id": [*asking, "COMP_LINE=gradverify run configs/ --case c", *gradverify],
            "gradverify audit configs/alexnet-stem.yaml": [*gradverify, "audit", "configs/alexnet-stem.yaml"],
            "gradverify run, one small case": [*gradverify, "run", str(small)],
            "gradverify run configs/": [*gradverify, "run", "configs/"],
        }
        measured = {name: median_seconds(command) for name, command in rows.items()}
    bare = measured["python -c pass"]
    print(f"{'command':<44} {'seconds':>8} {'x bare':>7}")
    for name, seconds in measured.items():
        print(f"{name:<44} {seconds:>8.3f} {seconds / bare:>7.1f}")


if __name__ == "__main__":
    main()
