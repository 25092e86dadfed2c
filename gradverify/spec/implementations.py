"""Reads which implementations of a built-in layer a case verifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.problems import ProblemKind
from gradverify.spec.nodes import MappingNode, Node, Position, Problems, SequenceNode, shortened
from gradverify.spec.target_model import LayerTarget

if TYPE_CHECKING:
    from gradverify.layers.registry import LayerInfo

__all__ = ["are_named", "layer_targets"]


def are_named(asked: Any) -> bool:
    """Return whether the implementation is part of the id: where there may be several."""
    return asked == "all" or isinstance(asked, tuple)


def layer_targets(
    layer: LayerInfo, asked: Any, entry: tuple[Position, Node | None], problems: Problems
) -> tuple[LayerTarget, ...]:
    """Return a target for each implementation that is asked for.

    Parameters
    ----------
    layer
        The row of the table.
    asked
        A name, ``all``, a tuple of names, or the name of one and of the reference it must agree with; ``None``: the
        fast one.
    entry
        Where the key stands, and what stands behind it.
    problems
        Receives what is wrong.
    """
    known = tuple(item.name for item in layer.implementations)
    chosen = _chosen(asked or layer.fast, known)
    reference = asked.get("reference") if isinstance(asked, dict) else chosen[0] if are_named(asked) else None
    place, node = entry
    for name, written in _written(chosen, node):
        if name not in known:
            hint = "expected it alone, not in a list" if name == "all" else nearest_name(name, (*known, "all"))
            kind = ProblemKind.VALUE if name == "all" else ProblemKind.UNKNOWN_NAME
            problems.add(
                written.position, f"'{shortened(name)}' is not an implementation of {layer.name}, {hint}", kind
            )
    if len(set(chosen)) < len(chosen):
        problems.add(place, "an implementation stands twice, expected each once", ProblemKind.REPEATED)
    return tuple(LayerTarget(layer.name, name, reference, single=len(known) == 1) for name in chosen)


def _chosen(asked: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(asked, dict):
        return (asked["name"],) if "name" in asked else ()
    return known if asked == "all" else (asked,) if isinstance(asked, str) else tuple(asked)


def _written(chosen: tuple[str, ...], node: Node | None) -> list[tuple[str, Node]]:
    """Return every name that the file has, with its place."""
    if isinstance(node, MappingNode):
        return [(str(getattr(value, "text", "")), value) for _, value in node.entries]
    places = node.items if isinstance(node, SequenceNode) else (node,) * len(chosen)
    return [(name, place) for name, place in zip(chosen, places, strict=False) if place is not None]
