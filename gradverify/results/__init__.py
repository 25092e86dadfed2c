"""What a run finds, as plain frozen values: picklable, arrays only as bytes; the only thing that reporters read."""

from __future__ import annotations

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
    Plan,
    Report,
    counts_of,
    verdict_of,
)
from gradverify.results.verdicts import (
    NOT_RUN,
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
    "AxisErrors",
    "AxisPart",
    "BaselineUse",
    "BatteryRow",
    "CaseResult",
    "Certificate",
    "Condition",
    "Contract",
    "Diagnosis",
    "ErrorMap",
    "FailOn",
    "Geometry",
    "GeometrySeverity",
    "GradientCheck",
    "Network",
    "NetworkLayer",
    "Plan",
    "Report",
    "Severity",
    "Solution",
    "Verdict",
    "Work",
    "WorstEntry",
    "counts_of",
    "exit_code_of",
    "verdict_of",
    "worst_verdict",
]
