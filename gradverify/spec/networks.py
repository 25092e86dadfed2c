"""Reads a network: what its layers need beyond the keys of each alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradverify.errors import nearest_name
from gradverify.layers.network_kinds import KINDS, Family, LayerKind, Value
from gradverify.problems import ProblemKind
from gradverify.spec.grammar import INVALID
from gradverify.spec.model import Check
from gradverify.spec.network_model import (
    MAX_LAYERS,
    Allowance,
    NetworkBlock,
    NetworkItem,
    NetworkLayer,
    NetworkTarget,
    resolved,
)
from gradverify.spec.nodes import MappingNode, Node, Problems, ScalarNode, SequenceNode, position_of, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.spec.model import CaseSpec, InputSpec

__all__ = ["read_allowance", "read_network", "resolved_network"]

# What belongs to code, or to a single layer.
_MEANINGLESS = (
    "implementation",
    "params",
    "returns",
    "geometry",
    "battery",
    "reference",
    "cotangent",
    "scale",
    "allow",
)
_NUMBERS = {Value.COUNT, Value.EXTENT, Value.BORDER, Value.EDGES, Value.PADDING, Value.SCALE}
_ON_A_LAYER = "expected it on a layer of the network"


def read_allowance(values: Mapping[str, Any]) -> Allowance | None:
    """Return the allowance of a case or layer, where it has a valid one."""
    given = values.get("allow")
    if not isinstance(given, dict) or not {"residual", "because"} <= set(given):
        return None
    return Allowance(given["residual"], given["because"])


def read_network(node: MappingNode, values: dict[str, Any], problems: Problems) -> NetworkTarget | None:
    """Return the network of a case as written, or ``None`` after recording why not.

    Parameters
    ----------
    node
        The case in the file.
    values
        What the grammar read of it.
    problems
        Receives what is wrong.
    """
    for name in _MEANINGLESS:
        if node.get(name) is not None:
            wanted = _ON_A_LAYER if name == "allow" else "expected none beside 'network'"
            problems.add(position_of(node, name), f"'{name}' means nothing to a network, {wanted}")
    if values.get("expect") == "fail":
        wanted = "expected none: each of its layers is a case with a verdict of its own"
        problems.add(position_of(node, "expect"), f"'expect: fail' means nothing to a network, {wanted}")
    if "checks" in values and Check.GEOMETRY not in values["checks"]:
        problems.add(position_of(node, "checks"), "a network has a geometry and nothing else, expected geometry")
    rank = _input_rank(node, values, problems)
    listed, read = node.get("network"), values.get("network")
    if not isinstance(listed, SequenceNode) or read is None:
        return None
    reader = _Reader(_names(node.get("dims")), problems)
    items, _ = reader.items(listed, read, rank)
    reader.check_names(listed)
    return NetworkTarget(written=items)


def _names(table: Node | None) -> tuple[str, ...]:
    return tuple(key.text for key, _ in table.entries) if isinstance(table, MappingNode) else ()


def _input_rank(node: MappingNode, values: dict[str, Any], problems: Problems) -> int | None:
    """Return how many spatial axes the input has; ``None`` where that cannot be told."""
    table = node.get("inputs")
    if not isinstance(table, MappingNode):
        return None
    if len(table.entries) != 1:
        if table.entries:
            problems.add(
                position_of(node, "inputs"), f"there are {len(table.entries)} inputs, expected one of a network"
            )
        return None
    key, content = table.entries[0]
    read = values.get("inputs", {}).get(key.text)
    shape = read.get("shape") if isinstance(read, dict) else read
    if isinstance(read, dict) and shape is None and isinstance(content, MappingNode) and content.get("shape") is None:
        message = "the input of a network has no shape, expected a shape like [1, 3, 224, 224]"
        problems.add(content.position, message, ProblemKind.MISSING)
    if shape is None:
        return None
    if not 3 <= len(shape) <= 5:
        wanted = "expected batch, channels and 1 to 3 spatial axes"
        problems.add(content.position, f"the input of a network has {len(shape)} axes, {wanted}")
        return None
    return len(shape) - 2


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads layers in order; how many spatial axes there are passes from one to the next."""

    dims: tuple[str, ...]
    problems: Problems

    def items(self, node: Node | None, read: Any, rank: int | None) -> tuple[tuple[NetworkItem, ...], int | None]:
        """Return the valid layers of a list, and how many spatial axes come out."""
        found: list[NetworkItem] = []
        listed = node.items if isinstance(node, SequenceNode) else ()
        for item, values in zip(listed, read, strict=False):
            if values is INVALID or not isinstance(item, MappingNode):
                rank = None  # what it does to the axes is not known
            elif item.get("layer") is None:
                block, rank = self.block(item, values, rank)
                found.append(block)
            else:
                layer, rank = self.layer(item, values, rank)
                found.append(layer)
        return tuple(found), rank

    def block(self, node: MappingNode, values: dict[str, Any], rank: int | None) -> tuple[NetworkBlock, int | None]:
        """Return a block; from the second time on its layers get what the first left."""
        repeat, layers = values.get("repeat", 1), values.get("layers", ())
        self.check_dims(node.get("repeat"))
        items, after = self.items(node.get("layers"), layers, rank)
        if repeat != 1 and after != rank:
            items, after = self.items(node.get("layers"), layers, after)
        return NetworkBlock(repeat, items), after

    def layer(self, node: MappingNode, values: dict[str, Any], rank: int | None) -> tuple[NetworkLayer, int | None]:
        """Return a layer, and how many spatial axes come out of it."""
        kind = KINDS.get(values.get("layer", ""))
        if kind is None:
            return NetworkLayer(kind=""), None
        self._check_rank(node, kind, rank)
        self._check_keys(node, kind, rank if kind.rank is None else kind.rank)
        options = {key.name: values[key.name] for key in kind.row.keys if key.name in values}
        after = {Family.UNFOLD: 1, Family.FLATTEN: 0}.get(kind.row.family, rank)
        if kind.row.family is Family.LINEAR and rank != 0:
            after = None  # what was meant is not known
        layer = NetworkLayer(
            kind=kind.name,
            name=values.get("name"),
            options=options,
            allow=read_allowance(values),
            place=(node.position.line, node.position.column),
        )
        return layer, after

    def _check_rank(self, node: MappingNode, kind: LayerKind, rank: int | None) -> None:
        if rank is None:
            return
        if kind.rank is not None and kind.rank != rank:
            said = f"{kind.name} slides along {_axes(kind.rank)}, but what comes in has {rank or 'none'}"
            hint = f"did you mean '{kind.name[:-2]}{rank}d'?" if rank else "expected it before what flattens them"
            self.problems.add(position_of(node, "layer"), f"{said}, {hint}")
        elif rank == 0 and kind.row.family in {Family.UNFOLD, Family.PAD, Family.UPSAMPLE, Family.GLOBAL}:
            message = (
                f"{kind.name} needs spatial axes, but what comes in has none, expected it before what flattens them"
            )
            self.problems.add(position_of(node, "layer"), message)
        elif rank and kind.row.family is Family.LINEAR:
            message = f"linear takes a row of features, but what comes in has {_axes(rank)}, expected flatten before it"
            self.problems.add(position_of(node, "layer"), message)

    def _check_keys(self, node: MappingNode, kind: LayerKind, rank: int | None) -> None:
        for key in kind.row.keys:
            inner = node.get(key.name)
            if inner is None or key.value not in _NUMBERS:
                continue
            words = kind.words if key.value is Value.PADDING else ()
            self.check_dims(inner, words, f"of {kind.name}")
            if key.value is not Value.COUNT and isinstance(inner, SequenceNode) and rank:
                self._check_count(inner, key.name, kind, rank)
        given = [name for name in ("scale_factor", "size") if node.get(name) is not None]
        if kind.row.family is Family.UPSAMPLE and len(given) != 1:
            said = " and ".join(given) or "neither scale_factor nor size"
            mistake = ProblemKind.VALUE if given else ProblemKind.MISSING
            self.problems.add(node.position, f"upsample has {said}, expected exactly one of them", mistake)

    def _check_count(self, node: SequenceNode, name: str, kind: LayerKind, rank: int) -> None:
        if len(node.items) != rank:
            message = f"{name} has {len(node.items)} values, expected one, or {rank} for the axes of {kind.name}"
            self.problems.add(node.position, message)

    def check_dims(self, node: Node | None, words: tuple[str, ...] = (), whose: str = "") -> None:
        """Record every name in a value that is neither a dim nor one of a few words."""
        if isinstance(node, SequenceNode):
            for item in node.items:
                self.check_dims(item)
        elif isinstance(node, ScalarNode) and isinstance(node.value, str) and node.value not in (*self.dims, *words):
            what = f"neither a padding {whose} nor one of dims" if words else "not one of dims"
            hint = nearest_name(node.value, (*words, *self.dims))
            self.problems.add(node.position, f"'{shortened(node.value)}' is {what}, {hint}", ProblemKind.UNKNOWN_NAME)

    def check_names(self, node: Node) -> None:
        """Record every name that an earlier layer has already."""
        first: dict[str, int] = {}
        for name in _written_names(node):
            if name.text in first:
                wanted = f"expected unique names (first on line {first[name.text]})"
                message = f"the layer '{shortened(name.text)}' stands twice, {wanted}"
                self.problems.add(name.position, message, ProblemKind.REPEATED)
            first.setdefault(name.text, name.position.line)


def _written_names(node: Node | None) -> Iterator[ScalarNode]:
    for item in node.items if isinstance(node, SequenceNode) else ():
        name = item.get("name") if isinstance(item, MappingNode) else None
        if isinstance(name, ScalarNode):
            yield name
        if isinstance(item, MappingNode):
            yield from _written_names(item.get("layers"))


def _axes(rank: int) -> str:
    return "1 spatial axis" if rank == 1 else f"{rank} spatial axes"


def resolved_network(
    target: NetworkTarget, item: InputSpec, dims: Mapping[str, int], case: CaseSpec, problems: Problems
) -> NetworkTarget:
    """Return a network with names and numbers for all its layers.

    Parameters
    ----------
    target
        As written.
    item
        Its input as written.
    dims
        Numbers by name, at this point of the sweep.
    case
        Where problems stand.
    problems
        Receives what is wrong: too many layers, or two of one name.
    """
    layers = resolved(target, dims)
    if len(layers) > MAX_LAYERS:
        problems.add(case.where("network"), f"the network has more than {MAX_LAYERS} layers, expected fewer")
    times = Counter(layer.name for layer in layers)
    for name in (name for name, count in times.items() if count > 1):
        message = f"with blocks written out, the layer '{name}' stands twice, expected unique names"
        problems.add(case.where("network"), message, ProblemKind.REPEATED)
    return NetworkTarget(layers=layers, axes=_axis_names(target, item, dims))


def _axis_names(target: NetworkTarget, item: InputSpec, dims: Mapping[str, int]) -> tuple[str, ...]:
    """Return a name for every spatial axis: the dim that is its length and nothing else, or else its letter."""
    from gradverify.numerics.geometry import axis_names  # noqa: PLC0415  most specs have no network

    lengths = (item.shape or ())[2:]
    letters = axis_names(len(lengths))
    elsewhere = {*(item.shape or ())[:2], *_words(target.written)}
    own = [length if isinstance(length, str) and length in dims else None for length in lengths]
    named = tuple(
        letter if name is None or name in elsewhere else name for letter, name in zip(letters, own, strict=True)
    )
    # A dim may be called as another axis is: then only letters tell them apart.
    return named if len(set(zip(named, lengths, strict=True))) == len(set(named)) else letters


def _words(value: Any) -> Iterator[str]:
    """Yield every text in the numbers of a network's layers."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, NetworkBlock):
        yield from _words((value.repeat, value.layers))
    elif isinstance(value, NetworkLayer):
        yield from _words(tuple(value.options.values()))
    for inner in value if isinstance(value, tuple) else ():
        yield from _words(inner)
