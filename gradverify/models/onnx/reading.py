"""From an ONNX file to sites, one for each node whose windows slide."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gradverify.models.onnx.asking import Asker
from gradverify.models.onnx.culprits import describe_disorder
from gradverify.models.onnx.folding import infer_folded
from gradverify.models.onnx.functions import inlined, uninlined
from gradverify.models.onnx.graph import Scope, Step, steps_of
from gradverify.models.onnx.inputs import give_shapes, inputs_of
from gradverify.models.onnx.loading import load
from gradverify.models.onnx.nodes import key_of
from gradverify.models.onnx.operators import Operator, describe_unknown, operator_of
from gradverify.models.onnx.padding import with_padding_before
from gradverify.models.onnx.preparing import Source, describe_malformed, opsets_of
from gradverify.models.onnx.results import contradiction, output_lengths
from gradverify.models.onnx.shapes import Lengths, plain
from gradverify.models.onnx.values import UnreadableError
from gradverify.models.onnx.windows import Reading, read_windows, spatial_axes
from gradverify.models.onnx.words import shown
from gradverify.numerics.geometry import axis_names, describe_impossible
from gradverify.spec.site import Model, Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.models.onnx.nodes import Key
    from gradverify.models.requests import OnnxRequest
    from gradverify.numerics.geometry import Window

__all__ = ["read_model"]


def read_model(request: OnnxRequest) -> Model:
    """Read the windowed nodes of an ONNX model, in order, those inside a node before it.

    Raises
    ------
    ModelError
        As :func:`gradverify.models.onnx.read`.
    """
    model = load(request.file)
    is_given = give_shapes(model, request)
    model = inlined(model, request.file)
    source = Source(request.file, model, opsets_of(model, request.file), stale=is_given)
    inputs = inputs_of(model)
    steps = steps_of(model, infer_folded(source))
    audit = _Audit(source, steps, Asker(source, steps, inputs), uninlined(model, source.opsets.get("", 0)))
    return Model(
        inputs=tuple((shown(name), plain(shape) or ()) for name, shape in inputs),
        sites=tuple(audit.sites()),
    )


@dataclass(slots=True)
class _Audit:
    """One pass over the nodes of a model.

    Attributes
    ----------
    source, steps, asker
        The model, its nodes, and who says why lengths are not known.
    calls
        Functions whose calls could not be written out, with the reason.
    spoiled
        Which tensors cannot be computed, and the reason for it.
    """

    source: Source
    steps: tuple[Step, ...]
    asker: Asker
    calls: Mapping[Key, str]
    spoiled: dict[tuple[Scope, str], str] = field(default_factory=dict)

    def sites(self) -> Iterator[Site]:
        """Yield the sites; a node after one that is impossible or cannot be read is not judged."""
        for position, step in enumerate(self.steps):
            reason = next((found for name in step.node.input if (found := self._spoiler(step, name))), None)
            site = self._site(position, step, reason)
            if site is not None:
                yield site
                reason = reason or _spoils(step, site)
            if reason is not None:
                self._spoil(step, reason)

    def _spoil(self, step: Step, reason: str) -> None:
        """Note that the outputs of a node, and of those it lies in, cannot be computed."""
        outer: Step | None = step
        while outer is not None:
            for name in outer.node.output:
                self.spoiled.setdefault((outer.scope, name), reason)
            outer = outer.scope.owner

    def _spoiler(self, step: Step, name: str) -> str | None:
        """Return why an input of a node cannot be computed, also where it comes into an inner graph."""
        home = step.scope.home(name)
        if home is None:
            return None
        if (home, name) in self.spoiled:
            return self.spoiled[home, name]
        if home.owner is None or name in home.makers:
            return None
        return next((found for other in home.owner.node.input if (found := self._spoiler(home.owner, other))), None)

    def _site(self, position: int, step: Step, spoiled: str | None) -> Site | None:
        """Return the site of a node; ``None`` where it has no windows."""
        operator = operator_of(step.node)
        reason = self.calls.get(key_of(step.node))
        if operator is None:
            return (
                self._unknown(step)
                if reason is None
                else Site(name=step.name, op=shown(step.node.op_type), problem=reason)
            )
        malformed = describe_malformed(step.node, self.source.opsets)
        if malformed is None and not (step.node.input and step.node.input[0]):
            malformed = "it has no input"
        malformed = malformed or describe_disorder(step)
        if malformed is None and spoiled is not None:
            malformed = f"its input is not known: {spoiled}"
        if malformed is not None:
            return Site(name=step.name, op=step.node.op_type, problem=malformed)
        return self._judged(position, step, operator)

    def _unknown(self, step: Step) -> Site | None:
        """Return the site of a node whose operator is not known; ``None`` where it is known, and has no windows."""
        found = describe_unknown(step.node, self.source.opsets)
        if found is None:
            return None
        said, is_error = found
        op = shown(step.node.op_type)
        return Site(name=step.name, op=op, problem=said) if is_error else Site(name=step.name, op=op, unjudged=said)

    def _judged(self, position: int, step: Step, operator: Operator) -> Site:
        """Return the site of a node whose input can be computed."""
        shape = step.scope.shape(step.node.input[0])
        if shape is None:
            return Site(name=step.name, op=step.node.op_type, problem=self.asker.explain(position, ()))
        try:
            reading = self._read(position, step, operator, shape)
        except UnreadableError as error:
            reading = Reading((), (str(error),))
        made = step.scope.shape(step.node.output[0]) if step.node.output else None
        problems = [*reading.problems, *contradiction(reading.windows, operator, made)]
        return Site(
            name=step.name,
            op=step.node.op_type,
            input_shape=plain(shape),
            output_shape=output_lengths(reading.windows, operator, (shape, made)),
            windows=reading.windows,
            problem="; ".join(problems) or None,
            notes=tuple(_padding_alone(reading.windows)) if step.node.op_type.endswith("Pool") else (),
        )

    def _read(self, position: int, step: Step, operator: Operator, shape: Lengths) -> Reading:
        """Return windows and problems of a node, with lengths that are not known among these."""
        reading = read_windows(step, operator, shape, self.source.opsets)
        if operator.folds:
            return reading
        axes = spatial_axes(step, operator, shape)
        named = dict(zip(axis_names(len(axes)), axes, strict=True))
        unknown = [(name, axis) for name, axis in named.items() if not isinstance(shape[axis], int)]
        problems = [*reading.problems, *([self.asker.explain(position, unknown)] if unknown else [])]
        places = [named[name] for name, _ in reading.windows]
        return Reading(with_padding_before(step, reading.windows, places, len(shape)), tuple(problems))


def _padding_alone(windows: tuple[tuple[str, Window], ...]) -> Iterator[tuple[str, str]]:
    """Yield the axes along which a window of a pool reads padding alone, which ONNX allows, with the reason."""
    for axis, window in windows:
        said = describe_impossible(replace(window, reads_padding_only=False))
        if said is not None and describe_impossible(window) is None:
            yield axis, f"{said}: what it makes there comes from no data"


def _spoils(step: Step, site: Site) -> str | None:
    """Say why nothing can be judged after a node; ``None`` where its output is known, or asked for by itself."""
    if any(describe_impossible(window) for _, window in site.windows):
        return f"{step} before it is impossible"
    own = site.input_shape is not None and None not in site.input_shape[2:]
    unreadable = site.problem is not None and not site.windows and site.output_shape is None
    return f"{step} before it cannot be read" if own and unreadable else None
