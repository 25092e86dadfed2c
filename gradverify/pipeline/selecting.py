"""Load and expand: from names on the command line to the cases that run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.errors import UsageError, nearest_name
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import find_specs, read_specs
from gradverify.spec.nodes import escaped

if TYPE_CHECKING:
    from gradverify.spec.model import Case
    from gradverify.spec.overriding import Overrides

__all__ = ["Selection", "select"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The cases to run and the seed to report."""

    cases: tuple[Case, ...]
    seed: int


def select(
    names: tuple[str, ...], overrides: Overrides, keyword: str | None = None, ids: tuple[str, ...] = ()
) -> Selection:
    """Load and expand specs, and keep the cases whose id contains the keyword and, where ids are given, is one of them.

    Raises
    ------
    UsageError, SpecError
        Nothing was run.
    """
    specs = read_specs(find_specs(names))
    cases = _of_ids(expand_specs(specs, overrides), ids)
    chosen = tuple(case for case in cases if keyword is None or keyword in case.id)
    seed = overrides.seed if overrides.seed is not None else specs[0].seed if specs else 0
    return Selection(cases=chosen, seed=seed)


def _of_ids(cases: tuple[Case, ...], ids: tuple[str, ...]) -> tuple[Case, ...]:
    """Return the cases with one of these ids, as the spec has it or as a terminal shows it; without ids, all."""
    if not ids:
        return cases
    chosen = tuple(case for case in cases if case.id in ids or escaped(case.id) in ids)
    found = {name for case in chosen for name in (case.id, escaped(case.id))}
    for name in ids:
        if name not in found:
            known = tuple(case.id for case in cases)
            raise UsageError(f"--case '{name}': no case has this id, {nearest_name(name, known)}")
    return chosen
