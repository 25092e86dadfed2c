"""What a run finds, as plain frozen values: picklable, arrays only as bytes; the only thing that reporters read."""

from __future__ import annotations

from gradverify.results.evidence import ErrorGrid, StepCurve
from gradverify.results.findings import (
    EVIDENCE,
    AxisErrors,
    AxisPart,
    Certificate,
    Contract,
    Diagnosis,
    ErrorMap,
    Geometry,
    GradientCheck,
    Work,
    WorstEntry,
)
from gradverify.results.networks import Network, NetworkLayer, Solution
from gradverify.results.report import (
    BaselineUse,
    BatteryRow,
    CaseResult,
    Condition,
    Judgement,
    Plan,
    Report,
    counts_of,
    verdict_of,
)
from gradverify.results.verdicts import (
    NOT_RUN,
    WORST_FIRST,
    Cause,
    FailOn,
    GeometrySeverity,
    Severity,
    Verdict,
    exit_code_of,
    worst_verdict,
)

__all__ = [
    "EVIDENCE",
    "NOT_RUN",
    "WORST_FIRST",
    "AxisErrors",
    "AxisPart",
    "BaselineUse",
    "BatteryRow",
    "CaseResult",
    "Cause",
    "Certificate",
    "Condition",
    "Contract",
    "Diagnosis",
    "ErrorGrid",
    "ErrorMap",
    "FailOn",
    "Geometry",
    "GeometrySeverity",
    "GradientCheck",
    "Judgement",
    "Network",
    "NetworkLayer",
    "Plan",
    "Report",
    "Severity",
    "Solution",
    "StepCurve",
    "Verdict",
    "Work",
    "WorstEntry",
    "counts_of",
    "exit_code_of",
    "verdict_of",
    "worst_verdict",
]
