"""The report line by line, for programs that read while it runs: a JSON object for each case, and one for the whole.

Each is that of the JSON document, behind a ``type`` that no field of it is called. A stream without a last line of type
``report`` was cut off.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from gradverify.reporters.json import document, plain_values

if TYPE_CHECKING:
    from gradverify.reporters import Appearance
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["JsonLinesReporter"]


class JsonLinesReporter:
    """Writes a line as soon as its case is known.

    Parameters
    ----------
    stream
        Where they go.
    appearance
        Not used: the lines are for machines.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._stream = stream
        self._appearance = appearance

    def start(self, plan: Plan) -> None:
        """Write nothing yet."""

    def case(self, result: CaseResult) -> None:
        """Write the line of one case."""
        self._line("case", plain_values(result))

    def finish(self, report: Report) -> None:
        """Write the line of the whole: the document without its cases."""
        whole = document(report)
        del whole["cases"]
        self._line("report", whole)

    def _line(self, kind: str, values: dict[str, Any]) -> None:
        line = json.dumps({"type": kind, **values}, allow_nan=False, ensure_ascii=True)
        self._stream.write(f"{line}\n")
        self._stream.flush()
