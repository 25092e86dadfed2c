"""Names of nodes and tensors as they are shown: whatever a file holds, without control characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["described_inputs", "shape_text", "shown", "unique"]

_LONGEST = 200


def shown(name: str | bytes) -> str:
    """Return a name as it may be printed: on one line, of bounded length, without control characters.

    Names that are not UTF-8 arrive as bytes.
    """
    text = name.decode("utf-8", "backslashreplace") if isinstance(name, bytes) else name
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "..."
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def unique(name: str, taken: dict[str, int]) -> str:
    """Return the name, with ``#2``, ``#3``, ... behind it where it was taken before."""
    candidate = name
    while candidate in taken:
        taken[name] += 1
        candidate = f"{name}#{taken[name]}"
    taken[candidate] = 1
    return candidate


def shape_text(shape: Sequence[int | str | None]) -> str:
    """Write a shape: ``1,3,height,?``."""
    return ",".join("?" if length is None else shown(str(length)) for length in shape) or "a single number"


def described_inputs(inputs: Iterable[tuple[str, Sequence[int | str | None] | None]]) -> str:
    """List the inputs of a model with their shapes: ``data (1,3,224,224), mask (N,?)``."""
    listed = [f"{shown(name)} ({'no shape' if shape is None else shape_text(shape)})" for name, shape in inputs]
    return ", ".join(listed) or "none"
