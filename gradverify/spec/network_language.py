"""The part of the language that says what a network is: rules made from the table of kinds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.layers.network_kinds import KINDS, ROWS, Row, Value, own_name
from gradverify.problems import ProblemKind
from gradverify.spec.grammar import INVALID, Either, Field, ListOf, Rule, Schema, Section
from gradverify.spec.network_model import MAX_LAYERS
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode, SequenceNode, kind_of, shortened
from gradverify.spec.scalars import Choice, Flag, Real, Text, Whole

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ALLOWANCE", "NETWORK", "layer_schema"]

ALLOWANCE = Section(
    "an allowance",
    {
        "residual": Field(Whole(1), "the largest residual that is allowed, in rows", required=True),
        "because": Field(
            Text("a reason, as text", r"[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*", 1000),
            "why it is",
            required=True,
        ),
    },
    example=" {residual: ..., because: ...}",
)

_DIM = Text("a name from dims", r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = Text("a word, or a name from dims", r"[A-Za-z_][A-Za-z0-9_-]*")
_LAYER = "#/$defs/layer"
_BLOCK_KEYS = ("layers", "repeat")


def _per_axis(what: str, item: Rule, *alone: Rule) -> Rule:
    return Either(what, (*(alone or (item,)), ListOf(item, "one per axis", 1, 3)))


def _number(least: int) -> Rule:
    return Either(f"a whole number of at least {least}, or a name from dims", (Whole(least), _DIM))


def _edges() -> Rule:
    end = _number(0)
    return Either("a whole number of at least 0, or a pair [before, behind]", (end, ListOf(end, "a pair", 2, 2)))


_RULES: dict[Value, Rule] = {
    Value.COUNT: _number(1),
    Value.EXTENT: _per_axis(Value.EXTENT.value, _number(1)),
    Value.BORDER: _per_axis(Value.BORDER.value, _number(0)),
    Value.EDGES: _per_axis(Value.EDGES.value, _edges(), _number(0)),
    Value.PADDING: _per_axis(Value.PADDING.value, _edges(), Whole(0), _WORD),
    Value.SCALE: _per_axis(Value.SCALE.value, Either("a number above 0, or a name from dims", (Real(above=0), _DIM))),
    Value.REAL: Real(),
    Value.FLAG: Flag(),
    Value.MODE: Choice("a mode", ("nearest", "linear", "bilinear", "trilinear", "bicubic")),
}


def _section(row: Row) -> Section:
    """Return what the layers of one row take."""
    return Section(
        " or ".join(row.names),
        {
            "layer": Field(Choice("a kind of layer", row.names), "what it is", required=True),
            "name": Field(Text("a layer's name", longest=100), "unique in the network"),
            **{key.name: Field(_RULES[key.value], key.about, key.required) for key in row.keys},
            **({"allow": Field(ALLOWANCE, "a violation that is known, and why")} if row.windowed else {}),
        },
    )


_SECTIONS = {name: replace(_section(row), what=name) for row in ROWS for name in row.names}


@dataclass(frozen=True, slots=True)
class Layer(Rule):
    """A layer of a kind that is known, or a block of layers; read as a dict of its valid entries."""

    @property
    def expected(self) -> str:
        return "a layer like {layer: relu}, or a block like {repeat: 2, layers: [...]}"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, MappingNode)

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node, MappingNode):
            return self.refuse(node, problems)
        kind = node.get("layer")
        if kind is None and any(node.get(name) is not None for name in _BLOCK_KEYS):
            return _BLOCK.read(node, problems)
        if kind is None:
            message = f"the key 'layer' is missing, expected {self.expected}"
            problems.add(node.position, message, ProblemKind.MISSING)
            return INVALID
        if not isinstance(kind, ScalarNode) or kind.value not in KINDS:
            problems.add(kind.position, *_unknown(kind))
            return INVALID
        return _SECTIONS[str(kind.value)].read(node, problems)

    def schema(self) -> Schema:
        return {"$ref": _LAYER}


def _unknown(kind: Node) -> tuple[str, ProblemKind]:
    wanted = "expected a kind like conv2d, maxpool2d, relu, flatten or linear"
    if not isinstance(kind, ScalarNode) or not isinstance(kind.value, str):
        return f"got {kind_of(kind)}, {wanted}", ProblemKind.VALUE
    own = own_name(kind.text)
    hint = nearest_name(kind.text, tuple(KINDS)) if own is None else f"did you mean '{own}'?"
    said = f"'{shortened(kind.text)}' is not a kind of layer, {hint if hint.startswith('did') else wanted}"
    return said, ProblemKind.UNKNOWN_NAME


@dataclass(frozen=True, slots=True)
class Layers(Rule):
    """Layers in order; read as a tuple with ``INVALID`` in the place of those that cannot be read."""

    @property
    def expected(self) -> str:
        return "a list of layers"

    def accepts(self, node: Node) -> bool:
        return isinstance(node, SequenceNode)

    def read(self, node: Node, problems: Problems) -> Any:
        if not isinstance(node, SequenceNode):
            return self.refuse(node, problems)
        count = len(node.items)
        if not 1 <= count <= MAX_LAYERS:
            wanted = f"expected {self.expected}, at least 1 and at most {MAX_LAYERS}"
            problems.add(node.position, f"got a list of {count}, {wanted}")
            return INVALID
        return tuple(Layer().read(item, problems) for item in node.items)

    def schema(self) -> Schema:
        return {"type": "array", "items": Layer().schema(), "minItems": 1, "maxItems": MAX_LAYERS}


NETWORK = Layers()
_BLOCK = Section(
    "a block of layers",
    {
        "repeat": Field(_number(1), "how often the block stands, one after the other"),
        "layers": Field(NETWORK, "its layers, in order", required=True),
    },
)


def layer_schema() -> Schema:
    """Return the JSON Schema of one layer or block, to which the schema of a network refers."""
    return {"anyOf": list(_schemas())}


def _schemas() -> Iterator[Schema]:
    yield from (_section(row).schema() for row in ROWS)
    yield _BLOCK.schema()
