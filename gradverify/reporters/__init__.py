"""Report in, text out. ``REPORTERS`` names one class per format; a new format is one file and one row here."""

from __future__ import annotations

from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["REPORTERS", "Appearance", "Reporter", "reporter"]

REPORTERS = {
    "github": "gradverify.reporters.github:GithubReporter",
    "gitlab": "gradverify.reporters.gitlab:GitlabReporter",
    "html": "gradverify.reporters.html:HtmlReporter",
    "json": "gradverify.reporters.json:JsonReporter",
    "jsonl": "gradverify.reporters.jsonl:JsonLinesReporter",
    "junit": "gradverify.reporters.junit:JUnitReporter",
    "markdown": "gradverify.reporters.markdown:MarkdownReporter",
    "sarif": "gradverify.reporters.sarif:SarifReporter",
    "terminal": "gradverify.reporters.terminal:TerminalReporter",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Appearance:
    """How a report for people looks.

    Attributes
    ----------
    verbosity
        -1 quiet, 0 normal, 1 every gradient and every geometry.
    color
        Whether colours may be used; ``None`` leaves it to the stream.
    width
        Columns; ``None`` leaves it to the terminal.
    map_keys
        Sweep keys of the map at the end, rows first; empty for no map.
    most_bytes
        What a report may take where its reader shows no more; ``None`` for no limit.
    root
        Folder of the project, to which CI systems want paths relative; ``None`` for the current one.
    """

    verbosity: int = 0
    color: bool | None = None
    width: int | None = None
    map_keys: tuple[str, ...] = ()
    most_bytes: int | None = None
    root: str | None = None


class Reporter(Protocol):
    """Writes one format to one stream."""

    def start(self, plan: Plan) -> None:
        """Hear what is about to run."""

    def case(self, result: CaseResult) -> None:
        """Hear about one finished case."""

    def finish(self, report: Report) -> None:
        """Hear the whole; afterwards the stream is complete."""


def reporter(name: str, stream: TextIO, appearance: Appearance) -> Reporter:
    """Return the reporter of a format, loading its module on use."""
    made: Reporter = resolve_name(REPORTERS[name])(stream, appearance)
    return made
