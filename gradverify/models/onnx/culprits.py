"""Why the lengths of a tensor are not known: what stands before it that does not say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gradverify.models.onnx.nodes import key_of
from gradverify.models.onnx.operators import STAND_INS, schema_of
from gradverify.models.onnx.preparing import describe_malformed
from gradverify.models.onnx.shapes import known
from gradverify.models.onnx.words import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.models.onnx.graph import Step

__all__ = ["Origins", "describe_disorder", "find_culprit", "origins_of"]


@dataclass(slots=True)
class Origins:
    """Where unknown lengths of a tensor may come from.

    Attributes
    ----------
    inputs
        Names of the model's inputs before it.
    culprit
        What else stands before it that says nothing of lengths, as a reason; ``None`` where nothing does.
    """

    inputs: list[str] = field(default_factory=list)
    culprit: str | None = None


def find_culprit(step: Step, name: str, opsets: Mapping[str, int]) -> str:
    """Say why the lengths of an input of a node are not known although those of the model's inputs are."""
    return origins_of(step, name, opsets).culprit or "because ONNX infers no shape for it"


def origins_of(step: Step, name: str, opsets: Mapping[str, int]) -> Origins:
    """Follow unknown lengths upstream, nearest first, to the first thing that says why they are not known.

    Parameters
    ----------
    step, name
        A node, and its input whose lengths are not known.
    opsets
        Version by domain.
    """
    origins = Origins()
    waiting, seen = [(step, name)], {(id(step.scope), name)}
    for reader, tensor in waiting:
        home = reader.scope.home(tensor)
        maker = home.makers.get(tensor) if home else None
        reason = None
        if home is None:
            reason = f"because nothing makes {shown(tensor)!r}"
        elif maker is not None:
            reason = _reason(maker, opsets)
            new = [(maker, other) for other in _unknown(maker) if (id(maker.scope), other) not in seen]
            seen.update((id(maker.scope), other) for _, other in new)
            waiting.extend(new)
        elif home.owner is None:
            origins.inputs.append(tensor)
        else:
            reason = f"because {shown(tensor)!r} may change its shape from turn to turn of {home.owner}"
        origins.culprit = origins.culprit or reason
    return origins


def describe_disorder(step: Step) -> str | None:
    """Say which input of a node is made by one that does not stand before it."""
    for name in step.node.input:
        home = step.scope.home(name)
        maker = home.makers.get(name) if home else None
        if maker and maker.scope is step.scope and maker.place >= step.place:
            circle = "ONNX asks for nodes in order, and a circle has none"
            return f"its input {shown(name)!r} comes from {maker}, which does not stand before it: {circle}"
    return None


def _unknown(step: Step) -> Iterator[str]:
    """Yield the inputs of a node whose lengths are not all known."""
    return (name for name in step.node.input if name and not known(step.scope.shape(name)))


def _reason(maker: Step, opsets: Mapping[str, int]) -> str | None:
    """Say what about a node keeps the lengths of its outputs unknown; ``None`` where its inputs may be to blame."""
    malformed = describe_malformed(maker.node, opsets) or describe_disorder(maker)
    if malformed:
        return f"because of {maker}: {malformed}"
    domain, name, _ = key_of(maker.node)
    schema = schema_of(maker.node, opsets)
    infers = schema is not None and schema.has_type_and_shape_inference_function
    if not infers and not (schema and schema.has_function) and (domain, name) not in STAND_INS:
        return f"because {maker} has no shape inference"
    if not any(_unknown(maker)):
        return f"because ONNX infers no shape for {maker}: what it makes depends on values, or it is wrong"
    return None
