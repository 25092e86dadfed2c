"""The geometry of a case: each axis drawn to scale above its four lengths and the identity in numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.numerics.geometry import alike_axes, describe_loss, effective_kernel
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.windows import windows_figure
from gradverify.results import GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult, Geometry

__all__ = ["geometry_section", "identity_in_numbers"]


def geometry_section(case: CaseResult) -> Markup | None:
    """Return the geometry of a case, axes that are alike together; ``None`` where there is none."""
    if not case.geometry:
        return None
    return tag("section", tag("h4", "Geometry"), *map(_axis, alike_axes(case.geometry)), class_="geometry")


def _axis(geometry: Geometry) -> Markup:
    loss = describe_loss(geometry)
    notes = [tag("li", note) for note in geometry.notes if note != loss]
    holds = [tag("li", "holds with: ", "; ".join(geometry.suggestions))] if geometry.suggestions else []
    return tag(
        "div",
        windows_figure(geometry),
        tag("div", _lengths(geometry), tag("ul", *notes, *holds) if notes or holds else None),
        class_="beside",
    )


def _lengths(geometry: Geometry) -> Markup:
    head = tag("tr", *(tag("th", name, scope="col") for name in ("quantity", "in numbers", "length")))
    rows = (
        tag("tr", tag("th", what, scope="row"), tag("td", numbers), tag("td", str(length), class_="number"))
        for what, numbers, length in _quantities(geometry)
    )
    caption = tag("caption", f"Lengths along {geometry.axis}, severity {geometry.severity}")
    return tag("table", caption, tag("thead", head), tag("tbody", *rows), _verdict(geometry), class_="plain lengths")


def _verdict(geometry: Geometry) -> Markup:
    sides = tag("td", identity_in_numbers(geometry), colspan="2")
    return tag("tfoot", tag("tr", tag("th", "identity", scope="row"), sides))


def identity_in_numbers(geometry: Geometry) -> str:
    """Return both sides of the identity written out, and whether they are the same."""
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return "no window fits"
    left, right = f"{_reconstructed(geometry)} = {geometry.reconstructed}", _padded(geometry)
    total = geometry.padded + geometry.overhang
    if geometry.identity:
        return f"✓ {left} = {right}"
    return f"✕ {left} ≠ {total} = {right}, residual {geometry.residual}"


def _quantities(geometry: Geometry) -> Iterator[tuple[str, str, int]]:
    """Yield the four lengths: what each is, how it comes about in numbers, and itself."""
    windows, stride, reach = _windows(geometry), geometry.stride, _reach(geometry)
    what = "padded output" if geometry.transposed else "padded input"
    cotangent = "input" if geometry.transposed else "cotangent"
    yield what, _padded(geometry), geometry.padded + geometry.overhang
    kernel = f"{geometry.dilation}·({geometry.kernel} − 1) + 1"
    yield "effective kernel K", kernel, reach
    if geometry.severity is GeometrySeverity.IMPOSSIBLE:
        return
    dilated = f"({windows} − 1)({stride} − 1) + {windows} + 2·({reach} − 1)"
    yield f"{cotangent}, dilated and edge-padded", dilated, geometry.dilated_cotangent
    yield "after the stride-1 correlation", _reconstructed(geometry), geometry.reconstructed


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
