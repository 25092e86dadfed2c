"""From networks and models to the cases of their layers."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradverify.errors import ModelError, UsageError, nearest_name
from gradverify.execution import executor
from gradverify.execution.jobs import Job, Lost
from gradverify.models.network import chain
from gradverify.models.placing import cases_of, network_of
from gradverify.models.requests import OnnxRequest, TorchRequest
from gradverify.models.searching import SearchRequest
from gradverify.numerics.geometry import axis_names
from gradverify.spec.model import DEFAULT_TIMEOUT, Case, Tolerance
from gradverify.spec.network_model import NetworkTarget
from gradverify.spec.site import SiteTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradverify.models.requests import ModelRequest
    from gradverify.results import Network, Solution
    from gradverify.spec.overriding import Overrides
    from gradverify.spec.site import Model, Shape

__all__ = ["Models", "NamedShape", "modelled"]

# Named, not imported: these functions run in a worker.
_READ = "gradverify.models.reading:read"
_SEARCH = "gradverify.models.searching:search"


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
    for read in _read(models, overrides) if models is not None else ():
        around = _around(read.label, overrides)
        found.extend(cases_of(read.model, around))
        networks.append(network_of(read.model, around, read.solution))
    return tuple(found), tuple(networks)


def _solution(case: Case, models: Models | None) -> Solution | None:
    if models is None or not models.solve:
        return None
    from gradverify.models.solving import smallest_exact  # noqa: PLC0415  only who asks for it pays

    return smallest_exact(case)


@dataclass(frozen=True, slots=True)
class _Read:
    """A model that was read, and the smallest sizes at which it is exact, where they were asked for."""

    label: str
    model: Model
    solution: Solution | None


def _read(models: Models, overrides: Overrides) -> list[_Read]:
    """Read all models, those with tried sizes after they were read as they are."""
    labels = (*models.files, *models.factories)
    if not labels:
        return []
    shapes = dict.fromkeys(labels, models.shapes)
    read: list[Model] = _answers(_READ, _requests(models, shapes), models, overrides)
    if models.tried:
        shapes = {label: _with_tried(model, models) for label, model in zip(labels, read, strict=True)}
        read = _answers(_READ, _requests(models, shapes), models, overrides)
    solutions: list[Solution | None] = [None] * len(labels)
    if models.solve:
        requests = [SearchRequest(request, _seconds(overrides)) for request in _requests(models, shapes)]
        solutions = _answers(_SEARCH, requests, models, overrides)
    return [_Read(*found) for found in zip(labels, read, solutions, strict=True)]


def _requests(models: Models, shapes: Mapping[str, tuple[NamedShape, ...]]) -> list[ModelRequest]:
    return [_request(label, models, shapes[label]) for label in (*models.files, *models.factories)]


def _seconds(overrides: Overrides) -> float:
    return DEFAULT_TIMEOUT if overrides.timeout is None else overrides.timeout


def _answers(function: str, requests: Sequence[Any], models: Models, overrides: Overrides) -> list[Any]:
    """Return what a function says of every request, each in a worker; raise what it says is wrong with them."""
    # A search ends by itself at the timeout, between two sizes.
    seconds = _seconds(overrides) * (2 if function == _SEARCH else 1)
    jobs = [Job(request, (models.folder,), seconds, overrides.memory, repr(request)) for request in requests]
    with closing(executor("processes", models.workers).run(function, jobs)) as outcomes:
        found = [outcome for _, outcome in zip(jobs, outcomes, strict=True)]
    answers = [outcome.reason if isinstance(outcome, Lost) else outcome.value for outcome in found]
    labels = (*models.files, *models.factories)
    said = [(label, answer) for label, answer in zip(labels, answers, strict=True) if isinstance(answer, str)]
    problems = [text if text.startswith(label) else f"{label}: {text}" for label, text in said]
    if problems:
        raise ModelError(tuple(problems))
    return answers


def _request(label: str, models: Models, shapes: tuple[NamedShape, ...]) -> ModelRequest:
    if label in models.factories:
        given = tuple((shape.name, shape.lengths, shape.dtype) for shape in shapes)
        return TorchRequest(factory=label, input_shapes=given, folder=models.folder)
    named = {shape.name: shape.lengths for shape in shapes if shape.name}
    in_order = tuple(shape.lengths for shape in shapes if not shape.name)
    return OnnxRequest(label, named, in_order, resizes=bool(models.tried))


def _with_tried(model: Model, models: Models) -> tuple[NamedShape, ...]:
    """Return the shapes of a model's inputs with the lengths that are tried."""
    # Of a torch module the inputs stand in the order of what was given, with names or without.
    dtypes = {name: shape.dtype for (name, _), shape in zip(model.inputs, models.shapes, strict=False)}
    (first, *_) = model.inputs or ((("", ())),)
    changed = {name: _resized(name, shape, models.tried, is_image=name == first[0]) for name, shape in model.inputs}
    if changed == dict(model.inputs):
        known = (*changed, *_axes(first[1]))
        name = next(iter(models.tried))
        raise UsageError(f"--try {name}: the model has no such input or axis, {nearest_name(name, known)}")
    whole = {name: _known(shape) for name, shape in changed.items() if shape}
    return tuple(
        NamedShape(name, lengths, dtypes.get(name, ""))
        for name, lengths in whole.items()
        if len(lengths) == len(changed[name] or ())
    )


def _known(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return the lengths that are known; a batch that is not is one sample, as no window slides over it."""
    batch, *others = shape
    return (1 if batch is None else batch, *(length for length in others if length is not None))


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
    name = re.sub(r"[/\\]", "-", Path(label).stem if label.endswith(".onnx") else label)
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
