"""The report as one strict JSON document, fields and order as the contract fixes them."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, TextIO

from gradverify.results import EVIDENCE

if TYPE_CHECKING:
    from gradverify.reporters import Appearance
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["JsonReporter", "document"]


class JsonReporter:
    """Writes one document when the run is finished.

    Parameters
    ----------
    stream
        Where it goes.
    appearance
        Not used: the document is for machines.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._stream = stream
        self._appearance = appearance

    def start(self, plan: Plan) -> None:
        """Write nothing yet."""

    def case(self, result: CaseResult) -> None:
        """Write nothing yet."""

    def finish(self, report: Report) -> None:
        """Write the document."""
        json.dump(document(report), self._stream, indent=2, allow_nan=False, ensure_ascii=True)
        self._stream.write("\n")


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain JSON values; NaN and infinities are ``"nan"``, ``"inf"`` and ``"-inf"``."""
    plain = _plain(report)
    version = plain.pop("version")
    del plain["command"]
    return {"gradverify": version, **plain}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        shown = [field.name for field in fields(value) if EVIDENCE not in field.metadata]
        return {name: _plain(getattr(value, name)) for name in shown}
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
