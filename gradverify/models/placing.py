"""The layers of a model as cases, and the model as a row of the report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradverify.results import Network, NetworkLayer
from gradverify.spec.model import Case, Check
from gradverify.spec.site import Model, Site, SiteTarget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import Solution

__all__ = ["cases_of", "network_of"]


def cases_of(model: Model, around: Case) -> tuple[Case, ...]:
    """Return a case for each layer that has windows or a problem, or is not judged.

    Parameters
    ----------
    model
        The network or model.
    around
        What its cases have in common; its id begins theirs.
    """
    return tuple(_case(site, around) for site in _judged(model))


def network_of(model: Model, around: Case, solution: Solution | None = None) -> Network:
    """Return what the report says of a model as a whole.

    Parameters
    ----------
    model, around
        As in ``cases_of``.
    solution
        The smallest sizes at which every layer is exact, where they were asked for.
    """
    judged = {site.name: _id(site, around) for site in _judged(model)}
    layers = (
        NetworkLayer(
            name=site.name,
            op=site.op,
            case=judged.get(site.name),
            input_shape=site.input_shape,
            output_shape=site.output_shape,
            receptive_field=site.receptive_field,
            total_stride=site.total_stride,
            offset=site.offset,
            notes=tuple(_notes(site)),
        )
        for site in model.sites
    )
    return Network(id=around.id, spec=around.spec, inputs=model.inputs, layers=tuple(layers), solution=solution)


def _judged(model: Model) -> Iterator[Site]:
    return (site for site in model.sites if site.windows or site.problem or site.unjudged)


def _notes(site: Site) -> Iterator[str]:
    """Yield what is noted about a layer, once for axes of which the same is said."""
    for note in dict.fromkeys(note for _, note in site.notes):
        axes = [axis for axis, other in site.notes if other == note]
        yield f"along {' and '.join(axes)}: {note}"


def _id(site: Site, around: Case) -> str:
    return f"{around.id}/{site.name}"


def _case(site: Site, around: Case) -> Case:
    line, column = site.place or (around.line, around.column)
    return replace(
        around,
        id=_id(site, around),
        name=site.name,
        line=line,
        column=column,
        target=SiteTarget(site.op),
        inputs=(),
        params=_params(site),
        checks=(Check.GEOMETRY,),
        allow=site.allow,
        site=site,
        network=around.id,
    )


def _params(site: Site) -> dict[str, Any]:
    """Return the numbers of the windows, as lists with one for every axis."""
    windows = [window for _, window in site.windows]
    names = ("kernel", "stride", "padding", "dilation")
    return {name: [_plain(getattr(window, name)) for window in windows] for name in names} if windows else {}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
