"""The failing elements of a gradient as a small map: a sentence, and a line for every axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.error_pattern import axis_label, pattern
from gradverify.reporters.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import AxisErrors, ErrorMap, GradientCheck

__all__ = ["map_lines"]

# Room for a line of the map in a terminal of 80 columns, behind its indentation.
_ROOM = 80 - 9


def map_lines(gradient: GradientCheck) -> Iterator[str]:
    """Yield where the failing elements of a gradient sit; nothing where none fails or not all of them are known."""
    found = gradient.error_map
    if found is None:
        return
    doubtful = f"; {count(gradient.inconclusive, 'element')} more in doubt" if gradient.inconclusive else ""
    yield f"errors: {pattern(found)}{doubtful}"
    if found.listed or found.failed == found.elements:
        return
    shown = [axis for axis in found.axes if axis.length > 1]
    wide = max((len(axis_label(axis)) for axis in shown), default=0)
    signs = max((len(axis.failed) for axis in shown), default=0)
    for axis in shown:
        yield f"  {_line(found, axis, (wide, signs))}"


def _line(found: ErrorMap, axis: AxisErrors, widths: tuple[int, int]) -> str:
    """Return one axis: a sign for every index, or for some together, and how many have errors."""
    bar = "".join(_sign(found, axis, place) for place in range(len(axis.failed)))
    line = f"{axis_label(axis):<{widths[0]}}  {bar:<{widths[1]}}  {axis.indices} of {axis.length}"
    scale = f", {axis.together} a sign"
    return line + scale if axis.together > 1 and len(line + scale) <= _ROOM else line


def _sign(found: ErrorMap, axis: AxisErrors, place: int) -> str:
    """Return ``.`` where nothing fails, ``+`` where something does, ``#`` where everything does."""
    indices = min(axis.together, axis.length - place * axis.together)
    failed = axis.failed[place]
    return "." if not failed else "#" if failed == found.elements // axis.length * indices else "+"
