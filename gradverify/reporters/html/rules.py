"""The rules that were found broken, each with its page where the package has one."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from gradverify.reporters.findings import findings_of
from gradverify.reporters.html.markup import Markup, joined, tag
from gradverify.rules import RULES, Rule
from gradverify.rules.pages import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import Report

__all__ = ["rules_section", "shown_page"]

_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def rules_section(report: Report) -> Markup | None:
    """Return every rule that a finding names, or ``None`` without findings."""
    found = sorted({finding.rule.id for finding in findings_of(report)})
    if not found:
        return None
    return tag("section", tag("h2", "Rules"), *(_rule(RULES[rule]) for rule in found))


def _rule(rule: Rule) -> Markup:
    title = tag("h3", f"{rule.id} {rule.name}")
    with suppress(FileNotFoundError):
        body = tag("details", tag("summary", "What it means, and the usual causes"), shown_page(page(rule.id)))
        return tag("div", title, tag("p", _inline(rule.title)), body, id=rule.id, class_="rule")
    return tag("div", title, tag("p", _inline(rule.title)), id=rule.id, class_="rule")


def shown_page(markdown: str) -> Markup:
    """Return a page of plain Markdown: headings, paragraphs, lists, code; of links, which lead out of it, the words."""
    parts = _FENCE.split(markdown)
    return tag("div", *(_code(part) if place % 2 else joined(_blocks(part)) for place, part in enumerate(parts)))


def _code(block: str) -> Markup:
    return tag("pre", tag("code", block.rstrip("\n")), tabindex="0")


def _blocks(markdown: str) -> Iterator[Markup]:
    for block in re.split(r"\n\s*\n", markdown.strip()):
        lines = block.splitlines()
        if block.startswith("# ") or not block:
            continue  # the title is there already
        if block.startswith("#"):
            yield tag("h4", _inline(lines[0].lstrip("# ")))
        elif re.match(r"([-*]|\d+\.) ", block):
            items = re.split(r"^(?:[-*]|\d+\.) ", block, flags=re.MULTILINE)[1:]
            yield tag("ul", *(tag("li", _inline(" ".join(item.split()))) for item in items))
        elif block.startswith("|"):
            yield tag("pre", block, tabindex="0")
        else:
            yield tag("p", _inline(" ".join(lines)))


def _inline(words: str) -> Markup:
    """Return a sentence with its code; of links the words alone."""
    parts = _CODE.split(_LINK.sub(r"\1", words))
    return joined(tag("code", part) if place % 2 else part.replace("**", "") for place, part in enumerate(parts))
