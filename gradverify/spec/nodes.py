"""A parsed document as a plain tree in which every value knows its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gradverify.problems import Problem, ProblemKind

__all__ = [
    "MAX_PROBLEMS",
    "MappingNode",
    "Node",
    "Position",
    "Problems",
    "Scalar",
    "ScalarNode",
    "SequenceNode",
    "TooManyProblems",
    "escaped",
    "kind_of",
    "node_of",
    "position_of",
    "shortened",
    "text_node",
]

MAX_PROBLEMS = 1000

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


class TooManyProblems(Exception):  # noqa: N818  ends the reading of a file, its problems being recorded
    """A file has so many problems that looking for more helps nobody."""


@dataclass(slots=True)
class Problems:
    """Collects every problem of one file, so that all are reported at once.

    Attributes
    ----------
    file
        Name of the file, as the user gave it.
    found
        Kinds by position and message, in the order in which they were found; no message twice at one place.
    """

    file: str
    found: dict[tuple[Position, str], ProblemKind] = field(default_factory=dict)

    def add(self, position: Position, message: str, kind: ProblemKind = ProblemKind.VALUE) -> None:
        """Record one problem, unless it is known already.

        Raises
        ------
        TooManyProblems
            There are ``MAX_PROBLEMS`` already.
        """
        entry = (position, escaped(message))
        if entry not in self.found and len(self.found) == MAX_PROBLEMS:
            raise TooManyProblems
        self.found.setdefault(entry, kind)

    def listed(self) -> tuple[Problem, ...]:
        """Return every problem, in the order of the file."""
        ordered = sorted(self.found.items(), key=lambda entry: entry[0][0])
        listed = [Problem(self.file, at.line, at.column, message, kind) for (at, message), kind in ordered]
        if len(listed) == MAX_PROBLEMS:
            listed.append(Problem(self.file, 0, 0, f"{MAX_PROBLEMS} problems, more are not looked for"))
        return tuple(listed)

    def __bool__(self) -> bool:
        return bool(self.found)


def node_of(value: Any, place: Position) -> Node:
    """Return a plain Python value as a node; what is neither scalar, list nor mapping stands as its text."""
    if isinstance(value, Mapping):
        entries = ((ScalarNode(str(name), str(name), place), node_of(item, place)) for name, item in value.items())
        return MappingNode(tuple(entries), place)
    if isinstance(value, (list, tuple)):
        return SequenceNode(tuple(node_of(item, place) for item in value), place)
    plain = value is None or isinstance(value, (str, int, float, bool))
    return ScalarNode(value if plain else repr(value), str(value), place)


def text_node(text: str, place: Position) -> ScalarNode:
    """Return text as a node."""
    return ScalarNode(text, text, place)


def position_of(node: MappingNode, name: str) -> Position:
    """Return where a key stands, or the mapping, where it has no such key."""
    key = next((key for key, _ in node.entries if key.text == name), None)
    return node.position if key is None else key.position


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
        return f"the number {shortened(node.text)}"
    return f"the text '{shortened(node.text)}'"


def shortened(text: str, length: int = 40) -> str:
    """Return at most ``length`` characters of a text, for messages."""
    return text if len(text) <= length else f"{text[: length - 3]}..."


def escaped(text: str) -> str:
    """Return a text on one line: a control character would break the line, or command the terminal."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
