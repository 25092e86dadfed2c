"""The gradients of a case: their numbers side by side, then each with where it is wrong and its step-size curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.explanation import certificate_lines, method_lines
from gradverify.reporters.html.curve import curve_figure
from gradverify.reporters.html.error_pictures import grid_figure, map_table
from gradverify.reporters.html.markup import Markup, tag
from gradverify.reporters.html.verdicts import verdict_word
from gradverify.reporters.words import number
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult, GradientCheck

__all__ = ["gradients_section"]

_COLUMNS = ("gradient", "shape", "verdict", "relative error", "absolute error", "error bar", "compared", "failed")


def gradients_section(case: CaseResult) -> Markup | None:
    """Return the gradients of a case, or ``None`` where there are none."""
    if not case.gradients:
        return None
    curves = [curve_figure(part, small=True) for part in case.gradients if part.verdict is Verdict.PASS]
    return tag(
        "section",
        tag("h4", "Gradients"),
        _numbers(case),
        *(_wrong(part) for part in case.gradients if part.verdict is not Verdict.PASS),
        tag("div", *curves, class_="multiples") if any(curves) else None,
    )


def _numbers(case: CaseResult) -> Markup:
    head = tag("tr", *(tag("th", name, scope="col") for name in _COLUMNS))
    caption = tag("caption", "Analytic against numerical gradients, largest errors")
    rows = map(_row, case.gradients)
    table = tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="plain")
    return tag("div", table, class_="wide", role="region", aria_label="Gradients in numbers", tabindex="0")


def _row(gradient: GradientCheck) -> Markup:
    many = (str(gradient.compared), str(gradient.failed))
    errors = (gradient.max_relative_error, gradient.max_absolute_error, gradient.error_bar)
    return tag(
        "tr",
        tag("th", f"d{gradient.input}", scope="row"),
        tag("td", "×".join(map(str, gradient.shape)) or "scalar"),
        tag("td", verdict_word(gradient.verdict)),
        *(tag("td", text, class_="number") for text in (*map(number, errors), *many)),
    )


def _wrong(gradient: GradientCheck) -> Markup:
    """Return what is to say of a gradient that does not pass."""
    return tag(
        "section",
        tag("h5", f"d{gradient.input}: {gradient.reason or gradient.verdict.value}"),
        _worst(gradient),
        tag("ul", *(tag("li", line) for line in _sentences(gradient))),
        map_table(gradient),
        tag("div", grid_figure(gradient), curve_figure(gradient, small=False), class_="beside"),
        class_="wrong",
    )


def _worst(gradient: GradientCheck) -> Markup | None:
    worst = gradient.worst
    if worst is None:
        return None
    index = ", ".join(map(str, worst.index))
    rows = (
        ("analytic", worst.analytic),
        ("numerical", worst.numerical),
        ("difference", abs(worst.analytic - worst.numerical)),
    )
    body = (
        tag("tr", tag("th", name, scope="row"), tag("td", f"{value:.10g}", class_="number")) for name, value in rows
    )
    return tag("table", tag("caption", f"Worst entry [{index}]"), tag("tbody", *body), class_="plain worst")


def _sentences(gradient: GradientCheck) -> Iterator[str]:
    for found in gradient.diagnosis:
        yield f"diagnosis {found.code}: {found.message} ({found.evidence})"
    yield from (f"geometry: {text}" for text in gradient.backward)
    yield from method_lines(gradient)
    yield from certificate_lines(gradient, full=True)
