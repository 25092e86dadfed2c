"""Reads pages and the drawings in them back: an independent parser of XML, and the boxes that paths draw."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

__all__ = ["boxes_of", "element", "points_of", "read_page", "texts_of"]

_BOX = re.compile(r"M([-\d.]+) ([-\d.]+)h([-\d.]+)v([-\d.]+)h-\3z")


def read_page(text: str) -> ET.Element:
    """Return the root of a page, which is well-formed XML as well."""
    start = "<!DOCTYPE html>\n"
    assert text.startswith(start)
    return ET.fromstring(text.removeprefix(start))  # noqa: S314  made here


def element(markup: str) -> ET.Element:
    """Return one element."""
    return ET.fromstring(markup)  # noqa: S314  made here


def boxes_of(drawing: ET.Element, kind: str) -> list[tuple[float, float, float, float]]:
    """Return left, top, width and height of all boxes of a kind."""
    found = []
    for path in drawing.iter("path"):
        if kind in path.get("class", "").split():
            boxes = _BOX.findall(path.get("d"))
            assert _BOX.sub("", path.get("d")) == ""
            found += [tuple(map(float, box)) for box in boxes]
    return found


def points_of(drawing: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Return the points of the paths of a kind."""
    paths = [path.get("d") for path in drawing.iter("path") if path.get("class") == kind]
    return [tuple(map(float, point)) for path in paths for point in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path)]


def texts_of(drawing: ET.Element, name: str = "text") -> list[str]:
    """Return the text of all elements of a name."""
    return ["".join(part.itertext()) for part in drawing.iter(name)]
