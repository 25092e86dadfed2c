"""Names behind a ``$`` in a tree of nodes, which stand for the values of a battery's row."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gradverify.spec.nodes import MappingNode, Node, Position, ScalarNode, SequenceNode, node_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["leaves", "names_in", "plain", "substituted"]

_NAME = re.compile(r"\$([A-Za-z_]\w*)")


def names_in(node: Node) -> Iterator[tuple[str, Position]]:
    """Yield every name behind a $ in a tree, and where it stands."""
    if isinstance(node, ScalarNode):
        if isinstance(node.value, str):
            yield from ((name, node.position) for name in _NAME.findall(node.value))
        return
    inner = node.items if isinstance(node, SequenceNode) else tuple(value for _, value in node.entries)
    for item in inner:
        yield from names_in(item)


def substituted(node: Node, meanings: Mapping[str, Any]) -> Node:
    """Return a tree with values in the place of names; within text, as in a call, as Python writes them."""
    if isinstance(node, SequenceNode):
        return replace(node, items=tuple(substituted(item, meanings) for item in node.items))
    if isinstance(node, MappingNode):
        return replace(node, entries=tuple((key, substituted(value, meanings)) for key, value in node.entries))
    if not isinstance(node.value, str):
        return node
    alone = _NAME.fullmatch(node.value)
    if alone is not None and alone[1] in meanings:
        return node_of(meanings[alone[1]], node.position)
    text = _NAME.sub(lambda found: repr(meanings.get(found[1], found[0])), node.value)
    return node if text == node.value else ScalarNode(text, text, node.position)


def leaves(node: Node | None, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Yield the dotted path and the value of every parameter that is no mapping itself."""
    for key, value in node.entries if isinstance(node, MappingNode) else ():
        path = f"{prefix}{key.text}"
        if isinstance(value, MappingNode):
            yield from leaves(value, f"{path}.")
        else:
            yield path, value


def plain(node: Node) -> Any:
    """Return a tree as plain Python values."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}
