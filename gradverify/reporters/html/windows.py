"""Windows over the padded input of one axis, drawn to scale: padding, every window, and what none of them reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.numerics.geometry import describe_loss, effective_kernel, is_covered, window_count
from gradverify.reporters.html.drawing import boxes, figure, label, picture, swatch
from gradverify.reporters.html.markup import Markup, joined, measure, tag
from gradverify.reporters.words import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradverify.results import Geometry

__all__ = ["windows_figure", "windows_legend"]

# Axes with more rows than this are drawn without their middle.
_MOST_ROWS = 64
_ENDS = (28, 22)
_BREAK = 22.0
_GUTTER, _WIDTH, _WIDEST_ROW = 74.0, 384.0, 26.0
_TOP, _CELL, _LANE = 18.0, 18.0, 14.0
# Windows that are drawn where there are many: of the near end, and of the far end.
_MOST_WINDOWS, _FIRST_WINDOWS, _LAST_WINDOWS = 8, 4, 2
# Fills in the order of the legend.
_KINDS = ("data", "padding", "unread", "overhang", "window", "misfit", "through", "break")


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Where rows lie across: all to one scale, of long axes both ends with a break between them.

    Attributes
    ----------
    rows
        How many there are, with the padding and what hangs over the end.
    hidden
        Those in the break.
    cell
        Width of a row.
    """

    rows: int
    hidden: range
    cell: float

    @classmethod
    def of(cls, rows: int) -> _Ruler:
        hidden = range(_ENDS[0], rows - _ENDS[1]) if rows > _MOST_ROWS else range(0)
        drawn = rows - len(hidden)
        cell = min(_WIDEST_ROW, (_WIDTH - (_BREAK if hidden else 0)) / max(drawn, 1))
        return cls(rows, hidden, math.floor(2 * cell) / 2)  # short and sharp coordinates

    def x(self, row: int) -> float:
        """Return where a row begins; all rows in the break begin with it, and rows behind it follow it."""
        if self.hidden and row >= self.hidden.stop:
            return _GUTTER + (row - len(self.hidden)) * self.cell + _BREAK
        return _GUTTER + min(row, self.hidden.start if self.hidden else row) * self.cell

    @property
    def shown(self) -> list[int]:
        if not self.hidden:
            return list(range(self.rows))
        return [*range(self.hidden.start), *range(self.hidden.stop, self.rows)]

    def spans(self, rows: Iterable[int]) -> Iterator[tuple[float, float]]:
        """Yield left edges and widths of stretches of neighbouring rows, given without those in the break."""
        begin = end = None
        for row in rows:
            if row != end:
                if begin is not None and end is not None:
                    yield self.x(begin), (end - begin) * self.cell
                begin = row
            end = row + 1
        if begin is not None and end is not None:
            yield self.x(begin), (end - begin) * self.cell


def windows_figure(geometry: Geometry) -> Markup:
    """Return the drawing of one axis."""
    impossible = not window_count(geometry)
    ruler = _Ruler.of(max(_total(geometry), _reach(geometry) if impossible else 1))
    chosen = _chosen(geometry, ruler)
    below = _TOP + _CELL + 8
    lanes = below + (len(chosen) + (len(chosen) < window_count(geometry))) * _LANE
    width = max(ruler.x(ruler.rows) + (48 if geometry.residual else 14), _GUTTER + 250)
    drawing = picture(
        (width, lanes + (26 if impossible else 58)),
        f"Windows along {geometry.axis}",
        _description(geometry),
        *_strip(geometry, ruler),
        *_lanes(geometry, ruler, chosen),
        *(_kernel(geometry, ruler, lanes) if impossible else _sides(geometry, ruler, lanes + 6)),
        _break(ruler, lanes),
    )
    return figure(
        drawing, tag("b", geometry.axis), f" {_settings(geometry)}; {describe_loss(geometry)}", kind="windows"
    )


def _settings(geometry: Geometry) -> str:
    low, high = geometry.padding
    padding = f"{low}" if low == high else f"{low} + {high}"
    dilation = f", dilation {geometry.dilation}" if geometry.dilation > 1 else ""
    return f"kernel {geometry.kernel}, stride {geometry.stride}, padding {padding}{dilation}"


def _total(geometry: Geometry) -> int:
    return geometry.padded + geometry.overhang


def _reach(geometry: Geometry) -> int:
    return effective_kernel(geometry.kernel, geometry.dilation)


def _description(geometry: Geometry) -> str:
    what = "output rows with the padding that is cropped" if geometry.transposed else "rows of padded input"
    windows = count(window_count(geometry), "window")
    return f"{geometry.padded} {what}, {windows} of {_reach(geometry)} rows, {geometry.stride} apart."


def _strip(geometry: Geometry, ruler: _Ruler) -> Iterator[Markup | None]:
    """Yield the rows that windows slide over: data, padding, what hangs over the end, and those that none reads."""
    low, high = geometry.padding
    data = range(low, geometry.padded - high)
    possible = window_count(geometry) > 0
    kinds: dict[str, list[int]] = {"data": [], "padding": [], "overhang": [], "unread": []}
    for row in (row for row in ruler.shown if row < _total(geometry)):
        kinds["overhang" if row >= geometry.padded else "data" if row in data else "padding"].append(row)
        if possible and row < geometry.padded and not is_covered(geometry, row - low):
            kinds["unread"].append(row)
    for kind, rows in kinds.items():
        yield boxes(((x, _TOP, wide, _CELL) for x, wide in ruler.spans(rows)), kind)
    total, hidden = _total(geometry), ruler.hidden
    stretches = (range(min(total, hidden.start)), range(hidden.stop, total)) if hidden else (range(total),)
    for part in stretches:
        yield _separators(ruler, part)
    yield label((_GUTTER - 6, _TOP + 13), "output" if geometry.transposed else "input", kind="tick end")
    for row in dict.fromkeys((data.start, data.stop - 1)) if data else ():
        if row not in ruler.hidden:
            middle = ruler.x(row) + ruler.cell / 2
            yield label((middle, _TOP - 5), str(row - low), kind="tick middle")


def _separators(ruler: _Ruler, rows: range) -> Markup | None:
    """Return thin gaps between rows: the dashes of a line as wide as the strip."""
    if len(rows) < 2:
        return None
    begin, dash = ruler.x(rows.start) + ruler.cell - 0.4, f"0.8 {measure(ruler.cell - 0.8)}"
    end = begin + (len(rows) - 2) * ruler.cell + 0.8
    at = measure(_TOP + _CELL / 2)
    return tag("path", class_="cells", d=f"M{measure(begin)} {at}H{measure(end)}", stroke_dasharray=dash)


def _chosen(geometry: Geometry, ruler: _Ruler) -> list[int]:
    """Return the windows that are drawn: all, or some of both ends, of a long axis those that are seen as a whole."""
    windows = range(window_count(geometry))
    if len(windows) <= _MOST_WINDOWS and not ruler.hidden:
        return list(windows)
    first, last = windows[:_FIRST_WINDOWS], windows[_FIRST_WINDOWS:][-_LAST_WINDOWS:]
    stride, reach = geometry.stride, _reach(geometry)
    if ruler.hidden:
        first = windows[: max(1, sum(k * stride + reach <= ruler.hidden.start for k in first))]
        behind = sum(k * stride >= ruler.hidden.stop for k in last)
        last = windows[len(first) :][-max(1, behind) :]
    return [*first, *last]


def _lanes(geometry: Geometry, ruler: _Ruler, chosen: list[int]) -> Iterator[Markup | None]:
    """Yield each window in a lane of its own, and a word in the place of those that are left out."""
    tops, left_out, names = {}, window_count(geometry) - len(chosen), []
    top, previous = _TOP + _CELL + 8, -1
    for window in chosen:
        if window != previous + 1:
            yield label((_GUTTER, top + 9), count(left_out, "more window"), kind="tick")
            top += _LANE
        names.append(tag("text", f"window {window}", x=_GUTTER - 6, y=top + 9))
        tops[window] = top
        previous, top = window, top + _LANE
    yield tag("g", *names, class_="tick end")
    if geometry.dilation > 1 and geometry.kernel > 1:
        yield tag("path", class_="through", d="".join(_through(geometry, ruler, *item) for item in tops.items()))
    yield boxes((box for item in tops.items() for box in _window(geometry, ruler, *item)), "window")


def _window(geometry: Geometry, ruler: _Ruler, window: int, top: float) -> Iterator[tuple[float, float, float, float]]:
    """Yield a box for each stretch of rows that one window reads."""
    taps = _taps(geometry, window)
    shown = (row for row in ruler.shown if row in taps)
    yield from ((x, top, wide, 10) for x, wide in ruler.spans(shown))


def _taps(geometry: Geometry, window: int) -> range:
    start = window * geometry.stride
    return range(start, start + _reach(geometry), geometry.dilation)


def _through(geometry: Geometry, ruler: _Ruler, window: int, top: float) -> str:
    """Return a line through the holes of one window."""
    taps = _taps(geometry, window)
    return f"M{measure(ruler.x(taps[0]))} {measure(top + 5)}H{measure(ruler.x(taps[-1]) + ruler.cell)}"


def _kernel(geometry: Geometry, ruler: _Ruler, top: float) -> Iterator[Markup | None]:
    """Yield the kernel that has no place, below the rows."""
    reach = _reach(geometry)
    yield label((_GUTTER - 6, top + 9), f"kernel {reach}", kind="tick end")
    yield boxes([(ruler.x(0), top, ruler.x(reach) - ruler.x(0), 10)], "misfit")


def _sides(geometry: Geometry, ruler: _Ruler, top: float) -> Iterator[Markup | None]:
    """Yield both sides of the identity, one above the other, and the residual that the upper one lacks."""
    windows, rows = ("H", "H'") if geometry.transposed else ("H'", "H")
    over = f" + overhang = {_total(geometry)}" if geometry.overhang else f" = {geometry.padded}"
    sides = (
        (geometry.reconstructed, f"({windows}−1)S + K = {geometry.reconstructed}"),
        (_total(geometry), f"{rows} + 2P{over}"),
    )
    for place, (length, words) in enumerate(sides):
        at = top + 14 + place * 22
        yield tag("path", class_="side", d=_measured(ruler.x(0), ruler.x(length), at))
        yield label((_GUTTER, at - 5), words, kind="tick")
    if geometry.residual:
        x, end = ruler.x(geometry.reconstructed), ruler.x(geometry.padded)
        yield boxes([(x, top + 9, max(end - x, 2), 10)], "unread")
        yield label((end + 3, top + 18), f"r = {geometry.residual}", kind="over")


def _measured(begin: float, end: float, at: float) -> str:
    low, high = measure(at - 4), measure(at)
    return f"M{measure(begin)} {low}v8M{measure(begin)} {high}H{measure(end)}M{measure(end)} {low}v8"


def _break(ruler: _Ruler, bottom: float) -> Markup | None:
    """Return the mark of what is not drawn, over everything else."""
    if not ruler.hidden:
        return None
    x, height = ruler.x(ruler.hidden.start), bottom - _TOP + 48
    box = tag("rect", x=x + 2, y=_TOP - 3, width=_BREAK - 4, height=height, class_="break")
    return joined((box, label((x + _BREAK / 2, _TOP - 6), f"{len(ruler.hidden)} rows", kind="tick middle")))


def windows_legend(geometries: Iterable[Geometry]) -> Markup:
    """Return what the fills mean that occur in the drawings of some axes."""
    words = dict(pair for geometry in geometries for pair in _fills(geometry))
    return tag("ul", *(swatch(kind, words[kind]) for kind in _KINDS if kind in words), class_="legend")


def _fills(geometry: Geometry) -> Iterator[tuple[str, str]]:
    makes = geometry.transposed
    yield "data", "output" if makes else "data"
    if any(geometry.padding):
        yield "padding", "padding, which is cropped" if makes else "padding"
    if _leaves(geometry):
        yield "unread", f"{'made' if makes else 'read'} by no window"
    if geometry.overhang:
        yield "overhang", "beyond the padded input"
    yield ("window", "a window") if window_count(geometry) else ("misfit", "the kernel")
    if geometry.dilation > 1 and geometry.kernel > 1:
        yield "through", "holes of the dilation"
    if _total(geometry) > _MOST_ROWS:
        yield "break", "rows not drawn"


def _leaves(geometry: Geometry) -> bool:
    """Return whether rows are unread, as far as they are drawn."""
    low = geometry.padding[0]
    shown = (row for row in _Ruler.of(max(_total(geometry), 1)).shown if row < geometry.padded)
    return window_count(geometry) > 0 and any(not is_covered(geometry, row - low) for row in shown)
