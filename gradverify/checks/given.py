"""What a user gave each case: parameters, swept names, the implementation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gradverify.checks.quantities import Origin, Quantity, columns, difference
from gradverify.layers.registry import LAYERS
from gradverify.spec.model import IMPORT
from gradverify.spec.sweeping import format_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gradverify.results import CaseResult

__all__ = ["given"]

# The name of a row is swept, too, and no quantity.
_ROW = "battery"
_LONGEST_VALUE = 40


def given(cases: Sequence[CaseResult]) -> Iterator[Quantity]:
    """Yield what the user gave: swept names first, then the other parameters and the implementation."""
    found = columns([_given(case) for case in cases])
    swept = [path for path in found if any(_within(path, key) for key in cases[0].sweep)]
    for path in dict.fromkeys([*swept, *found]):
        yield from _column(_short(path, tuple(found)), found[path])


def _given(case: CaseResult) -> dict[str, Any]:
    found = dict(_leaves(case.params))
    for name, value in case.sweep.items():
        if name != _ROW and not isinstance(value, dict):
            found.setdefault(name, value)
    layer, _, implementation = case.target.partition("[")
    if implementation and layer in LAYERS:
        found.setdefault("implementation", implementation.rstrip("]"))
    return found


def _leaves(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, dict) and set(value) != {IMPORT}:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value[IMPORT] if isinstance(value, dict) else value


def _within(path: str, key: str) -> bool:
    return path == key or path.startswith(f"{key}.")


def _short(path: str, paths: Sequence[str]) -> str:
    """Return the shortest end of a dotted path that no other path ends with."""
    parts = path.split(".")
    ends = [".".join(parts[first:]) for first in range(len(parts) - 1, 0, -1)]
    others = [other for other in paths if other != path]
    return next((end for end in ends if not any(f".{other}".endswith(f".{end}") for other in others)), path)


def _column(name: str, values: tuple[Any, ...]) -> Iterator[Quantity]:
    """Yield the quantities of one parameter: itself, or the two of a pair and whether they are equal."""
    pairs = _pairs(values)
    if pairs is None:
        yield from _single(name, values)
    elif pairs[0] == pairs[1]:
        yield Quantity(name, Origin.OWN, pairs[0])
    else:
        names = f"{name}[0]", f"{name}[1]"
        yield from (Quantity(part, Origin.OWN, found) for part, found in zip(names, pairs, strict=True))
        yield difference(names, pairs)


def _single(name: str, values: tuple[Any, ...]) -> Iterator[Quantity]:
    if all(_is_number(value) for value in values):
        yield Quantity(name, Origin.OWN, values)
        return
    texts = tuple(format_value(value) for value in values)
    tells_apart = len(set(texts)) == len({repr(value) for value in values})
    if tells_apart and max(map(len, texts)) <= _LONGEST_VALUE:
        yield Quantity(name, Origin.OWN, texts)


def _pairs(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """Return both components where some values are pairs of numbers, and the others numbers that stand for two."""
    if not any(isinstance(value, (list, tuple)) for value in values):
        return None
    pairs = [value if isinstance(value, (list, tuple)) else (value, value) for value in values]
    if not all(len(pair) == 2 and all(map(_is_number, pair)) for pair in pairs):
        return None
    return tuple(first for first, _ in pairs), tuple(second for _, second in pairs)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
