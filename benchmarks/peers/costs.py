"""What a check costs: measured whole where it is quick, else on a sample and extrapolated."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from problems import Finding, Peer, Problem, Sample, relative_error
from subjects import LEDGER
from workloads import DETECTION

if TYPE_CHECKING:
    from registry import PeerInfo

__all__ = ["Cost", "cost_of", "run"]

# Entries of a sample that shows roughly what an entry costs.
PILOT = 16
# Runs of which the median is taken, as long as they are short.
RUNS = 5
# Entries of a Jacobian, which torch holds in memory some seven times over; beyond, only a sample is run.
LARGEST_JACOBIAN = 1 << 27


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and forward passes; ``extrapolated`` where only a sample was run, which has no verdict."""

    seconds: float
    passes: float
    verdict: str | None = None
    error: float | None = None
    extrapolated: bool = False
    notes: tuple[str, ...] = ()


def cost_of(check: Peer, info: PeerInfo, problem: Problem, patience: float) -> Cost:
    """Measure one peer on one problem.

    Parameters
    ----------
    patience
        Seconds that a whole run may be expected to take; a sample takes about a fifth of it.
    """
    run(check, Problem(DETECTION["maxpool"], problem.seed))  # what libraries load on first use is not a check's cost
    if info.work is None:
        return _whole(check, problem, patience)
    per_jacobian = info.work == "jacobian"
    pilot = _extrapolated(check, problem, (PILOT, PILOT), per_jacobian)
    size = problem.workload.elements * problem.cotangent.size
    if pilot.seconds <= patience and not (per_jacobian and size > LARGEST_JACOBIAN):
        return _whole(check, problem, patience)
    share = patience / 5 / pilot.seconds
    entries = min(problem.workload.elements, max(PILOT, int(share * problem.workload.elements)))
    outputs = min(problem.cotangent.size, max(PILOT, int(share * problem.cotangent.size)))
    return _extrapolated(check, problem, (entries, outputs), per_jacobian)


def _whole(check: Peer, problem: Problem, patience: float) -> Cost:
    """Run a check a few times, as long as that takes less than a fifth of the patience."""
    runs = [run(check, problem)]
    while len(runs) < RUNS and sum(seconds for seconds, _, _ in runs) < patience / 5:
        runs.append(run(check, problem))
    _, passes, finding = runs[-1]
    seconds = median(seconds for seconds, _, _ in runs)
    return Cost(seconds, passes, finding.verdict, _error(finding, problem), notes=finding.notes)


def _extrapolated(check: Peer, problem: Problem, sizes: tuple[int, int], per_jacobian: bool) -> Cost:
    """Extrapolate from one entry and from several: what is the same in both is paid once.

    Where outputs count too, entries of inputs and of outputs are sampled one after the other. A Jacobian is then
    never stored nor compared as a whole, so that the extrapolated time is less than the true one.
    """
    entries, outputs = sizes
    one = 1 if per_jacobian else None
    base = run(check, Sample(problem, 1, one))
    sample = Sample(problem, entries, one)
    many = run(check, sample)
    slopes = [(many, entries, problem.workload.elements)]
    if per_jacobian:
        slopes.append((run(check, Sample(problem, 1, outputs)), outputs, problem.cotangent.size))
    seconds, passes = (
        base[part]
        + sum((run[part] - base[part]) / (taken - 1) * (all_of_them - 1) for run, taken, all_of_them in slopes)
        for part in (0, 1)
    )
    return Cost(seconds, passes, error=_error(many[2], sample), extrapolated=True)


def run(check: Peer, problem: Problem | Sample) -> tuple[float, int, Finding]:
    """Return seconds, forward passes and what was found; the data are drawn before."""
    assert problem.cotangent.size  # noqa: S101  drawn on first use, by a forward pass
    LEDGER.clear()
    started = time.perf_counter()
    finding = check(problem)
    return time.perf_counter() - started, LEDGER.forward, finding


def _error(finding: Finding, problem: Problem | Sample) -> float | None:
    if finding.numerical is None:
        return finding.error
    return relative_error(finding.numerical, problem.reference)
