"""What formats have in common that are written as one document, when the run is finished."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from gradverify.reporters import Appearance
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["WholeReporter"]


class WholeReporter(ABC):
    """A reporter that hears everything, and writes when all of it is known.

    Parameters
    ----------
    stream
        Where the document goes.
    appearance
        How it looks; documents for machines heed little of it.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._stream = stream
        self._appearance = appearance

    def start(self, plan: Plan) -> None:  # noqa: B027  no format has to begin early
        """Write nothing yet."""

    def case(self, result: CaseResult) -> None:  # noqa: B027  as above
        """Write nothing yet."""

    @abstractmethod
    def finish(self, report: Report) -> None:
        """Write the document."""
