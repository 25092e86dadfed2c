"""The size identity of a case's windows, and whether its parameters fit its shapes at all. Runs no user code."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.errors import GradverifyError
from gradverify.layers.registry import LAYERS
from gradverify.numerics.geometry import describe_impossible, measure
from gradverify.results import CaseResult, Cause, Geometry, Verdict
from gradverify.spec.model import Case, Check
from gradverify.spec.target_model import LayerTarget
from gradverify.spec.windows import windows

if TYPE_CHECKING:
    from gradverify.numerics.geometry import Window
    from gradverify.spec.site import Site

__all__ = ["audit", "geometry_of", "impossible", "known_geometry"]


def audit(case: Case) -> CaseResult:
    """Judge the geometry of one case, without its code."""
    started = time.perf_counter()
    return replace(_audited(case), seconds=time.perf_counter() - started)


def _audited(case: Case) -> CaseResult:
    nothing = _nothing_to_audit(case)
    if nothing is not None:
        return case.result(Verdict.SKIP, nothing)
    try:
        found = geometry_of(case)
    except GradverifyError as error:
        return case.result(Verdict.ERROR, str(error), cause=Cause.UNUSABLE)
    if case.site is not None and case.site.problem is not None:
        return case.result(Verdict.ERROR, case.site.problem, geometry=found, cause=Cause.NOT_JUDGED)
    reason = impossible(case)
    verdict = Verdict.SKIP if reason is not None and case.sweep else Verdict.PASS  # the policy fails it
    return case.result(verdict, reason, geometry=found, cause=None if reason is None else Cause.IMPOSSIBLE)


def _nothing_to_audit(case: Case) -> str | None:
    if Check.GEOMETRY not in case.checks:
        return "its checks leave geometry out"
    if case.placed is not None:
        return "the geometry of a battery is that of no network"
    if case.site is not None:
        return case.site.unjudged
    return "no window to audit" if case.window is None else None


def geometry_of(case: Case) -> tuple[Geometry, ...]:
    """Return the size identity along every axis of a windowed case; nothing for the others."""
    found = (measure(axis, window) for axis, window in _windows(case))
    return tuple(found) if case.site is None else tuple(_noted(part, case.site) for part in found)


def _noted(geometry: Geometry, site: Site) -> Geometry:
    """Return a geometry with what its layer's place in the network adds to it."""
    more = tuple(sentence for axis, sentence in site.notes if axis == geometry.axis)
    return replace(geometry, notes=(*geometry.notes, *more)) if more else geometry


def known_geometry(case: Case) -> tuple[Geometry, ...]:
    """Return the size identity of a case whose process was lost, as far as it can be known."""
    if Check.GEOMETRY not in case.checks or any(item.shape is None for item in case.inputs):
        return ()
    try:
        return geometry_of(case)
    except GradverifyError:
        return ()


def impossible(case: Case) -> str | None:
    """Say why the parameters of a case do not fit its shapes, or return ``None`` when they do."""
    for axis, window in _windows(case):
        reason = describe_impossible(window)
        if reason is not None:
            return f"impossible geometry along {axis}: {reason}"
    return _indivisible(case)


def _windows(case: Case) -> tuple[tuple[str, Window], ...]:
    if case.site is not None:
        return case.site.windows
    if case.window is None:
        return ()
    shapes = {item.name: None if item.shape is None else tuple(int(n) for n in item.shape) for item in case.inputs}
    if None in shapes.values():
        from gradverify.checks.data import file_shape  # noqa: PLC0415  numpy, for shapes in files alone

        shapes |= {item.name: file_shape(item) for item in case.inputs if item.shape is None}
    return windows(case.window, shapes, case.params) or ()


def _indivisible(case: Case) -> str | None:
    if not isinstance(case.target, LayerTarget):
        return None
    layer, shape = LAYERS[case.target.layer], case.inputs[0].shape
    if layer.divides is None or shape is None:
        return None
    parameter, symbol = layer.divides
    length = int(shape[layer.inputs[0].shape.index(symbol)])
    divisor = case.params[parameter]
    return f"{parameter} {divisor} does not divide {symbol} = {length}" if length % divisor else None
