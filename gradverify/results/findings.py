"""What is found about one part of a case: a contract, a gradient, the geometry along an axis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.results.evidence import ErrorGrid, StepCurve
    from gradverify.results.verdicts import GeometrySeverity, Severity, Verdict

__all__ = [
    "EVIDENCE",
    "AxisErrors",
    "AxisPart",
    "Certificate",
    "Contract",
    "Diagnosis",
    "ErrorMap",
    "Geometry",
    "GradientCheck",
    "Work",
    "WorstEntry",
]

# Marks a field that is for people alone: documents for machines leave it out, so that it may change freely.
EVIDENCE = "evidence"


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
class AxisPart:
    """Some indices of an axis, in ranges that ascend and share none."""

    axis: int
    indices: tuple[range, ...]


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
    ``backward`` says what the windows of the case ask of this gradient beyond the formula, in sentences. ``error_grid``
    and ``step_curve`` show it from near by, where that was asked for.
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
    backward: tuple[str, ...] = ()
    work: Work | None = field(default=None, compare=False, metadata={EVIDENCE: True})
    error_map: ErrorMap | None = field(default=None, compare=False, metadata={EVIDENCE: True})
    error_grid: ErrorGrid | None = field(default=None, compare=False, metadata={EVIDENCE: True})
    step_curve: StepCurve | None = field(default=None, compare=False, metadata={EVIDENCE: True})


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
    transposed, output_padding
        Whether the window makes rows instead of reading them: then ``(H-1)S + K = H' + P_lo + P_hi`` is its identity,
        ``dilated_cotangent`` is its input, dilated and padded, and rows unread are rows that only the bias reaches.
    overhang
        Rows that a last window which was rounded up hangs over the end; the identity is
        ``(H'-1)S + K = H + P_lo + P_hi + overhang`` then.
    full_padding
        ``(K - 1 - P_lo, K - 1 - P_hi)``, the edges of a full convolution that crops nothing afterwards; where one is
        negative, it must crop instead of pad.
    notes
        What else there is to say of this axis; of an impossible window first why it is.
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
    transposed: bool = False
    output_padding: int = 0
    overhang: int = 0
    full_padding: tuple[int, int] = (0, 0)
    notes: tuple[str, ...] = ()
