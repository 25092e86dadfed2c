"""The report as one HTML file that opens offline and needs no script; every module makes one kind of section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.reporters.html.document import page_of
from gradverify.reporters.whole import WholeReporter

if TYPE_CHECKING:
    from gradverify.results import Report

__all__ = ["HtmlReporter"]


class HtmlReporter(WholeReporter):
    """Writes one page when the run is finished."""

    def finish(self, report: Report) -> None:
        """Write the page."""
        self._stream.write(page_of(report, self._appearance.map_keys))
