"""Reads models in workers: as they are, at other sizes, and at one size after the other."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from gradverify.errors import ModelError, UsageError, nearest_name
from gradverify.execution import executor
from gradverify.execution.jobs import Job, Lost
from gradverify.models.requests import NamedShape, OnnxRequest, TorchRequest
from gradverify.models.searching import SearchRequest
from gradverify.numerics.geometry import axis_names
from gradverify.spec.model import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gradverify.models.requests import ModelRequest
    from gradverify.pipeline.modelling import Models
    from gradverify.results import Solution
    from gradverify.spec.overriding import Overrides
    from gradverify.spec.site import Model, Shape

__all__ = ["read_models"]

# Named, not imported: these functions run in a worker.
_READ = "gradverify.models.reading:read"
_SEARCH = "gradverify.models.searching:search"


def read_models(models: Models, overrides: Overrides) -> list[tuple[str, Model, Solution | None]]:
    """Return name, layers and smallest exact sizes, where they are asked for, of all models.

    Those with tried sizes are read once more, after they were read as they are.

    Raises
    ------
    ModelError
        A model cannot be read; says so of all that cannot.
    UsageError
        What is tried is no axis and no input of any model.
    """
    labels = models.labels
    shapes = dict.fromkeys(labels, models.shapes)
    read: list[Model] = _answers(_READ, _requests(models, shapes), models, overrides)
    if models.tried:
        shapes = {label: _with_tried(model, models) for label, model in zip(labels, read, strict=True)}
        read = _answers(_READ, _requests(models, shapes), models, overrides)
    solutions: list[Solution | None] = [None] * len(labels)
    if models.solve:
        requests = [SearchRequest(request, _seconds(overrides)) for request in _requests(models, shapes)]
        solutions = _answers(_SEARCH, requests, models, overrides)
    return list(zip(labels, read, solutions, strict=True))


def _requests(models: Models, shapes: Mapping[str, tuple[NamedShape, ...]]) -> list[ModelRequest]:
    return [_request(label, models, shapes[label]) for label in models.labels]


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
    said = [(label, answer) for label, answer in zip(models.labels, answers, strict=True) if isinstance(answer, str)]
    problems = [text if text.startswith(label) else f"{label}: {text}" for label, text in said]
    if problems:
        raise ModelError(tuple(problems))
    return answers


def _request(label: str, models: Models, shapes: tuple[NamedShape, ...]) -> ModelRequest:
    if label in models.factories:
        return TorchRequest(factory=label, input_shapes=shapes, folder=models.folder)
    return OnnxRequest(label, {shape.name: shape.lengths for shape in shapes}, resizes=bool(models.tried))


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
