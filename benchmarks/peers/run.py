"""gradverify beside what a user would take instead: the same numpy layers, the same data, one thread, one run.

pip install -e '.[peers]' && python benchmarks/peers/run.py --picture docs/images/peers.svg
python benchmarks/peers/run.py --quick
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bars import peers_picture
from registry import PEERS
from tables import Results, accuracy_table, bugs_table, main_table, passes_table, routes_table, settings_table
from workers import WorkerError, answer, cost
from workloads import WORKLOADS

QUICK_WORKLOADS = ("conv small", "batchnorm", "maxpool")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much time is spent.

    Attributes
    ----------
    patience
        Seconds that a check may take before only a sample of it is run.
    seeds
        How often each bug and each right case is tried.
    limit
        Seconds after which a worker is given up.
    """

    patience: float
    seeds: int
    limit: float


FULL = Effort(patience=15, seeds=3, limit=300)
QUICK = Effort(patience=1, seeds=1, limit=30)


def measure(peers: list[str], workloads: list[str], effort: Effort) -> Results:
    """Run every peer on every workload, one after the other, and say on stderr where we are."""
    results = Results()
    for peer in peers:
        for workload in workloads:
            print(f"{peer}: {workload}", file=sys.stderr)
            results.costs[peer, workload] = _tried(
                cost, peer, WORKLOADS[workload], patience=effort.patience, limit=effort.limit
            )
        print(f"{peer}: bugs and false alarms", file=sys.stderr)
        results.detections[peer] = _tried(answer, effort.limit, task="detection", peer=peer, seeds=effort.seeds)
    return results


def _tried(ask: Any, *arguments: Any, **options: Any) -> Any:
    """Return an answer, or as a text why there is none: one peer that fails leaves the others their rows."""
    try:
        return ask(*arguments, **options)
    except WorkerError as error:
        return str(error)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer", action="append", choices=PEERS, help="only these (repeatable)")
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="only these (repeatable)")
    parser.add_argument("--quick", action="store_true", help="about a minute: three workloads, small samples, one seed")
    parser.add_argument("--picture", type=Path, help="where to write the main table as an SVG picture")
    return parser.parse_args()


def main() -> None:
    """Print the tables as Markdown."""
    given = arguments()
    peers = given.peer or list(PEERS)
    workloads = given.workload or list(QUICK_WORKLOADS if given.quick else WORKLOADS)
    results = measure(peers, workloads, QUICK if given.quick else FULL)
    for table in (main_table, passes_table, accuracy_table, bugs_table, routes_table, settings_table):
        print(table(peers, workloads, results), end="\n\n")
    if given.picture is not None:
        given.picture.write_text(peers_picture(peers, workloads, results.costs), encoding="utf-8")


if __name__ == "__main__":
    main()
