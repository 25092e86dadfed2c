"""Where forward passes and time went: counted by input and phase."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.numerics.functional import Array, Functional

__all__ = ["Ledger"]


@dataclass(slots=True)
class Ledger:
    """Counts the forward passes of a functional.

    Attributes
    ----------
    passes, seconds
        By input, then by phase, in the order in which phases began.
    """

    passes: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    seconds: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    _count: int = 0

    def watching(self, functional: Functional) -> Functional:
        """Return the functional, counted."""

        def counted(inputs: Mapping[str, Array]) -> tuple[Array, ...]:
            self._count += 1
            return functional.evaluate(inputs)

        return replace(functional, evaluate=counted)

    @property
    def seconds_a_pass(self) -> float:
        """What a forward pass has taken so far, with the work around it."""
        return sum(sum(times.values()) for times in self.seconds.values()) / max(self._count, 1)

    @contextmanager
    def phase(self, name: str, phase: str) -> Iterator[None]:
        """Write what happens inside down to a phase of an input; phases that come again are added up."""
        started, before = time.perf_counter(), self._count
        try:
            yield
        finally:
            passes, seconds = self.passes[name], self.seconds[name]
            passes[phase] = passes.get(phase, 0) + self._count - before
            seconds[phase] = seconds.get(phase, 0.0) + time.perf_counter() - started
