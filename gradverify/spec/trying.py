"""Other sizes in the place of a spec's: lengths by the name of a dim or an axis, shapes by the name of an input."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.errors import UsageError, nearest_name
from gradverify.numerics.geometry import axis_names
from gradverify.spec.network_model import NetworkTarget
from gradverify.spec.site import image_of
from gradverify.spec.windows import spatial_places

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gradverify.spec.model import CaseSpec, InputSpec
    from gradverify.spec.site import Inputs

__all__ = ["axes_of", "check_sizes_are_known", "one_length", "with_sizes"]


def check_sizes_are_known(
    cases: Iterable[CaseSpec], models: Iterable[Inputs], sizes: Mapping[str, tuple[int, ...]]
) -> None:
    """Check that every name is a dim, an axis or an input of some case, or an axis or an input of some model.

    Raises
    ------
    UsageError
        One is not, or a shape has another number of axes than any input of its name.
    """
    cases = tuple(cases)
    single = {name for case in cases for name in (*case.dims, *_axes(case))}
    shapes = {(item.name, len(item.shape or ())) for case in cases for item in case.inputs}
    for inputs in models:
        single.update(axes_of(image_of(inputs)[1]))
        shapes.update((name, len(shape)) for name, shape in inputs)
    known = single.union(name for name, _ in shapes)
    for name, lengths in sizes.items():
        if name not in known:
            hint = nearest_name(name, tuple(known))
            raise UsageError(f"--try {name}: no case has a dim, an axis or an input of this name, {hint}")
        if name not in single and (name, len(lengths)) not in shapes:
            ranks = " or ".join(str(rank) for other, rank in sorted(shapes) if other == name)
            raise UsageError(f"--try {name}: got {len(lengths)} lengths, expected {ranks}, as this input has")


def with_sizes(case: CaseSpec, sizes: Mapping[str, tuple[int, ...]]) -> CaseSpec:
    """Return a case with other sizes, as far as their names mean something in it.

    Raises
    ------
    UsageError
        A dim or an axis is given several lengths, or a dim is swept.
    """
    dims = {name: one_length(name, sizes[name]) if name in sizes else length for name, length in case.dims.items()}
    for name in set(case.sweep).intersection(sizes):
        raise UsageError(f"--try {name}: '{case.name}' sweeps it, expected a name that is not swept")
    return replace(case, dims=dims, inputs=tuple(_resized(item, case, sizes) for item in case.inputs))


def _resized(item: InputSpec, case: CaseSpec, sizes: Mapping[str, tuple[int, ...]]) -> InputSpec:
    if item.name in sizes and item.name not in case.dims and len(sizes[item.name]) == len(item.shape or ()):
        return replace(item, shape=sizes[item.name])
    places = {place: axis for axis, place in _axes(case).items() if axis in sizes and axis not in case.dims}
    if not places or item is not _slid(case) or item.shape is None:
        return item
    lengths = (
        one_length(places[place], sizes[places[place]]) if place in places else length
        for place, length in enumerate(item.shape)
    )
    return replace(item, shape=tuple(lengths))


def one_length(name: str, lengths: tuple[int, ...]) -> int:
    """Return the length that a dim or an axis is to have.

    Raises
    ------
    UsageError
        There are several.
    """
    if len(lengths) != 1:
        raise UsageError(f"--try {name}: got {len(lengths)} lengths, expected one")
    return lengths[0]


def _slid(case: CaseSpec) -> InputSpec | None:
    """Return the input that a window slides over, or that enters a network."""
    if any(isinstance(target, NetworkTarget) for target in case.targets):
        return case.inputs[0] if case.inputs else None
    name = case.window.input if case.window is not None else None
    return next((item for item in case.inputs if item.name == name), None)


def _axes(case: CaseSpec) -> dict[str, int]:
    """Return the places of the spatial axes of that input, by their names."""
    slid = _slid(case)
    if slid is None or slid.shape is None:
        return {}
    return axes_of(slid.shape, None if case.window is None else case.window.layout)


def axes_of(shape: Sequence[object], layout: str | None = None) -> dict[str, int]:
    """Return the places of the spatial axes of a shape, by their names."""
    places = spatial_places(len(shape), layout)
    return dict(zip(axis_names(len(places)), places, strict=True))
