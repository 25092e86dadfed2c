"""What isolation costs: 1000 small cases in worker processes and in one process, in one run.

Once of a built-in layer, once of a user's own functions.

python benchmarks/many_cases.py
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from gradverify.pipeline import Selection, Settings, select, verify
from gradverify.results import CaseResult, Plan, Report
from gradverify.spec.overriding import Overrides

BUILT_IN = """
cases:
  - name: conv
    layer: conv2d
    dims: {C: 1}
    inputs: {x: [1, C, 5, 5], w: [1, C, 2, 2], b: [1]}
    sweep: {C: 1:2, stride: 1:5, padding: 0:9, dilation: 1:10}
"""

OWN = """
cases:
  - name: scaled
    functions: {forward: 'mylayers:forward', backward: 'mylayers:backward'}
    inputs: {x: [3, 4], w: [4]}
    params: {scale: 1}
    sweep: {scale: 1:1000}
"""

MODULE = """
import numpy as np

def forward(x, w, scale):
    return scale * np.tanh(x) * w, (x, w, scale)

def backward(dout, cache):
    x, w, scale = cache
    return scale * dout * w * (1 - np.tanh(x) ** 2), np.sum(scale * dout * np.tanh(x), axis=0)
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
    """Print a row an executor and kind of case."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"{'cases':<22} {'executor':<12} {'workers':>7} {'seconds':>8} {'ms a case':>10}")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "mylayers.py").write_text(MODULE)
        for kind, spec in (("built-in", BUILT_IN), ("own functions", OWN)):
            file = Path(folder, "many.yaml")
            file.write_text(spec)
            selection = select((str(file),), Overrides())
            for executor, workers in (("serial", 1), ("processes", 1), ("processes", cores)):
                seconds = timed(selection, Settings(command="run", executor=executor, workers=workers))
                each = 1000 * seconds / len(selection.cases)
                cases = f"{len(selection.cases)} {kind}"
                print(f"{cases:<22} {executor:<12} {workers:>7} {seconds:>8.2f} {each:>10.2f}")


def timed(selection: Selection, settings: Settings) -> float:
    """Return how long a run takes, with the start of its workers."""
    started = time.perf_counter()
    report = verify(selection, settings, Silent)
    seconds = time.perf_counter() - started
    assert report.exit_code == 0, report.counts  # noqa: S101  else it measures something else
    return seconds


if __name__ == "__main__":
    main()
