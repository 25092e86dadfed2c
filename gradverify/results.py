"""What a run finds, as plain frozen values: picklable, free of arrays, and the only thing reporters read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "EVIDENCE",
    "AxisErrors",
    "AxisPart",
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
    "Plan",
    "Report",
    "Severity",
    "Verdict",
    "Work",
    "WorstEntry",
    "counts_of",
    "exit_code_of",
    "verdict_of",
    "worst_verdict",
]

# Marks a field that is for people alone: documents for machines leave it out, so that it may change freely.
EVIDENCE = "evidence"


class Verdict(StrEnum):
    """What was found out about a case, a contract, a gradient or the whole."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIP = "skip"
    EMPTY = "empty"


class Severity(StrEnum):
    """Whether a contract that is not met fails its case."""

    FAILURE = "failure"
    WARNING = "warning"


class GeometrySeverity(StrEnum):
    """How much a window loses along one axis, from nothing to everything."""

    EXACT = "exact"
    GAP = "gap"
    PADDING_UNREAD = "padding-unread"
    DATA_LOST = "data-lost"
    IMPOSSIBLE = "impossible"


class FailOn(StrEnum):
    """Which geometry fails a case."""

    IDENTITY = "identity"
    DATA_LOSS = "data-loss"
    IMPOSSIBLE = "impossible"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One exact promise of a layer, checked without differences; ``about`` are the inputs that it was looked at for."""

    code: str
    verdict: Verdict
    severity: Severity
    message: str
    about: tuple[str, ...] = field(default=(), compare=False, metadata={EVIDENCE: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstEntry:
    """The entry of a gradient that lies furthest outside what is allowed, relative to what is allowed."""

    index: tuple[int, ...]
    analytic: float
    numerical: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A bound on every element's error that holds but for a stated probability."""

    bound: float
    miss_probability: float
    directions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why a gradient is wrong, with the evidence for it."""

    code: str
    message: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How a numerical gradient was found, and what it cost.

    Attributes
    ----------
    derivative
        What slopes were read from: ``complex step``, ``impulses``, ``differences of order 4``; along directions
        ``differences of order 6``.
    step
        Size of the step; ``None`` where it has no meaning.
    groups
        Groups of elements that moved together; ``None`` where there were none.
    passes, seconds
        Forward passes and time by phase, in the order in which the phases ran.
    """

    derivative: str
    step: float | None = None
    groups: int | None = None
    passes: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisErrors:
    """How many elements fail along one axis.

    Attributes
    ----------
    axis, length, name
        Which one it is, its length, and its name where it is known.
    failed
        Failing elements of each index, or of ``together`` neighbouring ones each on a long axis (the last may have
        fewer).
    indices
        How many indices have failing elements.
    """

    axis: int
    length: int
    failed: tuple[int, ...]
    indices: int
    together: int = 1
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisPart:
    """Some indices of an axis, in ranges that ascend and share none."""

    axis: int
    indices: tuple[range, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMap:
    """Where in a gradient the failing elements sit, all of them.

    Attributes
    ----------
    axes
        Along each axis.
    elements, failed
        How many there are, and how many fail.
    within, along, without
        A region that holds them: all parts of ``within``, any part of ``along``, and not all parts of ``without``.
        Those that are empty say nothing.
    region
        How many elements that region has; it is exactly the failing ones where these are as many.
    listed
        Indices of the failing elements, where they are few and no whole slice.
    """

    axes: tuple[AxisErrors, ...]
    elements: int
    failed: int
    within: tuple[AxisPart, ...]
    along: tuple[AxisPart, ...]
    without: tuple[AxisPart, ...]
    region: int
    listed: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientCheck:
    """One input's analytic gradient against its numerical one.

    Fields that are ``None`` are not known: elements were not compared one by one, or nothing could be computed.
    """

    input: str
    shape: tuple[int, ...]
    verdict: Verdict
    reason: str | None = None
    method: str | None = None
    elements: int = 0
    compared: int = 0
    failed: int = 0
    inconclusive: int = 0
    max_relative_error: float | None = None
    max_absolute_error: float | None = None
    error_bar: float | None = None
    worst: WorstEntry | None = None
    footprint: tuple[int, ...] | None = None
    certificate: Certificate | None = None
    diagnosis: tuple[Diagnosis, ...] = ()
    work: Work | None = field(default=None, compare=False, metadata={EVIDENCE: True})
    error_map: ErrorMap | None = field(default=None, compare=False, metadata={EVIDENCE: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """The size identity ``(H'-1)S + K = H + P_lo + P_hi`` along one axis; all lengths in elements.

    Attributes
    ----------
    axis
        Name of the axis, ``H`` or ``W`` in two dimensions.
    input, kernel, stride, padding, dilation, output
        ``H``, ``HH``, ``S``, ``(P_lo, P_hi)``, ``D`` and ``H'``; the effective kernel is ``K = D(HH-1) + 1``.
    padded
        ``H + P_lo + P_hi``.
    dilated_cotangent
        ``(H'-1)(S-1) + H' + 2(K-1)``, the cotangent after dilation and edge padding.
    reconstructed
        ``(H'-1)S + K``, its length after the stride-1 correlation with the rotated kernel.
    residual
        ``r = (H + P_lo + P_hi - K) mod S``, rows at the far end that no window reads.
    identity
        Whether ``reconstructed == padded``.
    unread_padding, unread_data
        How many of the residual rows are padding, and how many are real data.
    gap
        ``max(0, S - K)``, rows between windows that no window reads; 0 when ``H'`` is 1.
    severity
        How much is lost.
    suggestions
        Nearest single changes that make the identity hold, each verified by computing it.
    """

    axis: str
    input: int
    kernel: int
    stride: int
    padding: tuple[int, int]
    dilation: int
    output: int
    padded: int
    dilated_cotangent: int
    reconstructed: int
    residual: int
    identity: bool
    unread_padding: int
    unread_data: int
    gap: int
    severity: GeometrySeverity
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRow:
    """Which case of which battery a case is, and why it is there, in words."""

    layer: str
    row: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """Everything found about one case.

    Attributes
    ----------
    lengths
        Of its inputs by name, from which conditions are read.
    reproduce
        The command that runs this case alone; ``None`` where it passed, was skipped, or no command ran it.
    arrays
        What a case that may fail was found with, as files in NumPy's ``.npy`` format by name (``inputs/x``,
        ``cotangent``, ``analytic/x``, ``numerical/x``, ``error_bar/x``); empty where nobody asked for it.
    """

    id: str
    name: str
    spec: str
    line: int
    target: str
    verdict: Verdict
    reason: str | None
    expect: Verdict
    params: Mapping[str, Any]
    sweep: Mapping[str, Any]
    seconds: float = 0.0
    forward_evaluations: int = 0
    backward_evaluations: int = 0
    contracts: tuple[Contract, ...] = ()
    gradients: tuple[GradientCheck, ...] = ()
    geometry: tuple[Geometry, ...] = ()
    battery: BatteryRow | None = None
    reproduce: str | None = None
    lengths: Mapping[str, int] = field(default_factory=dict, compare=False, metadata={EVIDENCE: True})
    arrays: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False, metadata={EVIDENCE: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What separates the failing cases of one name from the passing ones.

    Attributes
    ----------
    text
        ``fails exactly when padding = 0``, and what the cases do not tell this from, where there is such.
    cases
        How many cases it was read from, failing and passing ones; the others are undecided or did not run.
    name, spec
        The name of the cases and their file.
    """

    text: str
    cases: int
    name: str
    spec: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is about to run; reporters that stream get it first."""

    version: str
    command: str
    seed: int
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole: one value that feeds every reporter."""

    version: str
    command: str
    verdict: Verdict
    exit_code: int
    seed: int
    seconds: float
    counts: Mapping[str, int]
    conditions: tuple[Condition, ...] = ()
    cases: tuple[CaseResult, ...]


# The first of these that some case has is the verdict of the whole, with its exit code.
_EXIT_CODES = {
    Verdict.FAIL: 1,
    Verdict.INCONCLUSIVE: 1,
    Verdict.ERROR: 3,
    Verdict.PASS: 0,
    Verdict.EMPTY: 5,
}


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of a whole from those of its parts; ``EMPTY`` when there are only skips or none."""
    present = set(verdicts)
    return next((verdict for verdict in _EXIT_CODES if verdict in present), Verdict.EMPTY)


def verdict_of(cases: Iterable[CaseResult]) -> Verdict:
    """Return the verdict of the whole run."""
    return worst_verdict(case.verdict for case in cases)


def exit_code_of(verdict: Verdict) -> int:
    """Return the exit code that belongs to a verdict of the whole."""
    return _EXIT_CODES[verdict]


def counts_of(cases: Iterable[CaseResult]) -> dict[str, int]:
    """Count the verdicts of the cases; every verdict a case can have is present."""
    counted = Counter(case.verdict for case in cases)
    return {verdict.value: counted[verdict] for verdict in Verdict if verdict is not Verdict.EMPTY}
