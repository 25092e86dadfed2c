"""Pieces of Markdown in which any text stands as it is: GitHub and GitLab render it literally."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gradverify.reporters.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["FOLD_END", "code", "fenced", "fold_start", "table_head", "table_row"]

FOLD_END = "</details>"

# What starts or ends something in Markdown, in a table or in HTML, and what makes a link of an address.
_MEANING = re.compile(r"[#$&*<@\[\\\]_`|~]|:(?=//)|(?<=www)\.", re.IGNORECASE)
_BACKTICKS = re.compile(r"`{3,}")


def code(text: str) -> str:
    """Return text for a line, a cell or a summary.

    As code it makes no links to people, issues or commits. Written as HTML and entities, unlike between backticks, it
    may hold backticks and, in a table, bars behind backslashes.
    """
    line = printable(text).replace("\n", "\\n")
    return f"<code>{_MEANING.sub(lambda sign: f'&#{ord(sign[0])};', line)}</code>"


def fenced(text: str) -> str:
    """Return text of several lines as a block of code whose fence is longer than any in it."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{printable(text)}\n{fence}"


def fold_start(summary: str) -> str:
    """Return what stands, with an empty line, before blocks that are shown on demand; the summary is HTML."""
    return f"<details><summary>{summary}</summary>"


def table_head(columns: Sequence[str]) -> str:
    """Return the two lines that begin a table."""
    return f"{table_row(columns)}\n{'|---' * len(columns)}|"


def table_row(cells: Iterable[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"
