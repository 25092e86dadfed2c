"""The results as Markdown; ``~`` marks what was extrapolated from a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bugs import BUGS
from registry import PEERS
from workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "Results",
    "accuracy_table",
    "bugs_table",
    "main_table",
    "markdown",
    "passes_table",
    "routes_table",
    "seconds_text",
    "settings_table",
]


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured, or why not: by peer and workload, and by peer."""

    costs: dict[tuple[str, str], Any] = field(default_factory=dict)
    detections: dict[str, Any] = field(default_factory=dict)


def markdown(caption: str, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table under its caption."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join([f"{caption}\n", *("| " + " | ".join(line) + " |" for line in lines)])


def seconds_text(seconds: float) -> str:
    """Return a time with two digits that count."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{_two_digits(seconds / size)} {unit}"
    return f"{_two_digits(seconds / 1e-6)} us"


def _two_digits(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def _costs(
    peers: list[str], workloads: list[str], results: Results, cell: Callable[[Any], str | None]
) -> list[list[str]]:
    """Return a row a peer; a text in the place of a cost says why there is none."""
    rows = []
    for peer in peers:
        costs = [results.costs[peer, workload] for workload in workloads]
        rows.append([peer, *(cost if isinstance(cost, str) else cell(cost) or "" for cost in costs)])
    return rows


def _marked(cost: Any, text: str) -> str:
    return f"~ {text}" if cost["extrapolated"] else text


def _time(cost: Any) -> str:
    passed = cost["extrapolated"] or cost["verdict"] == "pass"
    return _marked(cost, seconds_text(cost["seconds"])) + ("" if passed else f", {cost['verdict']}")


def main_table(peers: list[str], workloads: list[str], results: Results) -> str:
    """Return seconds, bugs caught and false alarms."""
    rows = _costs(peers, workloads, results, _time)
    for row, peer in zip(rows, peers, strict=True):
        row.extend([PEERS[peer].compares, *_detection_cells(results.detections[peer])])
    columns = ["compares", "bugs caught", "false alarms, float64", "float32"]
    caption = (
        "Time, all inputs and parameters checked, and the verdict where right code is not passed; `~` is extrapolated "
        "from a seeded sample of entries, for torch's slow mode without storing and comparing the Jacobian, so too low"
    )
    return markdown(caption, ["", *workloads, *columns], rows)


def _detection_cells(found: Any) -> list[str]:
    if isinstance(found, str):
        return [found] * 3
    tries = found["seeds"]
    everywhere = sum(times == tries for times in found["caught"].values())
    return [f"{everywhere} of {len(BUGS)}", *(f"{wrong} of {of}" for wrong, of in found["alarms"].values())]


def passes_table(peers: list[str], workloads: list[str], results: Results) -> str:
    """Return forward passes, below the lower bound on those of one point of a stencil."""
    bounds = ["lower bound a point", *(f"{WORKLOADS[workload].bound:,}" for workload in workloads)]
    rows = _costs(peers, workloads, results, lambda cost: _marked(cost, f"{cost['passes']:,.0f}"))
    return markdown("Forward passes", ["", *workloads], [bounds, *rows])


def accuracy_table(peers: list[str], workloads: list[str], results: Results) -> str:
    """Return errors of numerical gradients, for peers that hand them out."""

    def cell(cost: Any) -> str | None:
        return None if cost["error"] is None else f"{cost['error']:.0e}"

    caption = "Largest error of an entry of the numerical gradient, in units of the largest entry"
    return markdown(caption, ["", *workloads], (row for row in _costs(peers, workloads, results, cell) if any(row[1:])))


def bugs_table(peers: list[str], _: list[str], results: Results) -> str:
    """Return for each bug at how many seeds it was caught."""
    rows = []
    for peer in peers:
        found = results.detections[peer]
        cells = [found] * len(BUGS) if isinstance(found, str) else [str(found["caught"][name]) for name in BUGS]
        rows.append([peer, *cells])
    tries = {found["seeds"] for found in results.detections.values() if not isinstance(found, str)}
    return markdown(f"Bugs caught, of {', '.join(map(str, tries))} tries each", ["", *BUGS], rows)


def routes_table(peers: list[str], workloads: list[str], results: Results) -> str:
    """Return what the peers that explain themselves say they did."""
    cell: Callable[[Any], str] = lambda cost: "; ".join(cost["notes"])  # noqa: E731  one expression of many
    explained = [row for row in _costs(peers, workloads, results, cell) if any(row[1:])]
    return markdown("Method and footprint by input", ["", *workloads], explained)


def settings_table(peers: list[str], _workloads: list[str], _results: Results) -> str:
    """Return the tolerances."""
    return markdown("Tolerances", ["", "tolerance"], ([peer, PEERS[peer].tolerance] for peer in peers))
