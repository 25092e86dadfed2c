"""The report as one strict JSON document, fields and order as the contract fixes them."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from gradverify.problems import Problem
from gradverify.reporters.whole import WholeReporter
from gradverify.results import EVIDENCE, CaseResult, Contract, Geometry, GradientCheck
from gradverify.rules import rule_of_case, rule_of_contract, rule_of_geometry, rule_of_gradient, rule_of_problem

if TYPE_CHECKING:
    from gradverify.results import Report

__all__ = ["JsonReporter", "document", "plain_values"]


class JsonReporter(WholeReporter):
    """Writes one document when the run is finished."""

    def finish(self, report: Report) -> None:
        """Write the document."""
        json.dump(document(report), self._stream, indent=2, allow_nan=False, ensure_ascii=True)
        self._stream.write("\n")


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain JSON values; NaN and infinities are ``"nan"``, ``"inf"`` and ``"-inf"``."""
    plain = plain_values(report)
    version = plain.pop("version")
    del plain["command"]
    return {"gradverify": version, **plain}


# What has a rule, beside its fields.
_RULES: dict[type, Any] = {
    CaseResult: rule_of_case,
    Contract: rule_of_contract,
    GradientCheck: rule_of_gradient,
    Geometry: rule_of_geometry,
    Problem: rule_of_problem,
}


def plain_values(value: Any) -> Any:
    """Return results as plain JSON values, without what is for people alone; findings with their rules."""
    if is_dataclass(value):
        shown = [field.name for field in fields(value) if EVIDENCE not in field.metadata]
        rule = {"rule": _RULES[type(value)](value)} if type(value) in _RULES else {}
        return {name: plain_values(getattr(value, name)) for name in shown} | rule
    if isinstance(value, dict):
        return {str(name): plain_values(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value
