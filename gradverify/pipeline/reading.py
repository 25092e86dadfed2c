"""Reads models in workers: as they are, at other sizes, and at one size after the other."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from gradverify.errors import ModelError, nearest_name
from gradverify.execution import executor
from gradverify.execution.jobs import Job, Lost
from gradverify.models.requests import OnnxRequest, TorchRequest, reshaped
from gradverify.models.searching import SearchRequest
from gradverify.problems import Problem, ProblemKind
from gradverify.spec.model import DEFAULT_TIMEOUT
from gradverify.spec.site import image_of
from gradverify.spec.trying import axes_of, one_length

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
        An axis is to have several lengths.
    """
    requests = [_request(label, models) for label in models.labels]
    read: list[Model] = _answers(_READ, requests, models, overrides)
    _check_names(models, read)
    if models.tried:
        pairs = zip(requests, read, strict=True)
        requests = [reshaped(request, model, _tried(model, models.tried)) for request, model in pairs]
        read = _answers(_READ, requests, models, overrides)
    solutions: list[Solution | None] = [None] * len(requests)
    if models.solve:
        searches = [SearchRequest(request, _seconds(overrides)) for request in requests]
        solutions = _answers(_SEARCH, searches, models, overrides)
    return list(zip(models.labels, read, solutions, strict=True))


def _check_names(models: Models, read: Sequence[Model]) -> None:
    """Check that every shape with a name is that of an input of some model."""
    known = {name for model in read for name, _ in model.inputs}
    for shape in models.shapes:
        if shape.name and shape.name not in known:
            raise ModelError(
                f"--input-shape: no model has an input '{shape.name}', {nearest_name(shape.name, tuple(known))}"
            )


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
    if said:
        raise ModelError(tuple(_problem(label, text) for label, text in said))
    return answers


def _problem(label: str, text: str) -> Problem:
    """Return what a reader says of a model: most name it themselves."""
    named = text.startswith(f"{label}: ")
    about = label if named or not text.startswith(label) else ""
    return Problem(about, 0, 0, text.removeprefix(f"{label}: "), ProblemKind.MODEL)


def _request(label: str, models: Models) -> ModelRequest:
    if label in models.factories:
        return TorchRequest(factory=label, input_shapes=models.shapes, folder=models.folder)
    named = {shape.name: shape.lengths for shape in models.shapes if shape.name}
    in_order = tuple(shape.lengths for shape in models.shapes if not shape.name)
    return OnnxRequest(label, named, in_order, beside_others=len(models.labels) > 1)


def _tried(model: Model, tried: Mapping[str, tuple[int, ...]]) -> dict[str, Shape]:
    """Return the shapes of a model's inputs that are tried: as a whole, or along axes of its image.

    An image keeps its shape where some length would still not be known.
    """
    shapes: dict[str, Shape] = {name: tried[name] for name, _ in model.inputs if name in tried}
    name, shape = image_of(model.inputs)
    places = {place: axis for axis, place in axes_of(shape).items() if axis in tried}
    lengths = [
        one_length(places[place], tried[places[place]]) if place in places else length
        for place, length in enumerate(shape)
    ]
    return shapes if not places or None in lengths[2:] else {name: tuple(lengths), **shapes}
