"""The picture of the main table: a panel a workload, a bar a peer, seconds on one logarithmic axis."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import Any

from drawing import GRID, LogAxis, document, line, rectangle, text
from registry import PEERS
from tables import seconds_text

__all__ = ["peers_picture"]

COLUMNS = 3
NAMES = 150
PANEL = 200
ROW = 15
GAP = 16
HEAD = 26
# What compares every entry, what only projects, and gradverify in either case.
COLOURS = {"own": "#1a7f37", "entries": "#8c959f", "projection": "#c8d1da"}


def peers_picture(peers: list[str], workloads: list[str], costs: dict[tuple[str, str], Any]) -> str:
    """Return the picture; a peer without a time has its reason in the place of a bar."""
    measured = [cost["seconds"] for cost in costs.values() if not isinstance(cost, str)]
    low, high = 10.0 ** floor(log10(min(measured))), 10.0 ** ceil(log10(max(measured)))
    height = HEAD + ROW * len(peers) + GAP
    parts = _legend()
    for number, workload in enumerate(workloads):
        row, column = divmod(number, COLUMNS)
        left, top = NAMES + column * (PANEL + GAP), 30 + row * height
        axis = LogAxis(low, high, left, left + PANEL - 55)  # the rest is for the number beside the longest bar
        parts.append(text((left, top + 16), workload, size=13, style='font-weight="600"'))
        parts.extend(_ticks(axis, (low, high), top + HEAD, top + HEAD + ROW * len(peers)))
        for place, peer in enumerate(peers):
            middle = top + HEAD + ROW * place
            if column == 0:
                parts.append(text((NAMES - 8, middle + 11), peer, anchor="end"))
            parts.extend(_bar(axis, peer, costs[peer, workload], (left, middle)))
    rows = -(-len(workloads) // COLUMNS)
    title = "Seconds that each checker takes on each workload"
    return document(NAMES + COLUMNS * (PANEL + GAP), 30 + rows * height, title, parts)


def _legend() -> list[str]:
    meanings = {
        "own": ("gradverify", 90),
        "entries": ("compares every entry", 150),
        "projection": ("projects only", 110),
    }
    parts, left = [], NAMES
    for kind, (meaning, width) in meanings.items():
        parts += [rectangle(left, 10, 10, 10, COLOURS[kind]), text((left + 15, 19), meaning)]
        left += width
    return [*parts, text((left, 19), "logarithmic; ~ extrapolated from a sample")]


def _ticks(axis: LogAxis, ends: tuple[float, float], top: float, bottom: float) -> list[str]:
    """Return a thin line every second decade."""
    first, last = (round(log10(end)) for end in ends)
    decades = [10.0**power for power in range(first, last + 1, 2)]
    lines = [line([(axis(value), top), (axis(value), bottom)], GRID) for value in decades]
    return lines + [text((axis(value), bottom + 11), seconds_text(value), size=9, anchor="middle") for value in decades]


def _bar(axis: LogAxis, peer: str, cost: Any, corner: tuple[float, float]) -> list[str]:
    left, top = corner
    if isinstance(cost, str):
        return [text((left + 4, top + 11), cost, size=10)]
    own = peer.startswith("gradverify")
    kind = "own" if own else "projection" if "projection" in PEERS[peer].compares else "entries"
    end = max(axis(cost["seconds"]), left + 1)
    mark = "~ " if cost["extrapolated"] else ""
    number = text((end + 4, top + 11), mark + seconds_text(cost["seconds"]), size=10)
    return [rectangle(left, top + 2, end - left, ROW - 4, COLOURS[kind]), number]
