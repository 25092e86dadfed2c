"""A document in sections, of which the less important parts are left out where it may not be longer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.reporters.words import count

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Section", "fitted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a document: items between what must stand around them.

    Attributes
    ----------
    rank
        What is kept first where there is no room for all; from 0.
    what
        What one item is, in the singular; empty where nobody is told that some are left out.
    items
        The items, the most important first.
    before, after
        What stands around them where there is at least one.
    between
        What stands between two of them.
    """

    rank: int
    what: str
    items: tuple[str, ...]
    before: str = ""
    after: str = ""
    between: str = "\n\n"

    def text(self, kept: int) -> str:
        """Return the section with its first items, and how many are left out."""
        left = len(self.items) - kept
        shown = f"{self.before}{self.between.join(self.items[:kept])}{self.after}" if kept else ""
        missed = f"{count(left, self.what)} left out here." if left and self.what else ""
        return "\n\n".join(part for part in (shown, missed) if part)


def fitted(sections: Sequence[Section], most: int | None) -> str:
    """Return a document of sections.

    Parameters
    ----------
    sections
        In the order in which they stand.
    most
        Bytes in UTF-8 that it may take; ``None`` for no limit.

    Returns
    -------
    str
        The sections with as many of their items as there is room for, those of a lower rank first; empty where there is
        not even room to say what is left out.
    """
    kept = dict.fromkeys(range(len(sections)), 0)
    for place in sorted(kept, key=lambda place: sections[place].rank):
        kept[place] = _most_items(sections, kept, place, most)
        if kept[place] < len(sections[place].items):
            break  # what matters less does not stand where what matters more is left out
    text = _document(sections, kept)
    return text if most is None or _size(text) <= most else ""


def _most_items(sections: Sequence[Section], kept: dict[int, int], place: int, most: int | None) -> int:
    """Return how many items of one section there is room for, beside what is kept of the others."""
    every = len(sections[place].items)
    if most is None:
        return every
    room = most - _size(_document(sections, {**kept, place: 0})) + _size(sections[place].text(0))
    if _size(sections[place].text(every)) <= room:
        return every
    low, high = 0, every - 1
    while low < high:  # a section with some left out grows with its items
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(sections[place].text(middle)) <= room else (low, middle - 1)
    return low


def _document(sections: Sequence[Section], kept: dict[int, int]) -> str:
    texts = (section.text(kept[place]) for place, section in enumerate(sections))
    return "\n\n".join(text for text in texts if text) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))
