"""Starts ``worker.py`` for one request: a fresh process, one BLAS thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workloads import Workload

__all__ = ["WorkerError", "answer", "cost"]

# Read by the libraries when they load, so that they must be set before.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class WorkerError(Exception):
    """A worker took too long or failed; the message fits into a cell of a table."""


def answer(limit: float, **request: Any) -> Any:
    """Return what a worker answers.

    Raises
    ------
    WorkerError
        There is no answer after ``limit`` seconds, or at all; what went wrong is then on stderr.
    """
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), json.dumps(request)]
    environment = os.environ | _ONE_THREAD
    try:
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, timeout=limit, check=True)
    except subprocess.TimeoutExpired:
        raise WorkerError(f"> {limit:.0f} s") from None
    except subprocess.CalledProcessError:
        raise WorkerError("error") from None
    return json.loads(done.stdout.splitlines()[-1])


def cost(peer: str, workload: Workload, patience: float, limit: float) -> Any:
    """Return the fields of a ``Cost``."""
    return answer(limit, task="cost", peer=peer, workload=asdict(workload), patience=patience)
