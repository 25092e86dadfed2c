"""Rules for single values: numbers, truth values, text and words."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from gradverify.errors import nearest_name
from gradverify.problems import ProblemKind
from gradverify.spec.calls import read_call
from gradverify.spec.grammar import INVALID, Rule, Schema
from gradverify.spec.model import LARGEST_WHOLE
from gradverify.spec.nodes import Node, Problems, ScalarNode, kind_of, shortened

__all__ = ["Called", "Choice", "Flag", "Real", "Text", "Whole"]

_LARGEST = 1e308


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
    maximum: int = LARGEST_WHOLE

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
class Called(Text):
    """A call, with or without arguments: of something in a module or file, or of a method."""

    pattern: str = r"[^\x00-\x08\x0e-\x1f\x7f]+"
    longest: int = 2000
    method: bool = False

    def read(self, node: Node, problems: Problems) -> Any:
        text = Text.read(self, node, problems)
        if text is INVALID or not isinstance(node, ScalarNode):
            return INVALID
        try:
            call = read_call(text)
        except ValueError as error:
            if "(" not in text:
                return self.refuse(node, problems)
            problems.add(node.position, f"'{shortened(text)}' is no call: {error}")
            return INVALID
        return self.refuse(node, problems) if bool(call.module) == self.method else call

    def schema(self) -> Schema:
        head = r"[^:()]+" if self.method else r"[^:()]+:[^:()]+"
        return {"type": "string", "pattern": rf"^{head}(?:\([\s\S]*\))?\s*$", "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Choice(ScalarRule):
    """One of a few words."""

    what: str
    options: tuple[str, ...]

    def accepts(self, node: Node) -> bool:
        return isinstance(node, ScalarNode) and isinstance(node.value, str)

    @property
    def expected(self) -> str:
        return f"{self.what}: {', '.join(self.options)}"

    def holds(self, value: object) -> bool:
        return isinstance(value, str) and value in self.options

    def read(self, node: Node, problems: Problems) -> Any:
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and not self.holds(node.value):
            hint = nearest_name(node.value, self.options)
            message = f"'{shortened(node.value)}' is not {self.what}, {hint}"
            problems.add(node.position, message, ProblemKind.UNKNOWN_NAME)
            return INVALID
        return ScalarRule.read(self, node, problems)

    def schema(self) -> Schema:
        return {"enum": list(self.options)}
