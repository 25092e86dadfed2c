"""The page of a rule: what it means, the usual causes, an example. Markdown, in the package beside this file."""

from __future__ import annotations

import re
from pathlib import Path

from gradverify.rules.table import RULES

__all__ = ["page", "readable_page"]

_FOLDER = Path(__file__).parent / "pages"
# Pages link to the guide by where both lie in the repository, which is nowhere once the package is installed.
_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)*([^)]+)\)")


def page(rule: str) -> str:
    """Return the page of a rule.

    Raises
    ------
    KeyError
        There is no such rule.
    """
    return (_FOLDER / f"{RULES[rule].id}.md").read_text(encoding="utf-8")


def readable_page(rule: str) -> str:
    """Return the page of a rule with every link written out: ``The spec (docs/spec.md)``.

    Raises
    ------
    KeyError
        There is no such rule.
    """
    return _LINK.sub(r"\1 (\2)", page(rule))
