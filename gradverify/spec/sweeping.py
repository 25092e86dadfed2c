"""What may be swept, how swept values are written, and how they read in a case id."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from gradverify.layers.registry import LAYERS
from gradverify.problems import ProblemKind
from gradverify.spec.grammar import INVALID, Plain, Rule
from gradverify.spec.language import PARAMETER_RULES, RANGE
from gradverify.spec.nodes import Node, Position, Problems, ScalarNode, SequenceNode, escaped, shortened
from gradverify.spec.parsing import parse_scalar
from gradverify.spec.scalars import Whole
from gradverify.spec.windows import parameter_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "MAX_CASES",
    "format_value",
    "is_within",
    "nodes_from_text",
    "overlapping",
    "sweepable",
    "swept_values",
    "with_parameters",
]

MAX_CASES = 100_000


def sweepable(layer: str | None, params: Mapping[str, Any], dims: Mapping[str, int]) -> dict[str, Rule]:
    """Return every name that a case can sweep, with the rule for its values.

    Parameters
    ----------
    layer
        Name of the built-in layer, or ``None`` for functions, whose parameters are those that ``params`` sets.
    params, dims
        As written in the case.
    """
    if layer is None:
        rules: dict[str, Rule] = dict.fromkeys(parameter_paths(params), Plain())
    else:
        rules = {item.name: PARAMETER_RULES[item.kind] for item in LAYERS[layer].parameters}
    return rules | dict.fromkeys(dims, Whole(1))


def overlapping(names: Iterable[str]) -> tuple[str, str] | None:
    """Return a name and another that stands inside it (``bn_param`` and ``bn_param.mode``), or ``None``."""
    known = dict.fromkeys(names)
    for name in known:
        parts = name.split(".")
        for length in range(1, len(parts)):
            outer = ".".join(parts[:length])
            if outer in known:
                return outer, name
    return None


def is_within(name: str, paths: Iterable[str]) -> bool:
    """Return whether a dotted path is one of others, stands inside one, or around one."""
    return any(overlapping((name, path)) is not None or name == path for path in paths)


def with_parameters(params: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of the parameters in which those at dotted paths have other values."""
    changed = copy.deepcopy(dict(params))
    for path, value in values.items():
        *folders, name = path.split(".")
        inner = changed
        for folder in folders:
            inner = inner[folder]
        inner[name] = copy.deepcopy(value)
    return changed


def swept_values(node: Node, rule: Rule, problems: Problems) -> tuple[Any, ...] | None:
    """Return the values of one sweep key, or ``None`` after recording why not.

    Parameters
    ----------
    node
        A list, or text with a range.
    rule
        What each value must be.
    problems
        Receives what is wrong.
    """
    listed = _from_range(node, problems) if isinstance(node, ScalarNode) else node
    if not isinstance(listed, SequenceNode):
        return None
    if len(listed.items) > MAX_CASES:
        problems.add(node.position, f"{len(listed.items)} values, expected at most {MAX_CASES}")
        return None
    values = [rule.read(item, problems) for item in listed.items]
    seen: set[str] = set()
    for item, value in zip(listed.items, values, strict=True):
        text = format_value(value)
        if text in seen and value is not INVALID:
            message = f"the value {shortened(text)} stands twice, expected each value once"
            problems.add(item.position, message, ProblemKind.REPEATED)
        seen.add(text)
    return None if INVALID in values else tuple(values)


def _from_range(node: ScalarNode, problems: Problems) -> Node | None:
    """Return the closed range ``low:high[:step]`` as a list."""
    text = shortened(node.text)
    if not RANGE.fullmatch(node.text):
        problems.add(node.position, f"'{text}' is not a range, expected a list or a range like 1:4 or 1:9:2")
        return None
    low, high, *rest = (int(part) for part in node.text.split(":"))
    step = rest[0] if rest else 1
    if step < 1 or high < low:
        wanted = "expected low:high[:step] with low <= high and step >= 1"
        problems.add(node.position, f"the range {text} is empty, {wanted}")
        return None
    if (high - low) // step >= MAX_CASES:
        problems.add(node.position, f"the range {text} has more than {MAX_CASES} values, expected fewer")
        return None
    numbers = range(low, high + 1, step)
    return SequenceNode(tuple(ScalarNode(number, str(number), node.position) for number in numbers), node.position)


def nodes_from_text(text: str) -> Node:
    """Return what stands behind the sign in ``--set name=...``: ``1:4``, ``1,3,7``, ``3`` or pairs as ``1x2``."""
    place = Position(1, 1)
    if ":" in text:
        return ScalarNode(text, text, place)
    return SequenceNode(tuple(_from_item(item.strip(), place) for item in text.split(",")), place)


def _from_item(text: str, place: Position) -> Node:
    if not text:
        raise ValueError("a value is missing, expected values like 1:4, 1,3,7 or 1x2,2x1")
    parts = text.split("x")
    if len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts):
        return SequenceNode(tuple(ScalarNode(parse_scalar(part), part, place) for part in parts), place)
    return ScalarNode(parse_scalar(text), text, place)


def format_value(value: Any) -> str:
    """Return a value as it stands in a case id: pairs as ``1x2``, words and numbers as in YAML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (list, tuple)):
        return "x".join(format_value(item) for item in value)
    if isinstance(value, dict):
        return ";".join(f"{name}:{format_value(item)}" for name, item in value.items())
    return escaped(str(value))
