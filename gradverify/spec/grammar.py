"""Rules that read a node and describe themselves as JSON Schema: one model for both, so that they cannot drift.

A rule returns the value it read, or ``INVALID`` after recording why it could not; a section reads all of its keys, so
that every problem of a file is found at once.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gradverify.errors import nearest_name
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode, SequenceNode, kind_of, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "INVALID",
    "Choice",
    "Either",
    "Field",
    "Flag",
    "ListOf",
    "Plain",
    "Real",
    "Rule",
    "Section",
    "Table",
    "Text",
    "Whole",
]

Schema = dict[str, Any]
_LARGEST = 1e308


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
        if not _is_broken(node):
            problems.add(node.position, f"got {kind_of(node)}, expected {self.expected}")
        return INVALID


def _is_broken(node: Node) -> bool:
    """Return whether the parser recorded this number's problem already."""
    return isinstance(node, ScalarNode) and isinstance(node.value, float) and math.isnan(node.value)


def _is_number(node: Node) -> bool:
    return isinstance(node, ScalarNode) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool)


class ScalarRule(Rule):
    """A single value."""

    def accepts(self, node: Node) -> bool:
        return isinstance(node, ScalarNode) and self.holds(node.value)

    @abstractmethod
    def holds(self, value: object) -> bool:
        """Return whether the value is right."""

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, ScalarNode) and self.holds(node.value):
            return node.value
        if isinstance(node, ScalarNode) and (limit := self.exceeded(node.value)) is not None:
            problems.add(node.position, f"got {kind_of(node)}, expected at most {limit}")
            return INVALID
        return self.refuse(node, problems)

    def exceeded(self, value: object) -> str | None:  # noqa: ARG002  most rules have no limit
        """Return the limit that a value of the right kind exceeds, where the expectation does not say it."""
        return None


@dataclass(frozen=True, slots=True)
class Whole(ScalarRule):
    """A whole number of at least ``minimum`` and at most ``maximum``."""

    minimum: int | None = None
    maximum: int = 2**63 - 1

    @property
    def expected(self) -> str:
        if self.minimum == self.maximum:
            return f"{self.minimum}"
        return "a whole number" if self.minimum is None else f"a whole number of at least {self.minimum}"

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return -self.maximum <= value <= self.maximum and (self.minimum is None or value >= self.minimum)

    def exceeded(self, value: object) -> str | None:
        if not isinstance(value, int) or self.minimum == self.maximum:
            return None
        return str(self.maximum) if value > self.maximum else None

    def schema(self) -> Schema:
        lowest = -self.maximum if self.minimum is None else self.minimum
        return {"type": "integer", "minimum": lowest, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Real(ScalarRule):
    """A finite number within bounds; ``above`` excludes its bound."""

    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None

    @property
    def expected(self) -> str:
        bounds = [
            text
            for bound, text in (
                (self.minimum, f"of at least {self.minimum}"),
                (self.above, f"above {self.above}"),
                (self.maximum, f"at most {self.maximum:.15g}" if self.maximum is not None else ""),
            )
            if bound is not None
        ]
        return " ".join(["a number", " and ".join(bounds)]).strip()

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > _LARGEST:
            return False
        return (
            (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
            and (self.maximum is None or value <= self.maximum)
        )

    def exceeded(self, value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return f"{_LARGEST:g} in size" if abs(value) > _LARGEST else None

    def schema(self) -> Schema:
        named = {"minimum": self.minimum, "exclusiveMinimum": self.above, "maximum": self.maximum}
        return {"type": "number"} | {name: bound for name, bound in named.items() if bound is not None}


@dataclass(frozen=True, slots=True)
class Flag(ScalarRule):
    """``true`` or ``false``."""

    @property
    def expected(self) -> str:
        return "true or false"

    def holds(self, value: object) -> bool:
        return isinstance(value, bool)

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Text(ScalarRule):
    """Text that matches a pattern as a whole."""

    what: str
    pattern: str = r"[^\x00-\x1f\x7f]+"
    longest: int = 200

    @property
    def expected(self) -> str:
        return self.what

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and len(value) <= self.longest and bool(re.fullmatch(self.pattern, value))

    def exceeded(self, value: object) -> str | None:
        return f"{self.longest} characters" if isinstance(value, str) and len(value) > self.longest else None

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Choice(ScalarRule):
    """One of a few words."""

    what: str
    options: tuple[str, ...]

    @property
    def expected(self) -> str:
        return f"{self.what}: {', '.join(self.options)}"

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and value in self.options

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and not self.holds(node.value):
            hint = nearest_name(node.value, self.options)
            problems.add(node.position, f"'{shortened(node.value)}' is not {self.what}, {hint}")
            return INVALID
        return ScalarRule.read(self, node, problems)

    def schema(self) -> Schema:
        return {"enum": list(self.options)}


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
            return INVALID if _is_broken(node) else node.value
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
    name: Rule = Text("a name")

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
    reserved
        Keys that a later version will know.
    example
        Follows ``what`` where a message says what was expected.
    """

    what: str
    fields: Mapping[str, Field]
    reserved: tuple[str, ...] = ()
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
                problems.add(node.position, f"the key '{name}' is missing, expected {name}: {field.rule.expected}")
        read = {}
        for key, value in node.entries:
            content = self._field(key, value, problems)
            if content is not INVALID:
                read[key.text] = content
        return read

    def _field(self, key: ScalarNode, value: Node, problems: Problems) -> Any:
        field = self.fields.get(key.text)
        if field is not None:
            return field.rule.read(value, problems)
        if key.text in self.reserved:
            message = f"'{key.text}' is reserved for a later version, expected a key that this one knows"
        else:
            message = f"unknown key '{key.text}' in {self.what}, {nearest_name(key.text, tuple(self.fields))}"
        problems.add(key.position, message)
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
