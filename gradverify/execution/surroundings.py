"""What user code finds around itself in a worker: remembered, put back after every job, and looked over for damage."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from gradverify.execution.aspects import ASPECTS, stop_timers
from gradverify.execution.states import BOUND, CLEAN, WORN
from gradverify.targets.namespaces import are_the_same, living, originals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradverify.execution.aspects import Aspect

__all__ = ["Surroundings"]


class Surroundings:
    """Everything about this process that can be put back, as it was when this was made.

    Parameters
    ----------
    repair
        Called when something was put back: what reports crashes may be gone with the signal handlers.
    """

    def __init__(self, repair: Callable[[], None]) -> None:
        self._repair = repair
        self._bound = self._worn = False
        originals()
        self._living = living()
        self._keep()

    def begin(self) -> None:
        """Prepare for a job."""
        _seed()

    def imported(self, *, left: bool) -> None:
        """Keep what the imports of user code did: they happen once, and every job that needs them finds it so."""
        if left or self._has_changed() or self._has_company():
            self._bound = True
            self._keep()

    def loaded(self) -> None:
        """Give the first call of every job the same numbers, whether its modules were there already or drew some."""
        _seed()

    def replaced(self) -> None:
        """Hear that calls replaced names of the libraries."""
        self._worn = True

    def end(self) -> str:
        """Put everything back after a job, and say in which state the worker is."""
        try:
            return self._put_back()
        except Exception:  # noqa: BLE001  what user code left in the place of a function may do anything
            return WORN

    def _put_back(self) -> str:
        replaced = not self._restored()
        stop_timers()
        changed = [(aspect, kept) for aspect, kept in self._aspects() if aspect[0]() != kept]
        for (_, write), kept in changed:
            with suppress(Exception):  # what cannot be put back is seen right below
                write(kept)
        if changed:
            self._repair()
        stuck = any(read() != kept for (read, _), kept in changed)
        if self._worn or replaced or stuck or self._has_company():
            return WORN
        return BOUND if self._bound else CLEAN

    def _restored(self) -> bool:
        """Say whether all names mean what they should; the rest works with them, so they do so from here on."""
        computing, living = originals().differences(), self._living.differences()
        if not computing and are_the_same(living, self._names):
            return True
        originals().put_back(computing)
        self._living.put_back(living)
        return False

    def _aspects(self) -> Iterator[tuple[Aspect, object]]:
        return zip(ASPECTS, self._kept, strict=True)

    def _has_changed(self) -> bool:
        aspects = any(read() != kept for (read, _), kept in self._aspects())
        return aspects or not are_the_same(self._living.differences(), self._names)

    def _keep(self) -> None:
        self._kept = [read() for read, _ in ASPECTS]
        self._names = self._living.differences()
        self._threads = threading.active_count()
        self._children = _has_children()

    def _has_company(self) -> bool:
        """Say whether threads or processes were left running, which would go on beside other jobs."""
        return threading.active_count() > self._threads or (_has_children() and not self._children)


def _seed() -> None:
    """Let the global generators give every job the same numbers, whichever ran here before."""
    for name in ("random", "numpy.random"):
        if name in sys.modules:
            with suppress(Exception):  # a module of the user's by that name
                sys.modules[name].seed(0)


def _has_children() -> bool:
    """Say whether there is a process that this one has started and not collected."""
    if not hasattr(os, "waitid"):
        return False
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
