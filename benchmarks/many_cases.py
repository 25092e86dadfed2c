"""What isolation costs: 1000 small convolutions in worker processes and in one process, in one run.

python benchmarks/many_cases.py
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from gradverify.pipeline import Settings, select, verify
from gradverify.results import CaseResult, Plan, Report
from gradverify.spec.expansion import Overrides

SPEC = """
cases:
  - name: conv
    layer: conv2d
    dims: {C: 1}
    inputs: {x: [1, C, 5, 5], w: [1, C, 2, 2], b: [1]}
    sweep: {C: 1:2, stride: 1:5, padding: 0:9, dilation: 1:10}
"""


class Silent:
    """Listens and writes nothing."""

    def start(self, plan: Plan) -> None:
        """Hear nothing."""

    def case(self, result: CaseResult) -> None:
        """Hear nothing."""

    def finish(self, report: Report) -> None:
        """Hear nothing."""


def main() -> None:
    """Print a row an executor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "many.yaml")
        file.write_text(SPEC)
        selection = select((str(file),), Overrides())
    print(f"{'executor':<12} {'workers':>7} {'cases':>6} {'seconds':>8} {'ms a case':>10}")
    for executor, workers in (("serial", 1), ("processes", 1), ("processes", cores)):
        started = time.perf_counter()
        report = verify(selection, Settings(command="run", executor=executor, workers=workers), Silent)
        seconds = time.perf_counter() - started
        each = 1000 * seconds / len(report.cases)
        print(f"{executor:<12} {workers:>7} {len(report.cases):>6} {seconds:>8.2f} {each:>10.2f}")


if __name__ == "__main__":
    main()
