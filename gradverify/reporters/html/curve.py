"""The step-size curve of one element: measured errors between truncation and roundoff, log-log."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.reporters.html.drawing import LogScale, dots, figure, label, picture, polyline, power, swatch
from gradverify.reporters.html.markup import Markup, joined, measure, tag
from gradverify.reporters.words import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gradverify.results import GradientCheck, StepCurve

__all__ = ["curve_figure", "curve_legend", "what_one_sees"]

# Labels of lines that lie closer than this are moved apart.
_LINE = 13.0


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where the axes are: the inner area, the scales along its edges, and whether it is one of many."""

    left: float
    top: float
    right: float
    bottom: float
    steps: LogScale
    errors: LogScale
    small: bool

    @property
    def size(self) -> tuple[float, float]:
        return self.right + 10, self.bottom + (20 if self.small else 40)


def curve_figure(gradient: GradientCheck, *, small: bool) -> Markup | None:
    """Return the curve of a checked input, or ``None`` where none was measured.

    Parameters
    ----------
    gradient
        The input's gradient.
    small
        Whether it stands beside others, where nothing is wrong: then its numbers stand below it.
    """
    curve = gradient.step_curve
    if curve is None or not curve.steps:
        return None
    plot = _plot(curve, small=small)
    element = f"d{gradient.input}[{', '.join(map(str, curve.index))}]"
    drawing = picture(
        plot.size,
        f"Step-size curve of {element}",
        f"Steps from {number(curve.steps[0])} to {number(curve.steps[-1])}, errors from {_least(curve)}.",
        *_axes(plot, gradient.input),
        _inside(plot, curve),
        *_levels(plot, curve),
    )
    return figure(drawing, tag("b", element), " ", _in_short(curve) if small else what_one_sees(curve), kind="curve")


def _least(curve: StepCurve) -> str:
    return number(min((error for error in curve.errors if math.isfinite(error)), default=math.nan))


def _plot(curve: StepCurve, *, small: bool) -> _Plot:
    left, top = 50.0, 15.0 if small else 18.0
    right, bottom = left + (220.0 if small else 400.0), top + (100.0 if small else 210.0)
    chosen = [curve.step] if _is_drawn(curve) and curve.step else []
    levels = [level for level, _, _ in _marks(curve)]
    steps = LogScale.over([*curve.steps, *chosen], left, right)
    return _Plot(left, top, right, bottom, steps, LogScale.over([*curve.errors, *levels], bottom, top), small)


def _is_drawn(curve: StepCurve) -> bool:
    """Return whether the step of the verdict lies near the others: that of a complex step does not."""
    return curve.step is not None and curve.steps[0] / 100 <= curve.step <= curve.steps[-1] * 100


def _axes(plot: _Plot, name: str) -> Iterator[Markup]:
    """Yield grid lines with their powers of ten, and what the axes are; of a small plot the ends alone."""
    grid = []
    for exponent in _ends(plot.steps, small=plot.small):
        at = plot.steps.at(10.0**exponent)
        grid.append(f"M{measure(at)} {measure(plot.top)}V{measure(plot.bottom)}")
        yield label((at, plot.bottom + 14), power(exponent), kind="tick middle")
    for exponent in _ends(plot.errors, small=plot.small):
        at = plot.errors.at(10.0**exponent)
        grid.append(f"M{measure(plot.left)} {measure(at)}H{measure(plot.right)}")
        yield label((plot.left - 5, at + 4), power(exponent), kind="tick end")
    yield tag("path", class_="grid", d="".join(grid))
    if not plot.small:
        yield label((plot.right, plot.bottom + 32), f"step size h, in units of {name}", kind="axis end")
        yield label((2, 11), f"absolute error, in units of d{name}", kind="axis")


def _ends(scale: LogScale, *, small: bool) -> Sequence[int]:
    return (scale.low, scale.high) if small else scale.ticks()


def _inside(plot: _Plot, curve: StepCurve) -> Markup:
    """Return both models as lines, which end at the edges of the plot, and what was measured as dots."""
    lines = (polyline(_points(plot, curve, values), kind) for kind, values in _models(curve))
    measured = zip(curve.steps, curve.errors, strict=True)
    points = [(plot.steps.at(step), plot.errors.at(error)) for step, error in measured if math.isfinite(error)]
    return joined((*lines, dots(points, "measured")))


def _models(curve: StepCurve) -> tuple[tuple[str, tuple[float, ...]], ...]:
    return ("truncation", curve.truncation), ("roundoff", curve.roundoff)


def _points(plot: _Plot, curve: StepCurve, values: tuple[float, ...]) -> list[tuple[float, float]]:
    """Return those points of a line that lie within the decades of the plot."""
    inside = 10.0**plot.errors.low, 10.0**plot.errors.high
    known = zip(curve.steps, values, strict=True)
    return [(plot.steps.at(step), plot.errors.at(value)) for step, value in known if inside[0] <= value <= inside[1]]


def _levels(plot: _Plot, curve: StepCurve) -> Iterator[Markup]:
    """Yield the step of the verdict upright, and the error bar and what is allowed across, each with its label."""
    if _is_drawn(curve) and curve.step:
        at = plot.steps.at(curve.step)
        yield tag("path", class_="chosen", d=f"M{at:.0f} {measure(plot.top)}V{measure(plot.bottom)}")
        if not plot.small:
            yield _chosen(plot, at)
    last = math.inf
    for value, words, kind in sorted(_marks(curve)):
        at = plot.errors.at(value)
        yield tag("path", class_=kind, d=f"M{measure(plot.left)} {at:.0f}H{measure(plot.right)}")
        last = min(at - 4, last - _LINE)
        yield label((plot.right - 3, last), words, kind="over end")


def _chosen(plot: _Plot, at: float) -> Markup:
    """Return what the upright line is, where neither model passes and there is room beside it."""
    kind, beside = ("over end", -4) if at > (plot.left + plot.right) / 2 else ("over", 4)
    return label((at + beside, plot.top + 0.3 * (plot.bottom - plot.top)), "chosen step", kind=kind)


def _marks(curve: StepCurve) -> list[tuple[float, str, str]]:
    """Return the levels that are drawn across: value, words and class."""
    found = [(curve.bar, "error bar", "bar"), (curve.allowed, "allowed", "allowed")]
    if _is_off(curve):
        found.append((abs(curve.analytic - curve.numerical), "|analytic − numerical|", "off"))
    return [(value, f"{words} {number(value)}", kind) for value, words, kind in found if 0 < value < math.inf]


def curve_legend() -> Markup:
    """Return what dots and lines of a curve mean."""
    rows = {
        "dot": "measured error of a central difference (0 at the lower edge)",
        "line truncation": "truncation, estimated",
        "line roundoff": "roundoff, estimated",
        "line bar": "error bar of the verdict",
        "line allowed": "largest difference that passes",
    }
    return tag("ul", *(swatch(kind, words) for kind, words in rows.items()), class_="legend")


def what_one_sees(curve: StepCurve) -> str:
    """Say in sentences what a curve shows."""
    return " ".join(_sentences(curve))


def _sentences(curve: StepCurve) -> Iterator[str]:
    where = f" at h = {number(curve.step)}" if curve.step is not None else ""
    others = "" if curve.derivative.startswith("differences") else f"; drawn are differences of order {curve.order}"
    yield f"The verdict's slope is from {curve.derivative}{where}{others}."
    crossing = _crossing(curve)
    if not any(curve.truncation):
        yield "No truncation is seen at any step."
    elif crossing is not None:
        yield f"Below about h = {number(crossing)} roundoff is the larger error, above it truncation."
    off = abs(curve.analytic - curve.numerical)
    if curve.sides is not None:
        low, high = (f"{side:.6g}" for side in curve.sides)
        yield f"The element is at a kink: every value between the slopes of both sides, {low} and {high}, is right."
    if _is_off(curve):
        times = f", {number(off / curve.allowed)} times what is allowed" if curve.allowed > 0 else ""
        yield f"The analytic value {curve.analytic:.6g} is {number(off)} away from the numerical one{times}."
    elif curve.bar > 0:
        yield f"The error bar is {_apart(curve.bar, curve.allowed)} what is allowed."


def _in_short(curve: StepCurve) -> str:
    step = f", h = {number(curve.step)}" if curve.step is not None else ""
    return f"{curve.derivative}{step}"


def _is_off(curve: StepCurve) -> bool:
    """Return whether the analytic value is further away than is allowed, and not between the sides of a kink."""
    between = curve.sides is not None and curve.sides[0] <= curve.analytic <= curve.sides[1]
    return not (between or abs(curve.analytic - curve.numerical) <= curve.allowed)


def _apart(bar: float, allowed: float) -> str:
    if bar > allowed:
        return f"{number(bar / allowed)} times" if allowed > 0 else "wider than"
    return f"{number(allowed / bar)} times smaller than"


def _crossing(curve: StepCurve) -> float | None:
    """Return the first step size at which truncation outweighs roundoff, where both matter somewhere."""
    above = [cut > noise for cut, noise in zip(curve.truncation, curve.roundoff, strict=True)]
    return curve.steps[above.index(True)] if True in above and not above[0] else None
