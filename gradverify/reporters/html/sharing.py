"""Drawings that are the same are in a page once: sweeps have many cases whose windows are alike."""

from __future__ import annotations

import re
from collections import Counter

from gradverify.reporters.html.markup import Markup

__all__ = ["shared"]

# What stands in a drawing behind its description; text in it is escaped, so that no other "<" follows.
_DRAWN = re.compile(r"(?<=</desc>)(.*?)(?=</svg>)", re.DOTALL)
# Shorter drawings are not worth a reference.
_SHORTEST = 200


def shared(page: Markup) -> Markup:
    """Return a page in which drawings that were there before are references to the first of them."""
    many = Counter(_DRAWN.findall(page))
    names: dict[str, str] = {}

    def referring(found: re.Match[str]) -> str:
        drawn = found[0]
        if many[drawn] == 1 or len(drawn) < _SHORTEST:
            return drawn
        if drawn in names:
            return f'<use href="#{names[drawn]}"/>'
        names[drawn] = f"drawing-{len(names) + 1}"
        return f'<g id="{names[drawn]}">{drawn}</g>'

    return Markup(_DRAWN.sub(referring, page))
