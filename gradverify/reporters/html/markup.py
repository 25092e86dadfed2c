"""Elements of HTML and SVG as text: whatever is no markup yet is escaped here, and nowhere else."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, TypeAlias

from gradverify.reporters.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Attribute", "Child", "Markup", "joined", "measure", "tag", "text"]

# Elements without an end tag; written so that a parser of XML reads the document as well.
_EMPTY = {"br", "circle", "input", "line", "link", "meta", "path", "rect", "use"}


class Markup(str):
    """Text that is HTML already; only this module makes it of what comes from elsewhere."""

    __slots__ = ()


Child: TypeAlias = str | None
Attribute: TypeAlias = str | int | float | None


def text(value: str) -> Markup:
    """Return text as HTML shows it, without control characters; markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(html.escape(printable(value)))


def joined(parts: Iterable[Child]) -> Markup:
    """Return parts one after the other."""
    return Markup("".join(text(part) for part in parts if part is not None))


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element.

    Parameters
    ----------
    name
        Of the element.
    *children
        Markup, or text that is escaped; ``None`` is left out.
    **attributes
        Values that are escaped; ``None`` and ``False`` leave one out, and ``True`` has none. Underscores in names
        are hyphens, but for one at the end.
    """
    kept = {key: value for key, value in attributes.items() if value is not None and value is not False}
    given = "".join(_attribute(key, value) for key, value in kept.items())
    if name in _EMPTY:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{joined(children)}</{name}>")


def _attribute(name: str, value: str | float) -> str:
    key = name.removesuffix("_").replace("_", "-")
    if isinstance(value, bool):
        return f' {key}=""'
    return f' {key}="{text(value if isinstance(value, str) else measure(value))}"'


def measure(value: float) -> str:
    """Return a coordinate with at most one decimal place, as short as it can be."""
    shown = f"{value:.1f}"
    return shown.removesuffix(".0") if shown != "-0.0" else "0"
