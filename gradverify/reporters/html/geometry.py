"""The geometry of a case: each axis drawn to scale above its four lengths and the identity in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.numerics.geometry import alike_axes, describe_loss, effective_kernel
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.windows import windows_figure
from gradverify.results import GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradverify.results import CaseResult, Geometry

__all__ = ["geometry_section", "identity_in_numbers"]

# What each row of the table is; of a transposed window input and output change places.
_ROWS = (
    "padded input (transposed: output)",
    "effective kernel K",
    "cotangent (transposed: input), dilated and edge-padded",
    "after the stride-1 correlation",
    "identity",
    "severity",
)


def geometry_section(case: CaseResult) -> Markup | None:
    """Return the geometry of a case, axes that are alike together; ``None`` where there is none."""
    if not case.geometry:
        return None
    parts = alike_axes(case.geometry)
    drawings = tag("div", *map(windows_figure, parts), class_="beside")
    remarks = [remark for part in parts for remark in _remarks(part)]
    return tag(
        "section",
        tag("h4", "Geometry"),
        drawings,
        _lengths(parts),
        tag("ul", *(tag("li", remark) for remark in remarks)) if remarks else None,
    )


def _remarks(geometry: Geometry) -> Iterator[str]:
    """Yield what the lengths do not show, and what would make the identity hold."""
    loss = describe_loss(geometry)
    yield from (f"{geometry.axis}: {note}" for note in geometry.notes if note != loss)
    if geometry.suggestions:
        yield f"{geometry.axis}: the identity holds with {'; '.join(geometry.suggestions)}"


def _lengths(parts: Sequence[Geometry]) -> Markup:
    """Return the four lengths and the identity in numbers, a column for each axis."""
    head = tag("tr", *(tag("th", name, scope="col") for name in ("length", *(part.axis for part in parts))))
    columns = [[*_quantities(part), identity_in_numbers(part), part.severity.value] for part in parts]
    rows = (
        tag("tr", tag("th", name, scope="row"), *(tag("td", cell) for cell in cells))
        for name, *cells in zip(_ROWS, *columns, strict=True)
    )
    caption = tag("caption", "Lengths of the size identity")
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="plain")
    return tag("div", table, class_="wide", role="region", aria_label="Lengths of the size identity", tabindex="0")


def identity_in_numbers(geometry: Geometry) -> str:
    """Return both sides of the identity written out, and whether they are the same."""
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return "no window fits"
    left, right = f"{_reconstructed(geometry)} = {geometry.reconstructed}", _padded(geometry)
    total = geometry.padded + geometry.overhang
    if geometry.identity:
        return f"✓ {left} = {right}"
    return f"✕ {left} ≠ {total} = {right}, residual {geometry.residual}"


def _quantities(geometry: Geometry) -> Iterator[str]:
    """Yield the lengths, each as a formula in numbers and its value; ``-`` where no window fits."""
    windows, stride, reach = _windows(geometry), geometry.stride, _reach(geometry)
    yield f"{_padded(geometry)} = {geometry.padded + geometry.overhang}"
    yield f"{geometry.dilation}·({geometry.kernel} − 1) + 1 = {reach}"
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        yield from ("-", "-")
        return
    dilated = f"({windows} − 1)({stride} − 1) + {windows} + 2·({reach} − 1)"
    yield f"{dilated} = {geometry.dilated_cotangent}"
    yield f"{_reconstructed(geometry)} = {geometry.reconstructed}"


def _windows(geometry: Geometry) -> int:
    return geometry.input if geometry.transposed else geometry.output


def _reach(geometry: Geometry) -> int:
    return effective_kernel(geometry.kernel, geometry.dilation)


def _reconstructed(geometry: Geometry) -> str:
    return f"({_windows(geometry)} − 1)·{geometry.stride} + {_reach(geometry)}"


def _padded(geometry: Geometry) -> str:
    rows = geometry.output if geometry.transposed else geometry.input
    over = f" + {geometry.overhang} overhang" if geometry.overhang else ""
    return f"{rows} + {geometry.padding[0]} + {geometry.padding[1]}{over}"
