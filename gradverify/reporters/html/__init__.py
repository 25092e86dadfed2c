"""The report as one HTML file that opens offline and needs no script; every module makes one kind of section."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from gradverify.reporters.html.document import page_of

if TYPE_CHECKING:
    from gradverify.reporters import Appearance
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["HtmlReporter"]


class HtmlReporter:
    """Writes one page when the run is finished.

    Parameters
    ----------
    stream
        Where it goes.
    appearance
        Of which the keys of maps are used; a page shows everything, folded.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._stream = stream
        self._appearance = appearance

    def start(self, plan: Plan) -> None:
        """Write nothing yet."""

    def case(self, result: CaseResult) -> None:
        """Write nothing yet."""

    def finish(self, report: Report) -> None:
        """Write the page."""
        self._stream.write(page_of(report, self._appearance.map_keys))
