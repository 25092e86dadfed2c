"""What ``gradverify`` costs as images grow: a 3x3 convolution from 8x8 to 256x256, all inputs and parameters.

python benchmarks/peers/growth.py --picture docs/images/growth.svg
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from curves import growth_picture
from tables import markdown, seconds_text
from workers import cost
from workloads import Workload

SIDES = (8, 16, 32, 64, 128, 256)
PEER = "gradverify auto"
# Seconds up to which a measurement is repeated (a fifth of it), and after which it is given up.
PATIENCE = 10
LIMIT = 600


def workload(side: int) -> Workload:
    """Return a 3x3 convolution of square images."""
    shapes = {"x": (2, 3, side, side), "w": (4, 3, 3, 3), "b": (4,)}
    return Workload("conv2d", shapes, {"stride": 1, "padding": 1})


def main() -> None:
    """Print a row a size, and draw the same."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--picture", type=Path, help="where to write the curves as an SVG picture")
    parser.add_argument("--largest", type=int, default=SIDES[-1], choices=SIDES, help="the largest image")
    given = parser.parse_args()
    sides = [side for side in SIDES if side <= given.largest]
    costs = {side: cost(PEER, workload(side), PATIENCE, LIMIT) for side in sides}
    print(table(costs))
    if given.picture is not None:
        elements = {side: workload(side).elements for side in sides}
        given.picture.write_text(growth_picture(costs, elements, workload(8).bound), encoding="utf-8")


def table(costs: dict[int, Any]) -> str:
    """Return what was measured as Markdown."""
    rows = [
        [
            f"{side} x {side}",
            f"{workload(side).elements:,}",
            f"{workload(side).bound}",
            f"{cost['passes']:,}",
            seconds_text(cost["seconds"]),
            seconds_text(cost["seconds"] / cost["passes"]),
        ]
        for side, cost in costs.items()
    ]
    head = ["image", "entries", "lower bound", "forward passes", "time", "a pass"]
    return markdown("A 3x3 convolution of growing images", head, rows)


if __name__ == "__main__":
    main()
