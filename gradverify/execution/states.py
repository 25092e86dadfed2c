"""In which state a job leaves its worker: a word of its answer."""

from __future__ import annotations

__all__ = ["BOUND", "CLEAN", "WORN"]

# As new.
CLEAN = "clean"
# Imports left something behind: good for jobs of the same home.
BOUND = "bound"
# Something could not be put back: to be replaced.
WORN = "worn"
