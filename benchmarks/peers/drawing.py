"""SVG by hand: what the two pictures share."""

from __future__ import annotations

from math import log10
from xml.sax.saxutils import escape

__all__ = ["GRID", "INK", "LogAxis", "document", "line", "rectangle", "text"]

INK = "#24292f"
GRID = "#d8dee4"


class LogAxis:
    """Maps values from ``low`` to ``high`` onto pixels from ``start`` to ``stop``, logarithmically."""

    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        self._low, self._decades = log10(low), log10(high) - log10(low)
        self._start, self._length = start, stop - start

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        return self._start + (log10(value) - self._low) / self._decades * self._length


def text(place: tuple[float, float], words: str, *, size: int = 11, anchor: str = "start", style: str = "") -> str:
    """Return words at a place."""
    x, y = place
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {style}>{escape(words)}</text>'


def rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    """Return a filled rectangle."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def line(points: list[tuple[float, float]], stroke: str, style: str = "") -> str:
    """Return a line through points."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{stroke}" {style}/>'


def document(width: int, height: int, title: str, parts: list[str]) -> str:
    """Return a picture on white, so that it can be read on a dark page too."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" fill="{INK}" '
        'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">'
    )
    return "\n".join(
        [head, f"<title>{escape(title)}</title>", rectangle(0, 0, width, height, "#fff"), *parts, "</svg>\n"]
    )
