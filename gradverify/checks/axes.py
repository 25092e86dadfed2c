"""What the axes of an input are called, as far as the case says so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.checks.geometry import geometry_of
from gradverify.layers.registry import LAYERS
from gradverify.spec.target_model import LayerTarget

if TYPE_CHECKING:
    from gradverify.layers.registry import LayerInput, WindowRoles
    from gradverify.results import GradientCheck
    from gradverify.spec.model import Case

__all__ = ["axis_names", "with_axis_names"]

_MANY = "..."


def axis_names(case: Case, name: str, rank: int) -> tuple[str | None, ...]:
    """Return the names of the axes of one input; ``None`` for those that nothing names.

    Parameters
    ----------
    case
        Its layer, its battery or the roles of its window name them.
    name
        Of the input.
    rank
        How many axes it has.
    """
    if isinstance(case.target, LayerTarget):
        known = (given for given in LAYERS[case.target.layer].inputs if given.name == name)
        return next((_symbols(given, rank) for given in known), (None,) * rank)
    placed = None if case.placed is None else case.placed.axes.get(name)
    if placed is not None and len(placed) == rank:
        return placed
    if case.window is not None and name in {case.window.input, case.window.kernel}:
        return _of_window(case.window, name, rank, tuple(part.axis for part in geometry_of(case)))
    return (None,) * rank


def with_axis_names(check: GradientCheck, case: Case) -> GradientCheck:
    """Return a finding whose map of errors, where it has one, names the axes."""
    if check.error_map is None:
        return check
    names = axis_names(case, check.input, len(check.shape))
    axes = (replace(axis, name=name) for axis, name in zip(check.error_map.axes, names, strict=True))
    return replace(check, error_map=replace(check.error_map, axes=tuple(axes)))


def _symbols(given: LayerInput, rank: int) -> tuple[str | None, ...]:
    """Return the symbols of a shape, without those that stand for any number of axes."""
    names: list[str | None] = []
    for symbol in given.shape:
        several = symbol == _MANY or symbol.startswith("*")
        names += [None] * (rank - len(given.shape) + 1) if several else [symbol]
    return tuple(names)


def _of_window(roles: WindowRoles, name: str, rank: int, spatial: tuple[str, ...]) -> tuple[str | None, ...]:
    """Return the letters of a layout, or the names of the last axes; those of a kernel are doubled, as in ``HH``."""
    layout = roles.layout if name == roles.input else roles.kernel_layout
    letters: tuple[str | None, ...] = tuple(layout or (*(None,) * (rank - len(spatial)), *spatial))
    if name == roles.input:
        return letters
    return tuple(2 * letter if letter and letter in "DHWL" else letter for letter in letters)
