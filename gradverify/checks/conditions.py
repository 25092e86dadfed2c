"""The simplest condition that separates the failing cases of one name from the passing ones; silence where none does.

A condition must separate without exception. With many quantities and few cases some condition does so by chance, so it
must also be unlikely to: of all ways to choose as many failing cases from those that ran, the share that a condition of
the same kind, or of a simpler one, would separate is bounded. Conditions that separate these cases equally well are not
told apart by them; that is said, and where there are many there is no best one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from gradverify.checks.atoms import SUPPORT, Atom, atoms_of, mask
from gradverify.checks.given import given
from gradverify.checks.measured import AXIS_OF_INPUT, measured
from gradverify.checks.quantities import Origin, Quantity
from gradverify.results import CaseResult, Condition, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["conditions_of"]

# Of this many ways to choose the failing cases, a condition may separate one: the further from what the user wrote,
# the more.
_ODDS = {Origin.OWN: 11, Origin.SHAPE: 20, Origin.WINDOW: 40, Origin.COUNT: 50, Origin.LENGTH: 200}
_ODDS_OF_TWO = 500
# With more statements of the same rank than this, each other one than the best is as good a guess.
_MOST_RIVALS = 2
_MOST_CASES = 20_000


@dataclass(frozen=True, slots=True)
class _Statement:
    """One atom, or two with a word between them; ``rank`` orders by origin."""

    text: str
    holds: int
    rank: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Split:
    """How the cases divide: which fail, and how many there are."""

    failing: int
    cases: int

    @property
    def passing(self) -> int:
        return (1 << self.cases) - 1 ^ self.failing


def conditions_of(results: Sequence[CaseResult]) -> tuple[Condition, ...]:
    """Return a condition for every case name whose failing cases one separates.

    Cases that fail or are an error are held against those that pass. Skips and inconclusive cases are on neither side,
    and names whose cases are expected to fail have none.
    """
    groups: dict[tuple[str, str], list[CaseResult]] = {}
    for case in results:
        groups.setdefault((case.spec, case.name), []).append(case)
    return tuple(found for group in groups.values() if (found := _condition(group)) is not None)


def _condition(cases: list[CaseResult]) -> Condition | None:
    sides = {Verdict.PASS, Verdict.FAIL, Verdict.ERROR}
    decided = [case for case in cases if case.verdict in sides and case.expect is Verdict.PASS]
    split = _Split(mask(case.verdict is not Verdict.PASS for case in decided), len(decided))
    few = min(split.failing.bit_count(), split.passing.bit_count()) < SUPPORT
    if few or len(decided) > _MOST_CASES:
        return None
    said = _separating([atom for quantity in _quantities(decided) for atom in atoms_of(quantity)], split)
    if said is None:
        return None
    text = f"{_verb(decided)} exactly when {said}"
    return Condition(text=text, cases=len(decided), name=cases[0].name, spec=cases[0].spec)


def _quantities(cases: list[CaseResult]) -> Iterator[Quantity]:
    """Yield what varies over the cases, in the order of preference.

    A length that only repeats a parameter in every case is the parameter under another name, and left out.
    """
    own = list(given(cases))
    kept: list[Quantity] = []
    for quantity in [*own, *measured(cases, own)]:
        taken = quantity.name in [other.name for other in kept]
        if len(set(quantity.values)) > 1 and not taken and not _repeats(quantity, kept):
            kept.append(quantity)
            yield quantity


def _repeats(quantity: Quantity, kept: list[Quantity]) -> bool:
    if quantity.words is not None or quantity.origin is Origin.OWN:
        return False
    alike = [other for other in kept if other.words is None and other.values == quantity.values]
    return any(other.origin is Origin.OWN or AXIS_OF_INPUT.fullmatch(quantity.name) for other in alike)


def _verb(cases: list[CaseResult]) -> str:
    kinds = {case.verdict for case in cases} - {Verdict.PASS}
    if kinds == {Verdict.FAIL}:
        return "fails"
    return "ends in an error" if kinds == {Verdict.ERROR} else "fails or ends in an error"


def _separating(atoms: list[Atom], split: _Split) -> str | None:
    """Return the simplest statement that is true of the failing cases and false of the passing ones, in words."""
    single = [_Statement(atom.text, atom.holds, (atom.origin, 0)) for atom in atoms if atom.holds == split.failing]
    if single:
        origin = min(single, key=lambda statement: statement.rank).rank[0]
        tried = _sets_of_one(atoms, origin, split)
        return _said(single) if len(tried) * _ODDS[Origin(origin)] <= _ways(split) else None
    double = list(_separating_pairs(atoms, split))
    if not double:
        return None
    origin = min(double, key=lambda statement: statement.rank).rank[0]
    return _said(double) if _pairs_are_surprising(atoms, origin, split) else None


def _said(statements: list[_Statement]) -> str | None:
    """Return the best statement and what else it may be; nothing where too many are as good."""
    best, *others = sorted(statements, key=lambda statement: statement.rank)
    if sum(other.rank == best.rank for other in others) > _MOST_RIVALS:
        return None
    furthest = max(best.rank[0], Origin.COUNT)
    told = [other.text for other in others if other.rank[0] <= furthest][:_MOST_RIVALS]
    return f"{best.text}; these cases do not tell this from: {', or '.join(told)}" if told else best.text


def _ways(split: _Split) -> int:
    """Return in how many ways as many cases could fail."""
    return math.comb(split.cases, split.failing.bit_count())


def _sets_of_one(atoms: list[Atom], origin: int, split: _Split) -> set[int]:
    """Return the sets of as many cases as fail that one atom up to an origin singles out."""
    many = split.failing.bit_count()
    return {atom.holds for atom in atoms if atom.origin <= origin and atom.holds.bit_count() == many}


# -- two atoms ---------------------------------------------------------------------------------------------------------


def _separating_pairs(atoms: list[Atom], split: _Split) -> Iterator[_Statement]:
    """Yield every supported pair that separates, ``and`` before ``or``; some pair of lengths always fits."""
    paired = [atom for atom in atoms if atom.origin < Origin.LENGTH]
    wide = [atom for atom in paired if not split.failing & ~atom.holds]
    narrow = [atom for atom in paired if not atom.holds & ~split.failing]
    for word, candidates in (("and", wide), ("or", narrow)):
        for first, second in combinations(candidates, 2):
            if _joined(word, first, second) == split.failing:
                rank = max(first.origin, second.origin), first.origin + second.origin
                yield _Statement(f"{first.text} {word} {second.text}", split.failing, rank)


def _joined(word: str, first: Atom, second: Atom) -> int | None:
    """Return the cases of which a pair is true; nothing where one of the two has too little to say of its own.

    With ``and`` each must exclude two cases that the other does not, with ``or`` explain two.
    """
    own = (first.holds & ~second.holds).bit_count(), (second.holds & ~first.holds).bit_count()
    if first.quantity == second.quantity or min(own) < SUPPORT:
        return None
    return first.holds & second.holds if word == "and" else first.holds | second.holds


def _pairs_are_surprising(atoms: list[Atom], origin: int, split: _Split) -> bool:
    """Return whether few of the ways to fail are separated by one atom or two up to an origin."""
    tried = [atom for atom in atoms if atom.origin <= origin]
    if len(tried) ** 2 * _ODDS_OF_TWO <= _ways(split):
        return True
    many = split.failing.bit_count()
    sets = _sets_of_one(tried, origin, split)
    for first, second in combinations(tried, 2):
        for word in ("and", "or"):
            joined = _joined(word, first, second)
            if joined is not None and joined.bit_count() == many:
                sets.add(joined)
    return len(sets) * _ODDS_OF_TWO <= _ways(split)
