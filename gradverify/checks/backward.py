"""What the windows of a case ask of each gradient, and whether its errors sit where no window reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.layers.registry import LAYERS
from gradverify.numerics.geometry import Gradient, alike_axes, describe_backward, is_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.layers.registry import WindowRoles
    from gradverify.results import AxisPart, ErrorMap, Geometry, GradientCheck
    from gradverify.spec.model import Case

__all__ = ["with_backward"]


def with_backward(check: GradientCheck, case: Case, geometry: tuple[Geometry, ...]) -> GradientCheck:
    """Return a finding that says what the windows along the axes of a case ask of this gradient.

    Parameters
    ----------
    check
        What was found about the gradient; its map of errors, where it has one, names its axes.
    case
        Its window says which gradient that is.
    geometry
        Of the case, along every axis.
    """
    gradient = _gradient(check.input, case)
    if gradient is None:
        return check
    said = [text for part in alike_axes(geometry) for text in describe_backward(part, gradient)]
    if gradient is not Gradient.KERNEL and check.error_map is not None and check.error_map.failed:
        said += _where(check.error_map, geometry)
    return replace(check, backward=tuple(said))


def _gradient(name: str, case: Case) -> Gradient | None:
    """Return which gradient of a windowed layer that of an input is; ``None`` for a bias and the like."""
    if case.window is None:
        return None
    kernel, convolves = _kernel(case, case.window)
    if name == kernel:
        return Gradient.KERNEL
    if name == case.window.input:
        return Gradient.INPUT if convolves else Gradient.POOLED
    return None


def _kernel(case: Case, roles: WindowRoles) -> tuple[str | None, bool]:
    """Return the input that is the kernel, where the case has it, and whether its layer has one at all."""
    standard = None if case.placed is None else LAYERS[case.placed.layer].window
    if case.placed is None or standard is None:
        given = roles.kernel in {item.name for item in case.inputs}
        return (roles.kernel if given else None), given
    # A battery gives the window in numbers, and the kernel may lie within an object.
    convolves = standard.kernel in {item.name for item in LAYERS[case.placed.layer].inputs}
    return (case.placed.kind.inputs.get(standard.kernel) if convolves else None), convolves


def _where(found: ErrorMap, geometry: tuple[Geometry, ...]) -> list[str]:
    """Say that all errors sit in rows that no window reads, where they do."""
    windows = {part.axis: part for part in geometry}
    axes = {axis.axis: windows[axis.name] for axis in found.axes if axis.name in windows}
    named = [axes[part.axis].axis for part in found.within if _unread(part, axes)][:1]
    if not named and found.along and all(_unread(part, axes) for part in found.along):
        named = [axes[part.axis].axis for part in found.along]
    if not named:
        named = _of_listed(found, axes)
    if not named:
        return []
    return [f"every element that fails lies in rows along {' or '.join(named)} that no window reads"]


def _unread(part: AxisPart, axes: Mapping[int, Geometry]) -> bool:
    """Return whether no window reads any of some rows."""
    if part.axis not in axes:
        return False
    return not any(is_read(axes[part.axis], row) for rows in part.indices for row in rows)


def _of_listed(found: ErrorMap, axes: Mapping[int, Geometry]) -> list[str]:
    """Return the axes along which elements listed one by one lie in rows that no window reads, where all of them do."""
    unread = [{axis for axis, part in axes.items() if not is_read(part, index[axis])} for index in found.listed]
    return [axes[axis].axis for axis in sorted(set().union(*unread))] if unread and all(unread) else []
