"""What is found about a case, and about all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gradverify.exit_codes import ExitCode
from gradverify.problems import place_of
from gradverify.results.findings import EVIDENCE, Contract, Geometry, GradientCheck
from gradverify.results.verdicts import Cause, Verdict, worst_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gradverify.problems import Problem
    from gradverify.results.networks import Network

__all__ = [
    "BaselineUse",
    "BatteryRow",
    "CaseResult",
    "Condition",
    "Judgement",
    "Plan",
    "Report",
    "counts_of",
    "verdict_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryRow:
    """Which case of which battery a case is, and why it is there, in words."""

    layer: str
    row: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the policy of a run made of findings that fail no case by themselves.

    Attributes
    ----------
    failing_axes, allowed_axes, known_axes
        Axes whose geometry fails the case, those whose violation the spec allows, and those where it is in a baseline.
    failing_warnings
        Codes of contracts whose warnings fail the case.
    """

    failing_axes: tuple[str, ...] = ()
    allowed_axes: tuple[str, ...] = ()
    known_axes: tuple[str, ...] = ()
    failing_warnings: tuple[str, ...] = ()

    @property
    def accepted_axes(self) -> tuple[str, ...]:
        """Axes whose violation fails no case, because somebody says so."""
        return self.allowed_axes + self.known_axes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """Everything found about one case.

    Attributes
    ----------
    line, column
        Where it stands in its spec, from 1; 0 where it stands in none.
    cause
        Why it has its verdict, where no part of it says so.
    network
        Id of the network or model whose layer it is; ``None`` for the others.
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
    column: int = 0
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
    network: str | None = None
    cause: Cause | None = field(default=None, metadata={EVIDENCE: True})
    judgement: Judgement = field(default_factory=Judgement, compare=False, metadata={EVIDENCE: True})
    lengths: Mapping[str, int] = field(default_factory=dict, compare=False, metadata={EVIDENCE: True})
    arrays: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False, metadata={EVIDENCE: True})

    @property
    def place(self) -> str:
        """Where it stands, as ``spec:line``."""
        return place_of(self.spec, self.line)


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
    """The whole: one value that feeds every reporter.

    Attributes
    ----------
    networks
        The networks and models whose layers are among the cases.
    tried, before
        What ``--try`` changed, and the cases as they are without it; empty where nobody asked.
    baseline
        How the cases compare with what was accepted before; ``None`` without ``--baseline``.
    problems
        What is wrong with the specs and models: nothing was run then.
    """

    version: str
    command: str
    verdict: Verdict
    exit_code: int
    seed: int
    seconds: float
    counts: Mapping[str, int]
    conditions: tuple[Condition, ...] = ()
    cases: tuple[CaseResult, ...]
    networks: tuple[Network, ...] = ()
    tried: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    before: tuple[CaseResult, ...] = ()
    baseline: BaselineUse | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def interrupted(self) -> bool:
        """Whether cases are those that had finished."""
        return self.exit_code == ExitCode.INTERRUPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineUse:
    """How the cases compare with a baseline.

    Attributes
    ----------
    file
        Where it is.
    accepted, new
        How many violations it holds, and how many it does not hold.
    gone
        How many that it holds no longer occur.
    updated
        What it is to hold from now on, as text; ``None`` where it stays as it is.
    """

    file: str
    accepted: int
    new: int
    gone: int
    updated: str | None = field(default=None, repr=False, metadata={EVIDENCE: True})


def verdict_of(cases: Iterable[CaseResult]) -> Verdict:
    """Return the verdict of the whole run."""
    return worst_verdict(case.verdict for case in cases)


def counts_of(cases: Iterable[CaseResult]) -> dict[str, int]:
    """Count the verdicts of the cases; every verdict a case can have is present."""
    counted = Counter(case.verdict for case in cases)
    return {verdict.value: counted[verdict] for verdict in Verdict if verdict is not Verdict.EMPTY}
