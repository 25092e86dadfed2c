"""The page of a rule: what it means, the usual causes, an example. Markdown, in the package beside this file."""

from __future__ import annotations

from pathlib import Path

from gradverify.rules.table import RULES

__all__ = ["page"]

_FOLDER = Path(__file__).parent / "pages"


def page(rule: str) -> str:
    """Return the page of a rule.

    Raises
    ------
    KeyError
        There is no such rule.
    """
    return (_FOLDER / f"{RULES[rule].id}.md").read_text(encoding="utf-8")
