"""From networks and models to the cases of their layers."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gradverify.errors import ModelError, UsageError, nearest_name
from gradverify.execution import executor
from gradverify.execution.jobs import Job, Lost
from gradverify.models.network import chain
from gradverify.models.placing import cases_of, network_of
from gradverify.models.requests import OnnxRequest, TorchRequest
from gradverify.numerics.geometry import axis_names
from gradverify.spec.model import DEFAULT_TIMEOUT, Case, Tolerance
from gradverify.spec.network_model import NetworkTarget
from gradverify.spec.site import SiteTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.models.requests import ModelRequest
    from gradverify.results import Network, Solution
    from gradverify.spec.overriding import Overrides
    from gradverify.spec.site import Model, Shape

__all__ = ["Models", "NamedShape", "modelled"]

# Named, not imported: the function runs in a worker.
_READ = "gradverify.models.reading:read"


@dataclass(frozen=True, slots=True)
class NamedShape:
    """The shape of an input: its name, or nothing for inputs in order; lengths; dtype, or nothing."""

    name: str
    lengths: tuple[int, ...]
    dtype: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """The models that a command takes.

    Attributes
    ----------
    files, factories
        ONNX files, and torch factories as ``module:name``.
    shapes
        What goes into them.
    tried
        Lengths by the name of an axis, or shapes by the name of an input, that stand in the place of those.
    solve
        Whether to look for the smallest sizes with which every layer is exact.
    folder
        Absolute path of the folder that factories are imported from.
    workers
        Processes that read them.
    """

    files: tuple[str, ...] = ()
    factories: tuple[str, ...] = ()
    shapes: tuple[NamedShape, ...] = ()
    tried: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    solve: bool = False
    folder: str = ""
    workers: int = 1


def modelled(
    cases: tuple[Case, ...], overrides: Overrides, models: Models | None
) -> tuple[tuple[Case, ...], tuple[Network, ...]]:
    """Return cases, with a case for every layer of a network and of the models, and networks and models as wholes.

    Raises
    ------
    ModelError
        A model cannot be read; says so of all that cannot.
    UsageError
        What is tried is no axis and no input of any model.
    """
    found: list[Case] = []
    networks = []
    for case in cases:
        if isinstance(case.target, NetworkTarget):
            model = chain(case)
            found.extend(cases_of(model, case))
            networks.append(network_of(model, case, _solution(case, models)))
        else:
            found.append(case)
    for label, model in _read(models, overrides) if models is not None else ():
        around = _around(label, overrides)
        found.extend(cases_of(model, around))
        networks.append(network_of(model, around))
    return tuple(found), tuple(networks)


def _solution(case: Case, models: Models | None) -> Solution | None:
    if models is None or not models.solve:
        return None
    from gradverify.models.solving import smallest_exact  # noqa: PLC0415  only who asks for it pays

    return smallest_exact(case)


def _read(models: Models, overrides: Overrides) -> list[tuple[str, Model]]:
    """Read all models, those with tried sizes after they were read as they are."""
    labels = (*models.files, *models.factories)
    shapes = dict.fromkeys(labels, models.shapes)
    read = _outcomes(models, shapes, overrides)
    if not models.tried or not labels:
        return list(zip(labels, read, strict=True))
    changed = {label: _with_tried(model, models) for label, model in zip(labels, read, strict=True)}
    return list(zip(labels, _outcomes(models, changed, overrides), strict=True))


def _outcomes(models: Models, shapes: Mapping[str, tuple[NamedShape, ...]], overrides: Overrides) -> list[Model]:
    seconds = DEFAULT_TIMEOUT if overrides.timeout is None else overrides.timeout
    requests = [_request(label, models, shapes[label]) for label in (*models.files, *models.factories)]
    jobs = [Job(request, _path(request, models), seconds, overrides.memory, repr(request)) for request in requests]
    if not jobs:
        return []
    with closing(executor("processes", models.workers).run(_READ, jobs)) as outcomes:
        found = [outcome for _, outcome in zip(jobs, outcomes, strict=True)]
    read: list[Model | str] = [outcome.reason if isinstance(outcome, Lost) else outcome.value for outcome in found]
    problems = [
        f"{label}: {said}"
        for label, said in zip((*models.files, *models.factories), read, strict=True)
        if isinstance(said, str)
    ]
    if problems:
        raise ModelError(tuple(problems))
    return [model for model in read if not isinstance(model, str)]


def _request(label: str, models: Models, shapes: tuple[NamedShape, ...]) -> ModelRequest:
    if label in models.factories:
        given = tuple((shape.name, shape.lengths, shape.dtype) for shape in shapes)
        return TorchRequest(factory=label, input_shapes=given, folder=models.folder)
    return OnnxRequest(file=label, input_shapes={shape.name: shape.lengths for shape in shapes})


def _path(request: ModelRequest, models: Models) -> tuple[str, ...]:
    return (models.folder,) if isinstance(request, TorchRequest) else ()


def _with_tried(model: Model, models: Models) -> tuple[NamedShape, ...]:
    """Return the shapes of a model's inputs with the lengths that are tried."""
    dtypes = {shape.name: shape.dtype for shape in models.shapes}
    (first, *_) = model.inputs or ((("", ())),)
    changed = {name: _resized(name, shape, models.tried, is_image=name == first[0]) for name, shape in model.inputs}
    if changed == dict(model.inputs):
        known = (*changed, *_axes(first[1]))
        name = next(iter(models.tried))
        raise UsageError(f"--try {name}: the model has no such input or axis, {nearest_name(name, known)}")
    whole = {name: tuple(length for length in shape if length is not None) for name, shape in changed.items()}
    return tuple(
        NamedShape(name, lengths, dtypes.get(name, ""))
        for name, lengths in whole.items()
        if len(lengths) == len(changed[name])
    )


def _resized(name: str, shape: Shape, tried: Mapping[str, tuple[int, ...]], *, is_image: bool) -> Shape:
    if name in tried:
        return tried[name]
    axes = _axes(shape) if is_image else {}
    lengths = list(shape)
    for axis, place in axes.items():
        if axis in tried:
            (lengths[place],) = tried[axis]
    return tuple(lengths)


def _axes(shape: Shape) -> dict[str, int]:
    """Return the places of the spatial axes: those behind batch and channels."""
    return {axis: place for place, axis in enumerate(axis_names(max(len(shape) - 2, 0)), start=2)}


def _around(label: str, overrides: Overrides) -> Case:
    """Return what the cases of a model's layers have in common."""
    name = re.sub(r"[/\\]", "-", Path(label).stem if ":" not in label else label)
    return Case(
        id=name,
        name=name,
        spec=label,
        line=1,
        target=SiteTarget("model"),
        inputs=(),
        params={},
        sweep={},
        window=None,
        seed=overrides.seed or 0,
        dtype=overrides.dtype or "float64",
        tolerance=Tolerance(),
        timeout=DEFAULT_TIMEOUT,
        fail_on=overrides.fail_on,
        strict=bool(overrides.strict),
    )
