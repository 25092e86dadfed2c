"""User code among its own surroundings, and the engine among ours, in one process.

Code that replaces ``numpy.dot``, lets NumPy raise on overflow or turns warnings into errors means itself, not what
verifies it. It gets to see what it did whenever it runs, and the engine what was there at first.
"""

from __future__ import annotations

import sys
import warnings
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gradverify.targets.namespaces import are_the_same, current, in_words, originals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import ContextVar

    from gradverify.targets.handing import Hand
    from gradverify.targets.namespaces import Names
    from gradverify.targets.protocol import Array, Calls, Forward, Gradients, Target, Traits

__all__ = ["WITNESSES", "Guarded", "Witness", "set_filters"]

Returned = TypeVar("Returned")


class Witness(Protocol):
    """Hears what user code does to its process."""

    def imported(self, *, left: bool) -> None:
        """Hear that a case imported modules, and whether that left anything behind in here."""

    def loaded(self) -> None:
        """Hear that the imports of a case are over."""

    def replaced(self) -> None:
        """Hear that calls, not imports, replaced names of the libraries."""


WITNESSES: list[Witness] = []


class _Imports:
    """What importing the modules of one home left behind, for the later cases of that home to find again.

    Attributes
    ----------
    names
        The names it replaced.
    filters
        The warning filters it set, or ``None`` where they are ours.
    variables
        The context variables it set; NumPy's error handling is one.
    """

    def __init__(self) -> None:
        self.names: Names = {}
        self.filters: list[Any] | None = None
        self.variables: dict[ContextVar[Any], Any] = {}


_IMPORTS: dict[str, _Imports] = {}


class Guarded:
    """A target whose code runs among its own surroundings.

    That costs a tenth of a microsecond a call, unless the code replaces names or warning filters: then these are
    swapped around each call. What is replaced is noticed after the imports, the first forward and the first backward
    pass, before the engine computes anything; what is replaced later spoils the case.

    Parameters
    ----------
    load
        Imports the code and makes the target.
    home
        The modules it imports.
    """

    def __init__(self, load: Callable[[], Target], home: str) -> None:
        self._imports = _IMPORTS.setdefault(home, _Imports())
        # In a worker nobody but user code replaces anything; elsewhere, what is there belongs to somebody.
        self._libraries = originals() if WITNESSES else current()
        self._ours = list(warnings.filters)
        self._names: Names = self._imports.names
        self._filters = self._imports.filters
        self._context = copy_context()
        for variable, value in self._imports.variables.items():
            self._context.run(variable.set, value)
        self._target = self._loaded(load)
        self._fresh = {"forward", "backward"}
        self.calls = self._target.calls
        self.own_inputs = self._target.own_inputs
        self.unverified = self._target.unverified

    @property
    def traits(self) -> Traits:
        """What can be promised of the target."""
        return self._target.traits

    def handing(self, hand: Hand) -> Target:
        """Return the same target, among the same surroundings, with another hand."""
        return _Handing(self, self._target.handing(hand))

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        """Run the forward pass among the surroundings of its code."""
        return self.run("forward", self._target.forward, inputs)

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        """Run the backward pass among the surroundings of its code."""
        return self.run("backward", self._target.backward, cotangents, forward, inputs)

    def spoiled(self) -> str | None:
        """Say what was replaced when the engine was at work already, if anything was."""
        late = self._libraries.differences()
        if not late:
            return None
        self._libraries.put_back(late)
        self._tell_of_replaced()
        return f"the code replaced {in_words(late)} after its first calls: nothing computed since then is certain"

    def run(self, kind: str, call: Callable[..., Returned], *arguments: Any) -> Returned:
        """Call code among its surroundings, as a ``forward`` or a ``backward`` pass."""
        if not (self._names or self._filters is not None or kind in self._fresh):
            return self._context.run(call, *arguments)
        self._fresh.discard(kind)
        try:
            return self._looked_after(call, *arguments)
        finally:
            if not are_the_same(self._names, self._imports.names):
                self._tell_of_replaced()

    def _looked_after(self, call: Callable[..., Returned], *arguments: Any) -> Returned:
        """Call with the surroundings of the code in place, and put ours back."""
        self._libraries.write(self._names)
        if self._filters is not None:
            set_filters(self._filters)
        try:
            return self._context.run(call, *arguments)
        finally:
            self._names = self._libraries.differences()
            self._libraries.put_back(self._names)
            filters = list(warnings.filters)
            self._filters = None if filters == self._ours else filters
            if self._filters is not None:
                set_filters(self._ours)

    def _loaded(self, load: Callable[[], Target]) -> Target:
        """Load the target, and keep what its imports did, also where they fail."""
        before, target = len(sys.modules), None
        self._modules = set(sys.modules)
        try:
            target = self._looked_after(load)
            return target
        finally:
            if target is None or len(sys.modules) != before:
                self._remember()
            for witness in WITNESSES:
                witness.loaded()

    def _remember(self) -> None:
        imports, context = self._imports, copy_context()
        imports.names, imports.filters = self._names, self._filters
        imports.variables = {
            variable: value for variable, value in self._context.items() if context.get(variable) is not value
        }
        left = bool(imports.names or imports.filters is not None or imports.variables or self._stubs())
        for witness in WITNESSES:
            witness.imported(left=left)

    def _stubs(self) -> bool:
        """Say whether imports put modules into the table that no import made, in the place of a package, say."""
        new = set(sys.modules) - self._modules - {"__main__"}
        return any(getattr(sys.modules[name], "__spec__", None) is None for name in new)

    def _tell_of_replaced(self) -> None:
        for witness in WITNESSES:
            witness.replaced()


class _Handing:
    """A guarded target with another hand.

    Parameters
    ----------
    guard
        Runs it.
    target
        The target itself, with that hand.
    """

    def __init__(self, guard: Guarded, target: Target) -> None:
        self.guard, self.target = guard, target

    @property
    def calls(self) -> Calls:
        return self.target.calls

    @property
    def own_inputs(self) -> Mapping[str, Array]:
        return self.target.own_inputs

    @property
    def unverified(self) -> tuple[str, ...] | None:
        return self.target.unverified

    @property
    def traits(self) -> Traits:
        return self.target.traits

    def handing(self, hand: Hand) -> Target:
        return _Handing(self.guard, self.target.handing(hand))

    def forward(self, inputs: Mapping[str, Array]) -> Forward:
        return self.guard.run("forward", self.target.forward, inputs)

    def backward(self, cotangents: tuple[Array, ...], forward: Forward, inputs: Mapping[str, Array]) -> Gradients:
        return self.guard.run("backward", self.target.backward, cotangents, forward, inputs)


def set_filters(filters: list[Any]) -> None:
    """Let other warning filters hold; resetting them makes the interpreter forget what it knew of the old ones."""
    warnings.resetwarnings()
    warnings.filters[:] = filters  # type: ignore[index]  # a list, though typeshed promises less
