"""What the map of a sweep holds: two keys of the sweep, and the worst of every cell."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gradverify.reporters.words import worst_error
from gradverify.results import WORST_FIRST, CaseResult, GeometrySeverity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.results import Verdict

__all__ = ["SweepCell", "SweepGrid", "own_grid", "rows_and_columns", "sweep_grids"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCell:
    """The worst of the cases at one place of a map.

    Attributes
    ----------
    verdict, error
        The worst verdict, and the largest relative error; ``None`` where there is none.
    identity
        Whether the size identity holds for all of them; ``None`` where no window fits.
    cases
        What it was read from; the first with the worst verdict stands first.
    """

    verdict: Verdict
    error: float | None
    identity: bool | None
    cases: tuple[CaseResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepGrid:
    """The map of the cases of one name.

    Attributes
    ----------
    name, spec
        Of the cases.
    keys
        Sweep key of the rows, then that of the columns; with one key there is one column, without a label.
    rows, columns
        Labels, in the order of the sweep.
    cells
        By row and column; places that no case has are missing.
    """

    name: str
    spec: str
    keys: tuple[str, ...]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], SweepCell]

    @property
    def title(self) -> str:
        """What a map shows."""
        across = f", {self.keys[1]} across" if len(self.keys) > 1 else ""
        return f"{self.name}: {self.keys[0]} down{across}; verdict and worst relative error"


def sweep_grids(cases: tuple[CaseResult, ...], keys: tuple[str, ...]) -> Iterator[SweepGrid]:
    """Yield a map for every case name that sweeps the keys; nothing where there are no keys."""
    swept = [case for case in cases if keys and all(key in case.sweep for key in keys)]
    for (spec, name), group in groupby(swept, key=lambda case: (case.spec, case.name)):
        yield _grid(name, spec, list(group), keys)


def own_grid(cases: list[CaseResult]) -> SweepGrid | None:
    """Return the map of cases of one name over keys of their own, or ``None`` where they sweep fewer than two."""
    keys = rows_and_columns(tuple(dict.fromkeys(key for case in cases for key in case.sweep)))
    swept = [case for case in cases if all(key in case.sweep for key in keys)]
    return _grid(cases[0].name, cases[0].spec, swept, keys) if len(keys) > 1 and swept else None


def rows_and_columns(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return at most two keys, a stride for the rows and a padding for the columns where there are such."""
    rows = next((key for key in keys if key.rpartition(".")[2].startswith("stride")), None)
    columns = next((key for key in keys if key.rpartition(".")[2].startswith("pad")), None)
    ordered = dict.fromkeys(key for key in (rows, columns, *keys) if key)
    if rows is None and columns is not None and len(keys) > 1:
        ordered = dict.fromkeys((next(key for key in keys if key != columns), columns))
    return tuple(ordered)[:2]


def _grid(name: str, spec: str, cases: list[CaseResult], keys: tuple[str, ...]) -> SweepGrid:
    placed: dict[tuple[str, str], list[CaseResult]] = {}
    for case in cases:
        placed.setdefault(_place(case, keys), []).append(case)
    rows, columns = (tuple(dict.fromkeys(place[axis] for place in placed)) for axis in (0, 1))
    cells = {place: _cell(group) for place, group in placed.items()}
    return SweepGrid(name=name, spec=spec, keys=keys, rows=rows, columns=columns, cells=cells)


def _place(case: CaseResult, keys: tuple[str, ...]) -> tuple[str, str]:
    row = _label(case.sweep[keys[0]])
    return row, _label(case.sweep[keys[1]]) if len(keys) > 1 else ""


def _label(value: Any) -> str:
    return "x".join(_label(item) for item in value) if isinstance(value, (list, tuple)) else str(value)


def _cell(cases: list[CaseResult]) -> SweepCell:
    ordered = sorted(cases, key=lambda case: WORST_FIRST.index(case.verdict))
    errors = [error for case in cases if (error := worst_error(case)) is not None]
    return SweepCell(
        verdict=ordered[0].verdict,
        error=max(errors, default=None),
        identity=_identity(cases),
        cases=tuple(ordered),
    )


def _identity(cases: list[CaseResult]) -> bool | None:
    measured = [part for case in cases for part in case.geometry if part.severity is not GeometrySeverity.IMPOSSIBLE]
    return all(part.identity for part in measured) if measured else None
