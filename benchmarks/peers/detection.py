"""Which bugs a peer catches, and how often it calls right code wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bugs import BUGS
from costs import run
from problems import Problem
from workloads import DETECTION

if TYPE_CHECKING:
    from problems import Peer

__all__ = ["alarms", "caught"]


def caught(check: Peer, seeds: int) -> dict[str, int]:
    """Return for each bug at how many seeds it is called wrong; undecided is not caught."""
    return {
        name: sum(_verdict(check, Problem(DETECTION[bug.workload], seed, bug=name)) == "fail" for seed in range(seeds))
        for name, bug in BUGS.items()
    }


def alarms(check: Peer, seeds: int, dtype: str) -> tuple[int, int]:
    """Return how many right cases are not passed (undecided is not passed), and of how many."""
    right = [Problem(workload, seed, dtype) for workload in DETECTION.values() for seed in range(seeds)]
    return sum(_verdict(check, problem) != "pass" for problem in right), len(right)


def _verdict(check: Peer, problem: Problem) -> str:
    return run(check, problem)[2].verdict
