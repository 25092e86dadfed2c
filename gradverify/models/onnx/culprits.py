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
    from collections.abc import Iterator, Mapping, Sequence

    from gradverify.models.onnx.graph import Scope, Step

__all__ = ["Origins", "Upstream", "describe_disorder"]


@dataclass(frozen=True, slots=True)
class Origins:
    """Where unknown lengths of a tensor may come from.

    Attributes
    ----------
    inputs
        Names of the model's inputs before it whose lengths are not all known.
    culprit
        The nearest thing before it that says nothing of lengths, as a reason; ``None`` where nothing does.
    """

    inputs: frozenset[str] = frozenset()
    culprit: str | None = None


@dataclass(slots=True)
class Upstream:
    """Follows unknown lengths upstream; what was found for a tensor is kept for those after it.

    Attributes
    ----------
    opsets
        Version by domain.
    """

    opsets: Mapping[str, int]
    _found: dict[tuple[Scope | None, str], Origins] = field(default_factory=dict)

    def origins(self, step: Step, name: str) -> Origins:
        """Say where the unknown lengths of an input of a node come from."""
        start = step.scope.home(name), name
        begun: set[tuple[Scope | None, str]] = set()
        waiting = [(start, False)]
        while waiting:
            key, after = waiting.pop()
            home, tensor = key
            maker = home.makers.get(tensor) if home else None
            before = [(maker.scope.home(other), other) for other in _unknown(maker)] if maker else []
            if after:
                self._found[key] = self._combine(home, tensor, before)
            elif key not in begun and key not in self._found:  # everything is entered once, also in a circle
                begun.add(key)
                waiting.append((key, True))
                waiting.extend((other, False) for other in before)
        return self._found[start]

    def _combine(self, home: Scope | None, tensor: str, before: Sequence[tuple[Scope | None, str]]) -> Origins:
        """Return what is to be said of a tensor, from what was said of those it is made of."""
        if home is None:
            return Origins(culprit=f"because nothing makes {shown(tensor)!r}")
        maker = home.makers.get(tensor)
        if maker is None and home.owner is None:
            return Origins(frozenset({tensor}))
        if maker is None:
            return Origins(culprit=f"because {shown(tensor)!r} may change its shape from turn to turn of {home.owner}")
        found = [self._found.get(key, Origins()) for key in before]
        reason = _reason(maker, self.opsets) or next((each.culprit for each in found if each.culprit), None)
        return Origins(frozenset().union(*(each.inputs for each in found)), reason)


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
