"""A parsed document as a plain tree in which every value knows its place in the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["MappingNode", "Node", "Position", "Problems", "Scalar", "ScalarNode", "SequenceNode", "kind_of"]

Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Line and column in a file, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value, resolved by the rules of YAML 1.2; ``text`` is how it was written."""

    value: Scalar
    text: str
    position: Position


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list."""

    items: tuple[Node, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping; keys are text and unique."""

    entries: tuple[tuple[ScalarNode, Node], ...]
    position: Position

    def get(self, name: str) -> Node | None:
        """Return the value of a key, or ``None`` when it is absent."""
        return next((value for key, value in self.entries if key.value == name), None)


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


@dataclass(slots=True)
class Problems:
    """Collects every problem of one file, so that all are reported at once.

    Attributes
    ----------
    file
        Name of the file, as the user gave it.
    found
        Positions and messages; no message twice.
    """

    file: str
    found: list[tuple[Position, str]] = field(default_factory=list)

    def add(self, position: Position, message: str) -> None:
        """Record one problem, unless it is known already."""
        if (position, message) not in self.found:
            self.found.append((position, message))

    def lines(self) -> tuple[str, ...]:
        """Return ``file:line:column: message`` for every problem, in the order of the file."""
        ordered = sorted(self.found, key=lambda entry: entry[0])
        return tuple(f"{self.file}:{place.line}:{place.column}: {message}" for place, message in ordered)

    def __bool__(self) -> bool:
        return bool(self.found)


def kind_of(node: Node) -> str:
    """Say in words what a node is, for messages."""
    if isinstance(node, MappingNode):
        return "a mapping"
    if isinstance(node, SequenceNode):
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"the truth value {node.text}"
    if isinstance(node.value, (int, float)):
        return f"the number {_shortened(node.text)}"
    return f"the text '{_shortened(node.text)}'"


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
