"""The picture of growth: forward passes and time over the side of the image, both axes logarithmic."""

from __future__ import annotations

from typing import Any

from drawing import GRID, LogAxis, document, line, text
from tables import seconds_text

__all__ = ["growth_picture"]

WIDTH, HEIGHT = 380, 260
LEFT, TOP, BOTTOM = 56, 46, 42
OWN, OTHER = "#1a7f37", "#8c959f"


def growth_picture(costs: dict[int, Any], elements: dict[int, int], bound: int) -> str:
    """Return two panels.

    Parameters
    ----------
    costs
        What was measured, by the side of the image.
    elements
        Number of entries, of which differences one by one move each twice.
    bound
        The lower bound on passes, the same at every side.
    """
    passes = {
        "gradverify": {side: cost["passes"] for side, cost in costs.items()},
        "two passes an entry": {side: 2 * count for side, count in elements.items()},
        "lower bound": dict.fromkeys(costs, bound),
    }
    seconds = {
        "gradverify": {side: cost["seconds"] for side, cost in costs.items()},
        "one of its passes": {side: cost["seconds"] / cost["passes"] for side, cost in costs.items()},
    }
    parts = _panel(0, "forward passes", passes, "{:,.0f}".format)
    parts += _panel(WIDTH, "time", seconds, seconds_text)
    return document(2 * WIDTH, TOP + HEIGHT + BOTTOM, "Cost of a 3x3 convolution as its images grow", parts)


def _panel(left: float, title: str, curves: dict[str, dict[int, float]], named: Any) -> list[str]:
    """Return one panel: decades as a grid, a curve a name, the name at its end."""
    values = [value for curve in curves.values() for value in curve.values()]
    sides = list(curves["gradverify"])
    across = LogAxis(sides[0], sides[-1], left + LEFT, left + WIDTH - 24)
    powers = [10.0**power for power in range(-9, 12)]
    low = max(power for power in powers if power <= min(values))
    high = min(power for power in powers if power >= max(values))
    up = LogAxis(low, high, TOP + HEIGHT, TOP)
    parts = [text((left + LEFT, 24), title, size=14, style='font-weight="600"')]
    for value in (power for power in powers if low <= power <= high):
        parts.append(line([(across(sides[0]), up(value)), (across(sides[-1]), up(value))], GRID))
        parts.append(text((left + LEFT - 6, up(value) + 4), named(value), size=10, anchor="end"))
    parts += [text((across(side), TOP + HEIGHT + 16), str(side), size=10, anchor="middle") for side in sides]
    parts.append(
        text(((across(sides[0]) + across(sides[-1])) / 2, TOP + HEIGHT + 34), "side of the image", anchor="middle")
    )
    lowest = min(curves, key=lambda name: curves[name][sides[-1]])
    for name, curve in curves.items():
        parts += _curve(name, [(across(side), up(value)) for side, value in curve.items()], below=name == lowest)
    return parts


def _curve(name: str, points: list[tuple[float, float]], below: bool) -> list[str]:
    """Return a curve and, at its end, its name: above it, or below it where another curve may be close."""
    own = name == "gradverify"
    colour = OWN if own else OTHER
    style = 'stroke-width="2.5"' if own else 'stroke-width="1.5" stroke-dasharray="5 4"'
    x, y = points[-1]
    return [
        line(points, colour, style),
        text((x, y + 15 if below else y - 7), name, anchor="end", style=f'style="fill: {colour}"'),
    ]
