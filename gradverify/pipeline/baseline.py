"""Violations that were accepted before, so that an old project fails on new ones only."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradverify.errors import UsageError
from gradverify.results import BaselineUse, CaseResult, Geometry, GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Accepted", "Baseline", "account", "read_baseline"]

VERSION = 1
# From the mildest to the worst: what was accepted covers what is milder.
_ORDER = tuple(GeometrySeverity)


@dataclass(frozen=True, slots=True, order=True)
class Accepted:
    """One violation: of which case of which spec, along which axis, and how bad it is."""

    spec: str
    case: str
    axis: str
    severity: str
    residual: int
    unread_data: int

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it is."""
        return self.spec, self.case, self.axis

    def covers(self, other: Accepted) -> bool:
        """Return whether another violation at the same place is no worse."""
        milder = _ORDER.index(GeometrySeverity(other.severity)) <= _ORDER.index(GeometrySeverity(self.severity))
        return milder and other.residual <= self.residual and other.unread_data <= self.unread_data


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a baseline file accepts.

    Attributes
    ----------
    file
        The file, as the user named it; specs are named relative to its folder.
    accepted
        What it holds, by place.
    """

    file: str
    accepted: Mapping[tuple[str, str, str], Accepted]

    def accepts(self, result: CaseResult, geometry: Geometry) -> bool:
        """Return whether a violation is in the baseline, and no worse than there."""
        found = self.entry(result, geometry)
        known = self.accepted.get(found.place)
        return known is not None and known.covers(found)

    def entry(self, result: CaseResult, geometry: Geometry) -> Accepted:
        """Return a violation as the file writes it."""
        return Accepted(
            self.spec_of(result),
            result.id,
            geometry.axis,
            geometry.severity.value,
            geometry.residual,
            geometry.unread_data,
        )

    def spec_of(self, result: CaseResult) -> str:
        """Return the spec of a case as the file writes it: relative to its folder; a torch factory as it is."""
        if not os.path.exists(result.spec):  # noqa: PTH110  false, and no exception, for what no file can be called
            return result.spec
        spec, folder = Path(result.spec).resolve(), Path(self.file).resolve().parent
        return Path(os.path.relpath(spec, folder)).as_posix() if spec.drive == folder.drive else spec.as_posix()

    def text(self) -> str:
        """Return the file's content: sorted, a line for each violation."""
        names = ("spec", "case", "axis", "severity", "residual", "unread_data")
        rows = [json.dumps({name: getattr(entry, name) for name in names}) for entry in sorted(self.accepted.values())]
        listed = "".join(f"\n    {row}{',' if row is not rows[-1] else ''}" for row in rows)
        return f'{{\n  "version": {VERSION},\n  "accepted": [{listed}{chr(10) + "  " if rows else ""}]\n}}\n'


def account(
    judged: Sequence[tuple[CaseResult, tuple[Geometry, ...]]], baseline: Baseline, *, whole: bool, update: bool
) -> tuple[Baseline, BaselineUse]:
    """Compare violations with a baseline.

    Parameters
    ----------
    judged
        Every case, and the axes along which its geometry fails.
    baseline
        What was accepted before.
    whole
        Whether these are all cases of their specs: then what it holds of other cases of these is gone, too.
    update
        Whether it is to hold what is found now; what it holds of other cases stays.
    """
    found = {
        entry.place: entry for result, parts in judged for part in parts for entry in [baseline.entry(result, part)]
    }
    known = {
        place for place, entry in found.items() if place in baseline.accepted and baseline.accepted[place].covers(entry)
    }
    specs = {baseline.spec_of(result) for result, _ in judged} if whole else set()
    cases = {(baseline.spec_of(result), result.id) for result, _ in judged}
    # A violation that a milder policy does not fail is there still.
    there = {
        baseline.entry(result, part).place for result, _ in judged for part in result.geometry if not part.identity
    }
    ours = {place for place in baseline.accepted if place[0] in specs or place[:2] in cases} - (there - set(found))
    counts = {"accepted": len(known), "new": len(found) - len(known), "gone": len(ours - set(found))}
    if update:
        others = {place: entry for place, entry in baseline.accepted.items() if place not in ours}
        baseline = replace(baseline, accepted=others | found)
    return baseline, BaselineUse(file=baseline.file, updated=baseline.text() if update else None, **counts)


def read_baseline(file: str, *, must_exist: bool) -> Baseline:
    """Return what a baseline file accepts.

    Parameters
    ----------
    file
        The file.
    must_exist
        Whether a file that is not there is wrong; otherwise it accepts nothing.

    Raises
    ------
    UsageError
        It is not there, cannot be read, or is no baseline.
    """
    path = Path(file)
    if not must_exist and not path.exists():
        return Baseline(file, {})
    try:
        entries = _entries(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        advice = "expected a baseline; --update-baseline writes one"
        raise UsageError(f"--baseline: '{file}' cannot be read: {error.strerror or error}; {advice}") from None
    except (ValueError, RecursionError) as error:
        advice = "expected what --update-baseline wrote; it can write it anew when the file is gone"
        raise UsageError(f"--baseline: {file}: {error}; {advice}") from None
    return Baseline(file, {entry.place: entry for entry in entries})


def _entries(document: Any) -> list[Accepted]:
    """Return what a document holds; what it says wrong is a ValueError."""
    known = isinstance(document, dict) and document.get("version") == VERSION
    _expect(known, f"this is no baseline of version {VERSION}")
    listed = document.get("accepted")
    _expect(isinstance(listed, list), "it has no list 'accepted'")
    return [_entry(number, item) for number, item in enumerate(listed, start=1)]


def _entry(number: int, item: Any) -> Accepted:
    kinds = {"spec": str, "case": str, "axis": str, "severity": str, "residual": int, "unread_data": int}
    whole = isinstance(item, dict) and set(item) == set(kinds)
    _expect(whole, f"entry {number} is no violation with {', '.join(kinds)}")
    for name, kind in kinds.items():
        _expect(type(item[name]) is kind, f"{name} of entry {number} is {item[name]!r}")
    _expect(item["severity"] in set(GeometrySeverity), f"the severity of entry {number} is '{item['severity']}'")
    return Accepted(**item)


def _expect(right: bool, said: str) -> None:
    if not right:
        raise ValueError(said)
