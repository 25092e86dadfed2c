"""How pictures are read: one legend for all of them, above the cases that have some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.html.curve import curve_legend
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.windows import windows_legend

if TYPE_CHECKING:
    from gradverify.results import Report

__all__ = ["reading"]


def reading(report: Report) -> Markup | None:
    """Return the legends of the pictures that a report has, or ``None`` where it has none."""
    geometry = [part for case in report.cases for part in case.geometry]
    curves = any(part.step_curve for case in report.cases for part in case.gradients)
    if not geometry and not curves:
        return None
    windows = (
        tag(
            "p",
            "Geometry: each window lies in a line of its own below the rows it slides over; everything is to scale.",
        ),
        windows_legend(geometry),
    )
    slopes = (
        tag(
            "p", "Step-size curve of one element: across the step size h, up the error of the slope, both logarithmic."
        ),
        curve_legend(),
    )
    summary = tag("summary", "How to read the pictures")
    return tag("details", summary, *(windows if geometry else ()), *(slopes if curves else ()), open=True)
