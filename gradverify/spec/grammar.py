"""Rules that read a node and describe themselves as JSON Schema: one model for both, so that they cannot drift.

A rule returns the value it read, or ``INVALID`` after recording why it could not; a section reads all of its keys, so
that every problem of a file is found at once.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gradverify.errors import nearest_name
from gradverify.problems import ProblemKind
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode, SequenceNode, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["INVALID", "Either", "Field", "ListOf", "Plain", "Rule", "Schema", "Section", "Table", "is_broken"]

Schema = dict[str, Any]


class _Invalid:
    """The type of ``INVALID``."""

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final = _Invalid()


class Rule(ABC):
    """What a value must be."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """Say in words what is right here."""

    @abstractmethod
    def accepts(self, node: Node) -> bool:
        """Return whether the node has the right kind; its content may still be wrong."""

    @abstractmethod
    def read(self, node: Node, problems: Problems) -> Any:
        """Return the value, or ``INVALID`` after recording the problem."""

    @abstractmethod
    def schema(self) -> Schema:
        """Return this rule as JSON Schema."""

    def refuse(self, node: Node, problems: Problems) -> Any:
        """Record that the node is not what is expected, unless its own problem is known already."""
        if not is_broken(node):
            problems.add(node.position, f"got {kind_of(node)}, expected {self.expected}")
        return INVALID


def is_broken(node: Node) -> bool:
    """Return whether the parser recorded this number's problem already."""
    return isinstance(node, ScalarNode) and isinstance(node.value, float) and math.isnan(node.value)


@dataclass(frozen=True, slots=True)
class Plain(Rule):
    """Any value made of scalars, lists and mappings; read as plain Python values."""

    what: str = "a value"

    @property
    def expected(self) -> str:
        return self.what

    def accepts(self, node: Node) -> bool:  # noqa: ARG002  everything is right
        return True

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, ScalarNode):
            return INVALID if is_broken(node) else node.value
        inner = node.items if isinstance(node, SequenceNode) else tuple(value for _, value in node.entries)
        values = [self.read(item, problems) for item in inner]
        if INVALID in values:
            return INVALID
        if isinstance(node, SequenceNode):
            return values
        return {key.text: value for (key, _), value in zip(node.entries, values, strict=True)}

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True, slots=True)
class ListOf(Rule):
    """A list of values that follow one rule; read as a tuple."""

    item: Rule
    what: str
    shortest: int = 0
    longest: int | None = None

    @property
    def expected(self) -> str:
        return self.what

    def accepts(self, node: Node) -> bool:
        return isinstance(node, SequenceNode)

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node, SequenceNode):
            return self.refuse(node, problems)
        count = len(node.items)
        if count < self.shortest or (self.longest is not None and count > self.longest):
            problems.add(node.position, f"got a list of {count}, expected {self.expected}, {self._bounds}")
            return INVALID
        values = tuple(self.item.read(item, problems) for item in node.items)
        return INVALID if INVALID in values else values

    @property
    def _bounds(self) -> str:
        least, most = self.shortest, self.longest
        if least == most:
            return f"{least} of them"
        return f"at least {least}" if most is None else f"at most {most}"

    def schema(self) -> Schema:
        length = {"minItems": self.shortest} | ({} if self.longest is None else {"maxItems": self.longest})
        return {"type": "array", "items": self.item.schema(), **length}


@dataclass(frozen=True, slots=True)
class Either(Rule):
    """The first rule that accepts the kind of the node decides."""

    what: str
    rules: tuple[Rule, ...]

    @property
    def expected(self) -> str:
        return self.what

    def accepts(self, node: Node) -> bool:
        return any(rule.accepts(node) for rule in self.rules)

    def read(self, node: Node, problems: Problems) -> Any:
        rule = next((rule for rule in self.rules if rule.accepts(node)), None)
        return self.refuse(node, problems) if rule is None else rule.read(node, problems)

    def schema(self) -> Schema:
        return {"anyOf": [rule.schema() for rule in self.rules]}


@dataclass(frozen=True, slots=True)
class Table(Rule):
    """A mapping from free names to values that follow one rule; read as a dict without its invalid entries."""

    item: Rule
    what: str
    name: Rule

    @property
    def expected(self) -> str:
        return self.what

    def accepts(self, node: Node) -> bool:
        return isinstance(node, MappingNode)

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node, MappingNode):
            return self.refuse(node, problems)
        read = {}
        for key, value in node.entries:
            name, content = self.name.read(key, problems), self.item.read(value, problems)
            if name is not INVALID and content is not INVALID:
                read[name] = content
        return read

    def schema(self) -> Schema:
        return {
            "type": "object",
            "propertyNames": self.name.schema(),
            "additionalProperties": self.item.schema(),
        }


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a section: its rule, whether it must be there, and what it is for."""

    rule: Rule
    about: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section(Rule):
    """A mapping with known keys; read as a dict without its invalid entries.

    Attributes
    ----------
    what
        What this mapping is, in words.
    fields
        The keys.
    example
        Follows ``what`` where a message says what was expected.
    """

    what: str
    fields: Mapping[str, Field]
    example: str = ""

    @property
    def expected(self) -> str:
        return f"{self.what}{self.example}"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, MappingNode)

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node, MappingNode):
            return self.refuse(node, problems)
        for name, field in self.fields.items():
            if field.required and node.get(name) is None:
                message = f"the key '{name}' is missing, expected {name}: {field.rule.expected}"
                problems.add(node.position, message, ProblemKind.MISSING)
        read = {}
        for key, value in node.entries:
            content = self._field(key, value, problems)
            if content is not INVALID:
                read[key.text] = content
        return read

    def read_others(self, node: MappingNode, names: tuple[str, ...], problems: Problems) -> None:
        """Record what is wrong with the keys that are none of some names, and with nothing else."""
        for key, value in node.entries:
            if key.text not in names:
                self._field(key, value, problems)

    def _field(self, key: ScalarNode, value: Node, problems: Problems) -> Any:
        field = self.fields.get(key.text)
        if field is not None:
            return field.rule.read(value, problems)
        hint = nearest_name(key.text, tuple(self.fields))
        problems.add(key.position, f"unknown key '{key.text}' in {self.what}, {hint}", ProblemKind.UNKNOWN_NAME)
        return INVALID

    def schema(self) -> Schema:
        properties = {name: field.rule.schema() | {"description": field.about} for name, field in self.fields.items()}
        required = [name for name, field in self.fields.items() if field.required]
        return {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            **({"required": required} if required else {}),
        }
