"""What was found about one case, in lines for people."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from gradverify.numerics.geometry import alike_axes, both_sides, describe_loss, describe_violation
from gradverify.reporters.error_map import map_lines
from gradverify.reporters.words import bound, count, duration, number, printable
from gradverify.results import Contract, Geometry, GradientCheck, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.results import CaseResult, Work

__all__ = [
    "assurances",
    "certificate_lines",
    "explain",
    "geometry_notes",
    "geometry_table",
    "method_lines",
    "readable",
    "says_it_all",
    "title_of",
]

_COLUMNS = ("axis", "H", "HH", "S", "P", "D", "H'", "dV~", "(H'-1)S+K", "H+2P", "r")


def title_of(result: CaseResult) -> str:
    """Return verdict, id, place and target of a case, above its explanation."""
    place = f"{result.spec}:{result.line}" if result.line else result.spec  # a model has no lines
    return f"{result.verdict.upper()} {result.id} ({place}, {result.target})"


def explain(result: CaseResult, *, full: bool) -> Iterator[str]:
    """Yield what was found about a case.

    Parameters
    ----------
    result
        The case.
    full
        Whether to show what passed as well.
    """
    shown = [part for part in result.contracts if full or not (part.verdict is Verdict.PASS or _said(part, result))]
    parts = [part for part in result.gradients if full or part.verdict is not Verdict.PASS]
    known = full or result.battery is not None  # whose rows say what they are about
    violated = [] if known else [part for part in result.geometry if not part.identity]
    if result.battery is not None:
        yield f"     {result.battery.layer} battery: {result.battery.reason}"
    if result.reason and not says_it_all(result):
        yield from (f"     {line}" for line in result.reason.splitlines())
    for contract in shown:
        yield f"     {_contract(contract)}"
    for gradient in parts:
        yield from (f"     {line}" for line in _gradient(gradient, full=full))
    for geometry in alike_axes(violated):
        yield from _violated(geometry)


def readable(result: CaseResult) -> str:
    """Return the readable report of a case as plain text: where it stands, what was found, how to run it alone."""
    place = f"{result.spec}:{result.line}" if result.line else result.spec  # a model has no lines
    found = textwrap.dedent("\n".join(explain(result, full=False)))
    alone = f"reproduce: {result.reproduce}" if result.reproduce is not None else ""
    return printable("\n".join(part for part in (f"{place}, {result.target}", found, alone) if part))


def assurances(result: CaseResult) -> Iterator[str]:
    """Yield what was not looked at, and what is certain about gradients whose elements were not compared one by one."""
    missed = (part for part in result.contracts if part.code == "coverage" and part.verdict is not Verdict.PASS)
    yield from (f"     not verified: {part.message}" for part in missed)
    passing = [part for part in result.gradients if part.verdict is Verdict.PASS]
    yield from (f"     {line}" for part in passing for line in certificate_lines(part, full=False))


def _said(contract: Contract, result: CaseResult) -> bool:
    """Return whether the gradients of a case say themselves what a contract says about their shapes."""
    unusable = sum(not part.compared and part.verdict is Verdict.FAIL for part in result.gradients)
    return contract.code == "shape" and unusable > contract.message.count(";")


def says_it_all(result: CaseResult) -> bool:
    """Return whether a part of a case gives the reason for its verdict itself."""
    said = [contract.message for contract in result.contracts]
    said += [f"d{gradient.input}: {gradient.reason}" for gradient in result.gradients]
    return result.reason in [*said, *(describe_violation(geometry) for geometry in result.geometry)]


def _contract(contract: Contract) -> str:
    word = contract.verdict.value
    if word == "fail" and contract.severity is Severity.WARNING:
        word = "warning"
    return f"contract {contract.code}: {word}: {contract.message}"


def _gradient(gradient: GradientCheck, *, full: bool) -> Iterator[str]:
    reason = f": {gradient.reason}" if gradient.reason else ""
    yield f"d{gradient.input} ({_lengths(gradient.shape)}) {gradient.verdict}{reason}"
    asked = (f"geometry: {text}" for text in gradient.backward)
    lines = (
        *_comparison(gradient),
        *asked,
        *(method_lines(gradient) if full else ()),
        *certificate_lines(gradient, full=full),
    )
    yield from (f"  {line}" for line in lines)


def _lengths(shape: tuple[int, ...]) -> str:
    return "x".join(str(length) for length in shape) or "scalar"


def _comparison(gradient: GradientCheck) -> Iterator[str]:
    if gradient.worst is not None and gradient.verdict is not Verdict.PASS:
        index = ", ".join(str(axis) for axis in gradient.worst.index)
        yield f"worst entry [{index}]"
        yield f"  analytic  {gradient.worst.analytic:.10g}"
        yield f"  numerical {gradient.worst.numerical:.10g}"
    yield from map_lines(gradient)
    if gradient.compared:
        errors = f"relative error {number(gradient.max_relative_error)}, absolute {number(gradient.max_absolute_error)}"
        yield f"largest {errors} ({gradient.compared} compared)"
    if gradient.error_bar is not None:
        yield f"widest error bar {number(gradient.error_bar)}"


def method_lines(gradient: GradientCheck) -> Iterator[str]:
    """Yield how a numerical gradient was found and what it cost, as far as it is known."""
    work = gradient.work
    if gradient.method is not None:
        footprint = f", footprint {_lengths(gradient.footprint)}" if gradient.footprint is not None else ""
        groups = f", {count(work.groups, 'group')}" if work is not None and work.groups is not None else ""
        yield f"method {gradient.method}{footprint}{groups}"
    if work is not None:
        yield from _work(work)


def _work(work: Work) -> Iterator[str]:
    step = f", step size {number(work.step)}" if work.step is not None else ""
    yield f"derivative by {work.derivative}{step}"
    passes, seconds = work.passes, work.seconds
    if passes:
        phases = {phase: str(many) for phase, many in passes.items()}
        yield f"forward passes: {_total(phases, str(sum(passes.values())))}"
    if seconds:
        phases = {phase: duration(spent) for phase, spent in seconds.items()}
        yield f"time: {_total(phases, duration(sum(seconds.values())))}"


def _total(phases: Mapping[str, str], total: str) -> str:
    parts = ", ".join(f"{phase} {amount}" for phase, amount in phases.items())
    return f"{total} ({parts})"


def certificate_lines(gradient: GradientCheck, *, full: bool) -> Iterator[str]:
    """Yield the bound on every element; where every element was compared, the comparison says more than it."""
    found = gradient.certificate
    if found is not None and (full or gradient.compared < gradient.elements):
        sure = f"no element of d{gradient.input} is wrong by more than {bound(found.bound)}"
        missed = f"(miss probability below {bound(found.miss_probability)})"
        yield f"{sure} {missed}, {count(found.directions, 'direction')}"


def _violated(geometry: Geometry) -> Iterator[str]:
    what = "size identity violated" if geometry.output else "impossible geometry"
    yield f"     {what} along {geometry.axis}"
    if geometry.output:
        yield f"       {both_sides(geometry)}, residual {geometry.residual}"
    loss = describe_loss(geometry)
    yield f"       {loss}"
    yield from (f"       {note}" for note in geometry.notes if note != loss)
    if geometry.suggestions:
        yield f"       holds with: {'; '.join(geometry.suggestions[:5])}"


def geometry_notes(geometry: tuple[Geometry, ...]) -> Iterator[str]:
    """Yield what the four lengths do not show, with the axis: holes that a dilated kernel leaves, for one."""
    yield from (f"     {part.axis}: {note}" for part in geometry for note in part.notes)


def geometry_table(geometry: tuple[Geometry, ...]) -> Iterator[str]:
    """Yield a table of the four lengths of the size identity, a row an axis; narrow enough for 80 columns."""
    if not geometry:
        return
    rows = [_row(part) for part in geometry]
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows)) for column in range(len(_COLUMNS))]
    yield ("     " + "  ".join(name.rjust(width) for name, width in zip(_COLUMNS, widths, strict=True)) + "  identity")
    for row, part in zip(rows, geometry, strict=True):
        cells = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield f"     {cells}  {_identity(part)}"


def _identity(geometry: Geometry) -> str:
    """Say whether the identity holds; that of a transposed window is read backwards: (H-1)S + K = H' + 2P."""
    word = "holds" if geometry.identity else geometry.severity.value
    extras = [f"gap {geometry.gap}"] if geometry.identity and geometry.gap else []
    extras += [f"overhang {geometry.overhang}"] if geometry.overhang else []
    extras += ["read backwards"] if geometry.transposed else []
    return ", ".join((word, *extras))


def _row(geometry: Geometry) -> tuple[str, ...]:
    low, high = geometry.padding
    numbers = (
        geometry.output,
        geometry.dilated_cotangent,
        geometry.reconstructed,
        geometry.padded,
        geometry.residual,
    )
    return (
        geometry.axis,
        str(geometry.input),
        str(geometry.kernel),
        str(geometry.stride),
        str(low) if low == high else f"{low}+{high}",
        str(geometry.dilation),
        *(str(value) for value in numbers),
    )
