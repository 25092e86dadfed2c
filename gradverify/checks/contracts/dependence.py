"""Contracts on what outputs depend on, where the kind of the layer is known: exact, and free of differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.checks.contracts.compared import precision_of
from gradverify.checks.contracts.finding import Finding, broken, kept
from gradverify.checks.contracts.masked import draws_a_mask
from gradverify.errors import TargetError
from gradverify.numerics.functional import spread
from gradverify.numerics.sampling import stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gradverify.checks.contracts.look import Look
    from gradverify.checks.counterpart import Working
    from gradverify.checks.subject import Subject, Trial
    from gradverify.spec.counterparts import Counterpart

__all__ = ["footprint", "sample_independence"]

# Entries of each input that are moved, one at a time.
_ENTRIES = 4
# How far they are moved, in spreads of the input.
_FAR = 3.0
# By how much a change must lie above or below what counts as one, so that two ways to compute it agree.
_CLEAR = 4.0
# A part of the largest output that single precision, which a layer may hide, does not round away.
_PLAIN = 1e-4


def sample_independence(look: Look) -> Finding | None:
    """Look whether outputs of one sample move with another, where a layer of this kind keeps samples apart."""
    both = _both(look)
    return None if both is None or isinstance(both, Finding) else _samples(both)


def footprint(look: Look) -> Finding | None:
    """Look whether outputs read of the inputs what those of a layer of this kind read."""
    both = _both(look)
    return _footprint(both) if isinstance(both, _Both) else both


def _both(look: Look) -> _Both | Finding | None:
    """Return the layer beside one of its kind.

    ``None`` where the kind is not known, or draws at random, since two masks are not the same; a finding where outputs
    differ in shape.
    """
    compared = look.kind
    if compared is None or draws_a_mask(compared.counterpart):
        return None
    try:
        wanted = compared.outputs
    except TargetError:
        return None  # an object whose arrays cannot be told from one another
    if isinstance(wanted, str):
        kind, reference = compared.counterpart, look.case.reference
        advice = f"say battery: {{layer: {kind.name}, fixed: ...}} where yours differ"
        return broken(
            [f"{wanted}, with {_in_words(kind)}; {advice}"], milder=reference is None or not reference.compared
        )
    return _Both(look, compared.working, wanted)


def _in_words(kind: Counterpart) -> str:
    return ", ".join(f"{name} = {value}" for name, value in kind.params.items()) or "no parameters"


@dataclass(frozen=True, slots=True)
class _Both:
    """The layer of a case and a built-in one, side by side."""

    look: Look
    working: Working
    wanted: tuple[NDArray[Any], ...]

    @property
    def subject(self) -> Subject:
        """The layer of the case."""
        return self.look.subject

    @property
    def trial(self) -> Trial:
        """What it gave."""
        return self.look.trial

    def moved(self, name: str, value: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return how far the outputs of both move with an input, each in units of what counts as a change."""
        point = {**self.subject.inputs, name: value}
        mine = self.subject.target.forward(point).outputs[0]
        theirs = self.working.outputs(self.working.forward(point), (mine,))
        if isinstance(theirs, str):
            raise TargetError(theirs)
        least = self.rounding ** (2 / 3)
        return _changes(mine, self.trial.forward.outputs[0], least), _changes(theirs[0], self.wanted[0], least)

    @property
    def rounding(self) -> float:
        """The machine epsilon of the coarsest precision in which the layer computes, as far as its arrays tell."""
        inputs = (value for value in self.subject.inputs.values() if value.dtype.kind == "f")
        return max(precision_of(array) for array in (self.trial.forward.outputs[0], *inputs))

    def random(self, name: str) -> np.random.Generator:
        """Return a stream for changes of an input."""
        return stream(self.look.case.seed, "dependence", self.look.case.name, name)


def _changes(after: NDArray[Any], before: NDArray[Any], least: float) -> NDArray[Any]:
    """Return how far outputs move, in units of what may be rounding: a part of the largest."""
    largest = max(float(np.max(np.abs(side), initial=0.0)) for side in (before, after))
    return np.asarray(np.abs(after.astype(np.float64) - before.astype(np.float64)) / (least * (largest or 1.0)))


def _samples(both: _Both) -> Finding | None:
    name, axis = both.working.samples()
    value = both.subject.inputs[name]
    output = both.trial.forward.outputs[0]
    if value.shape[axis] < 2 or output.ndim != value.ndim or output.shape[axis] != value.shape[axis]:
        return None
    changed = value.copy()
    first = [slice(None)] * value.ndim
    first[axis] = slice(0, 1)
    noise = both.random(name).standard_normal(changed[tuple(first)].shape)
    changed[tuple(first)] += (_FAR * spread(value) * noise).astype(value.dtype)
    mine, theirs = both.moved(name, changed)
    rest = [slice(None)] * value.ndim
    rest[axis] = slice(1, None)
    if np.any(theirs[tuple(rest)] > 1 / _CLEAR):
        return None  # a layer of this kind lets samples meet
    coupled = int(np.sum(mine[tuple(rest)] > _CLEAR))
    message = (
        f"{coupled} outputs of other samples move with the first sample; a {both.working.name} keeps samples apart"
    )
    return broken([message]) if coupled else kept("no sample moves the outputs of another")


def _footprint(both: _Both) -> Finding:
    """Look whether single entries of the inputs move the outputs that they move in a layer of this kind."""
    problems = []
    for name in both.subject.differentiable:
        value = both.subject.inputs[name]
        if not value.size or not both.working.takes(name):
            continue
        random = both.random(f"{name} entry")
        for flat in random.choice(value.size, min(_ENTRIES, value.size), replace=False):
            index = tuple(int(axis) for axis in np.unravel_index(int(flat), value.shape))
            changed = value.copy()
            changed[index] += value.dtype.type(_FAR * spread(value) * (1 if random.integers(2) else -1))
            problem = _difference(f"{name}[{', '.join(map(str, index))}]", *both.moved(name, changed), both)
            if problem is not None:
                problems.append(problem)
                break
    return (
        broken(problems) if problems else kept(f"outputs read of the inputs what those of a {both.working.name} read")
    )


def _difference(entry: str, mine: NDArray[Any], theirs: NDArray[Any], both: _Both) -> str | None:
    """Say which outputs one layer moves and the other does not: by so much that single precision would show it."""
    kind, plain = both.working.name, max(_CLEAR, _PLAIN / both.rounding ** (2 / 3))
    extra = (mine > _CLEAR) & (theirs < 1 / _CLEAR)
    missing = (theirs > plain) & (mine < 1 / _CLEAR)
    if np.any(extra):
        return f"{entry} moves {_first(extra)}, which it does not move in a {kind}"
    if np.any(missing):
        return f"{entry} does not move {_first(missing)}, which it moves in a {kind}"
    return None


def _first(mask: NDArray[Any]) -> str:
    index = [int(axis) for axis in np.argwhere(mask)[0]] if mask.ndim else []
    many = int(np.sum(mask))
    where = f"output {index}" if index else "the output"
    return where if many == 1 else f"{where} and {many - 1} more"
