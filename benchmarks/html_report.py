"""What the HTML report costs: a run with it beside one with JSON, and how large its page is, in one run.

python benchmarks/html_report.py
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 3
ROOT = Path(__file__).parent.parent
SWEEP = """
cases:
  - name: conv
    layer: conv2d
    inputs: {x: [N, 3, 9, 9], w: [4, 3, 3, 3], b: [4]}
    dims: {N: 1}
    sweep: {stride: 1:5, padding: 0:9, dilation: 1:4, N: 1:5}
"""


def cpu_seconds(spec: str, output: str) -> float:
    """Return the CPU time of a run, that of its workers included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "gradverify", "run", spec, "--format", output]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the ratio on configs/, and the size of the page of a sweep of 1000 cases."""
    with tempfile.TemporaryDirectory() as folder:
        json, html = Path(folder, "r.json"), Path(folder, "r.html")
        pairs = [
            (cpu_seconds("configs/", f"json={json}"), cpu_seconds("configs/", f"html={html}")) for _ in range(ROUNDS)
        ]
        plain, drawn = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(f"configs/: {plain:.2f} s of CPU with json, {drawn:.2f} s with html, {drawn / plain:.2f} times")
        spec = Path(folder, "sweep.yaml")
        spec.write_text(SWEEP)
        cpu_seconds(str(spec), f"html={html}")
        print(f"a sweep of 1000 cases: {html.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
