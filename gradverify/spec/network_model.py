"""A network in a spec as frozen values: its layers as written, and as they stand at one point of a sweep."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.layers.network_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.layers.network_kinds import Row

__all__ = ["MAX_LAYERS", "Allowance", "NetworkBlock", "NetworkLayer", "NetworkTarget", "count_layers", "resolved"]

MAX_LAYERS = 10_000


@dataclass(frozen=True, slots=True)
class Allowance:
    """A violation that is known: the largest residual, in rows, and why it is allowed."""

    residual: int
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLayer:
    """One layer of a network.

    Attributes
    ----------
    kind
        Its row in the table of kinds.
    name
        As written, or ``None``; resolved, unique in the network.
    options
        What its keys say; numbers may be names of dims until they are resolved.
    allow
        A violation that is known.
    place
        Line and column at which it stands in the file.
    """

    kind: str
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    allow: Allowance | None = None
    place: tuple[int, int] | None = None

    @property
    def row(self) -> Row:
        """What its kind takes and does, in the table of kinds."""
        return KINDS[self.kind].row


@dataclass(frozen=True, slots=True)
class NetworkBlock:
    """Layers that stand several times, one after the other."""

    repeat: int | str
    layers: tuple[NetworkItem, ...]


NetworkItem: TypeAlias = "NetworkLayer | NetworkBlock"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTarget:
    """A network: layers in order.

    Attributes
    ----------
    written
        As in the spec; empty once resolved.
    layers
        Resolved: named, in numbers, blocks written out.
    axes
        Name of each spatial axis of the input: of the dim that is its length, where it has one of its own, or else
        ``H`` and the like. Axes of one name have one length.
    """

    written: tuple[NetworkItem, ...] = ()
    layers: tuple[NetworkLayer, ...] = ()
    axes: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """Nothing is imported."""
        return ""

    def __str__(self) -> str:
        return "network"


def resolved(target: NetworkTarget, dims: Mapping[str, int]) -> tuple[NetworkLayer, ...]:
    """Return the layers of a network with names of their own and numbers in place of dims.

    Parameters
    ----------
    target
        As written.
    dims
        Numbers by name.

    Layers of a block get ``.1``, ``.2`` and so on behind their names; those without a name are called by their kind and
    a number, as ``relu-2``. At most ``MAX_LAYERS`` and one layers are returned.
    """
    flat = [layer for layer, _ in zip(_written_out(target.written, dims, ""), range(MAX_LAYERS + 1), strict=False)]
    taken = {layer.name for layer in flat}
    counts: Counter[str] = Counter()
    return tuple(
        replace(
            layer,
            name=_free_name(layer.kind, counts, taken) if layer.name is None else layer.name,
            options={name: _in_numbers(value, dims) for name, value in layer.options.items()},
        )
        for layer in flat
    )


def count_layers(items: tuple[NetworkItem, ...], dims: Mapping[str, int]) -> int:
    """Return how many layers stand in a network with its blocks written out, without writing them out."""
    return sum(
        1 if isinstance(item, NetworkLayer) else _times(item, dims) * count_layers(item.layers, dims) for item in items
    )


def _times(block: NetworkBlock, dims: Mapping[str, int]) -> int:
    return dims.get(block.repeat, 1) if isinstance(block.repeat, str) else block.repeat


def _written_out(items: tuple[NetworkItem, ...], dims: Mapping[str, int], suffix: str) -> Iterator[NetworkLayer]:
    for item in items:
        if isinstance(item, NetworkLayer):
            yield item if item.name is None else replace(item, name=item.name + suffix)
            continue
        for number in range(1, _times(item, dims) + 1):
            yield from _written_out(item.layers, dims, f"{suffix}.{number}")


def _free_name(kind: str, counts: Counter[str], taken: set[str | None]) -> str:
    counts[kind] += 1
    while f"{kind}-{counts[kind]}" in taken:
        counts[kind] += 1
    return f"{kind}-{counts[kind]}"


def _in_numbers(value: Any, dims: Mapping[str, int]) -> Any:
    """Return a value with the numbers of dims; words that name none stay."""
    if isinstance(value, tuple):
        return tuple(_in_numbers(item, dims) for item in value)
    return dims.get(value, value) if isinstance(value, str) else value
