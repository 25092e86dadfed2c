"""Measures one peer in a process of its own: a request as JSON on the command line, an answer as JSON on stdout.

``run.py`` and ``growth.py`` start it, with one BLAS thread.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pkgutil import resolve_name
from typing import Any

from costs import cost_of
from detection import alarms, caught
from problems import Problem
from registry import PEERS
from workloads import Workload


def cost(peer: str, workload: dict[str, Any], patience: float) -> dict[str, Any]:
    """Return what a check costs."""
    shapes = {name: tuple(shape) for name, shape in workload["shapes"].items()}
    problem = Problem(Workload(workload["layer"], shapes, workload["params"]), seed=0)
    return asdict(cost_of(resolve_name(PEERS[peer].function), PEERS[peer], problem, patience))


def detection(peer: str, seeds: int) -> dict[str, Any]:
    """Return what a check catches, and its false alarms by dtype."""
    check = resolve_name(PEERS[peer].function)
    dtypes = ("float64", "float32")
    return {
        "seeds": seeds,
        "caught": caught(check, seeds),
        "alarms": {dtype: alarms(check, seeds, dtype) for dtype in dtypes},
    }


def main() -> None:
    """Answer one request."""
    request = json.loads(sys.argv[1])
    tasks = {"cost": cost, "detection": detection}
    print(json.dumps(tasks[request.pop("task")](**request)))


if __name__ == "__main__":
    main()
