"""What all pictures are made of: a frame with a name and a description, paths, labels, logarithmic scales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.reporters.html.markup import Child, Markup, measure, tag

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LogScale", "boxes", "dots", "figure", "label", "picture", "polyline", "power", "swatch"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_TICKS = 6


def picture(size: tuple[float, float], name: str, description: str, *content: Child) -> Markup:
    """Return a drawing that a screen reader announces as one image with a name and a description."""
    width, height = size
    return tag(
        "svg",
        tag("title", name),
        tag("desc", description),
        *content,
        role="img",
        viewBox=f"0 0 {measure(width)} {measure(height)}",
        width=width,
        height=height,
    )


def figure(drawing: Markup, *caption: Child, kind: str = "") -> Markup:
    """Return a drawing and what one sees in it."""
    return tag("figure", drawing, tag("figcaption", *caption), class_=kind or None)


def label(at: tuple[float, float], words: str, *, kind: str) -> Markup:
    """Return words at a point: beginning there, or of a kind with ``end`` or ``middle`` ending or centred."""
    return tag("text", words, x=at[0], y=at[1], class_=kind)


def boxes(places: Iterable[tuple[float, float, float, float]], kind: str, **attributes: str) -> Markup | None:
    """Return boxes given by left, top, width and height as one path, or ``None`` where there is none."""
    parts = [
        f"M{measure(left)} {measure(top)}h{measure(wide)}v{measure(high)}h{measure(-wide)}z"
        for left, top, wide, high in places
    ]
    return tag("path", class_=kind, d="".join(parts), **attributes) if parts else None


def dots(places: Iterable[tuple[float, float]], kind: str) -> Markup:
    """Return points as one path in whole units; their size is the width of its stroke, whose ends are round."""
    return tag("path", class_=kind, d="".join(f"M{x:.0f} {y:.0f}h0" for x, y in places))


def polyline(places: Iterable[tuple[float, float]], kind: str) -> Markup | None:
    """Return lines from point to point in whole units, without points in the middle of a straight stretch."""
    kept: list[tuple[float, float]] = []
    for place in places:
        if len(kept) > 1 and _is_between(kept[-2], kept[-1], place):
            kept.pop()
        kept.append(place)
    return tag("path", class_=kind, d="M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in kept)) if kept else None


def _is_between(first: tuple[float, float], middle: tuple[float, float], last: tuple[float, float]) -> bool:
    """Return whether a point lies on the line between two others, to a hundredth of a unit."""
    share = (middle[0] - first[0]) / (last[0] - first[0]) if last[0] != first[0] else 0.0
    return abs(first[1] + share * (last[1] - first[1]) - middle[1]) < 0.01


def swatch(kind: str, words: str) -> Markup:
    """Return one row of a legend."""
    return tag("li", tag("span", class_=f"swatch {kind}", aria_hidden="true"), words)


def power(exponent: int) -> str:
    """Return a power of ten as it is printed: ``10⁻⁸``."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


@dataclass(frozen=True, slots=True)
class LogScale:
    """Whole decades laid out between two coordinates.

    Attributes
    ----------
    low, high
        Exponents of ten at both ends.
    begin, end
        Coordinates of both ends.
    """

    low: int
    high: int
    begin: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], begin: float, end: float) -> LogScale:
        """Return the scale of the decades that hold values: positive and finite ones, and one decade where none is."""
        logs = [math.log10(value) for value in values if value > 0 and math.isfinite(value)] or [0.0]
        low, high = math.floor(min(logs)), math.ceil(max(logs))
        return cls(low, max(high, low + 1), begin, end)

    def at(self, value: float) -> float:
        """Return the coordinate of a value; 0 stands at the low end, and nothing beyond a decade outside."""
        exponent = math.log10(value) if value > 0 else float(self.low)
        inside = min(max(exponent, self.low - 1.0), self.high + 1.0)
        return self.begin + (inside - self.low) / (self.high - self.low) * (self.end - self.begin)

    def ticks(self) -> range:
        """Return the exponents that are labelled."""
        return range(self.low, self.high + 1, -(-(self.high - self.low) // _MOST_TICKS))
