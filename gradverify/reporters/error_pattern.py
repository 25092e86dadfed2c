"""Where failing elements sit, in one sentence: what it says is read off the region that the map of errors holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.words import count

if TYPE_CHECKING:
    from gradverify.results import AxisErrors, AxisPart, ErrorMap

__all__ = ["axis_label", "pattern"]

# What one index along an axis of this name is called.
_NOUNS = {"N": "sample", "C": "channel", "F": "filter", "H": "row", "HH": "row", "W": "column", "WW": "column"}
# Nouns of indices that go by their number also where they are the first or the last.
_NUMBERED = {"sample", "channel", "filter"}
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def axis_label(axis: AxisErrors) -> str:
    """Return the name of an axis, or its number where it has none."""
    return axis.name or f"axis {axis.axis}"


def pattern(found: ErrorMap) -> str:
    """Return where the failing elements sit: all of them and, where it says ``everything``, nothing else."""
    if found.elements == 1:
        return "the only element"
    if found.failed == found.elements:
        return f"every element ({found.elements})"
    if found.listed:
        many = "one element" if found.failed == 1 else f"{found.failed} elements"
        return f"{many}: {', '.join(map(_index, found.listed))} (of {found.elements})"
    if not (found.within or found.along or found.without):
        return f"{'everywhere' if _is_everywhere(found) else 'scattered'}: {found.failed} of {found.elements} elements"
    if found.region == found.failed:
        return f"everything {_region(found)} ({found.failed} of {found.elements} elements)"
    there = f"{found.failed} of {count(found.region, 'element')} there, of {found.elements} in all"
    return f"only {_region(found)} ({there})"


def _is_everywhere(found: ErrorMap) -> bool:
    """Return whether half of the elements fail, and some in every slice along every axis."""
    return 2 * found.failed >= found.elements and all(axis.indices == axis.length for axis in found.axes)


def _index(index: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, index))}]"


def _region(found: ErrorMap) -> str:
    inside = f"in {_product(found, found.within)}" if found.within else ""
    if found.along:
        return f"{_slices(found)}, all {inside}" if inside else _slices(found)
    if not found.without:
        return inside
    if found.elements - found.region == 1:
        spared = {part.axis: part.indices[0].start for part in found.without}
        return f"but {_index(tuple(spared.get(axis.axis, 0) for axis in found.axes))}"
    spared_ones = f"but {_product(found, found.without)}"
    return f"{inside}, {spared_ones}" if inside else spared_ones


def _product(found: ErrorMap, parts: tuple[AxisPart, ...]) -> str:
    """Return what all parts have in common: ``the last row of H in channel 2 of C``."""
    return " in ".join(_phrase(found.axes[part.axis], part.indices) for part in reversed(parts))


def _slices(found: ErrorMap) -> str:
    """Return what any part holds: a border, or the parts one after another."""
    parts = [(found.axes[part.axis], part.indices) for part in found.along]
    width = len(found.along[0].indices[0])
    if len(parts) > 1 and all(ranges == _ends(axis, width) for axis, ranges in parts):
        return f"at the border of {_joined([axis_label(axis) for axis, _ in parts], 'and')}, {width} wide"
    return " or ".join(f"in {_phrase(axis, ranges)}" for axis, ranges in parts)


def _ends(axis: AxisErrors, width: int) -> tuple[range, ...]:
    return range(width), range(axis.length - width, axis.length)


def _phrase(axis: AxisErrors, ranges: tuple[range, ...]) -> str:
    """Return some indices of an axis in words: ``the first and last row of H``, ``channels 0 and 2 of C``."""
    label, noun = axis_label(axis), _NOUNS.get(axis.name or "", "index")
    if noun in _NUMBERED and all(len(indices) == 1 for indices in ranges):
        return f"{_listed(noun, ranges)} of {label}"
    if len(ranges) == 1:
        return _stretch(axis, noun, ranges[0])
    if len(ranges) == 2 and ranges == (range(len(ranges[0])), range(axis.length - len(ranges[1]), axis.length)):
        first, last = (len(indices) for indices in ranges)
        if first == last:
            return f"the first and last {_many(first, noun)} of {label}"
        return f"the first {_many(first, noun)} and the last {_many(last, noun)} of {label}"
    return f"{_listed(noun, ranges)} of {label}"


def _stretch(axis: AxisErrors, noun: str, indices: range) -> str:
    """Return one range in words."""
    first, last, label = indices[0], indices[-1], axis_label(axis)
    if indices.step > 1:
        whole = first < indices.step and last + indices.step >= axis.length
        return f"every {_ordinal(indices.step)} {noun} of {label} from {first}{'' if whole else f' to {last}'}"
    if first == 0:
        return f"the first {_many(len(indices), noun)} of {label}"
    if last == axis.length - 1:
        return f"the last {_many(len(indices), noun)} of {label}"
    return f"{_listed(noun, (indices,))} of {label}"


def _listed(noun: str, ranges: tuple[range, ...]) -> str:
    """Return indices by their numbers: ``rows 1, 3 to 4 and 7``."""
    texts = [str(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in ranges]
    return f"{noun if len(texts) == len(ranges[0]) == 1 else _plural(noun)} {_joined(texts, 'and')}"


def _many(number: int, noun: str) -> str:
    return noun if number == 1 else f"{number} {_plural(noun)}"


def _plural(noun: str) -> str:
    return "indices" if noun == "index" else f"{noun}s"


def _ordinal(number: int) -> str:
    if number == 2:
        return "second"
    ending = "th" if 10 <= number % 100 <= 20 else _ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"


def _joined(texts: list[str], word: str) -> str:
    return f" {word} ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else texts[0]
