"""The spec and its cases as frozen values: no YAML, no arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.results import CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.layers.registry import WindowRoles
    from gradverify.spec.nodes import Position

__all__ = [
    "DEFAULT_TIMEOUT",
    "DTYPES",
    "LARGEST_MEMORY",
    "LARGEST_WHOLE",
    "METHODS",
    "Case",
    "CaseSpec",
    "Check",
    "Fill",
    "FunctionsTarget",
    "InputSpec",
    "LayerTarget",
    "Length",
    "Spec",
    "Target",
    "Tolerance",
]

Length: TypeAlias = int | str

DTYPES = ("float64", "float32", "float16", "longdouble")
METHODS = ("auto", "dense", "compressed", "certificate")
DEFAULT_TIMEOUT = 60.0
LARGEST_WHOLE = 2**63 - 1
LARGEST_MEMORY = 2**40  # MiB


class Check(StrEnum):
    """What is checked about a case, in this order."""

    GEOMETRY = "geometry"
    CONTRACTS = "contracts"
    GRADIENTS = "gradients"


class Fill(StrEnum):
    """Where the data of an input come from."""

    NORMAL = "normal"
    UNIFORM = "uniform"
    ONES = "ones"
    ZEROS = "zeros"
    ARANGE = "arange"
    INTEGERS = "integers"
    VALUES = "values"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Relative and absolute tolerance; ``None`` takes the one of the dtype's table."""

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One input array.

    Attributes
    ----------
    name
        As in the spec.
    shape
        Lengths or names of dims; ``None`` where only a file knows it.
    fill, options
        Where the data come from, and the numbers that say how (``mean``, ``std``, ``low``, ``high``).
    values
        Nested lists, for ``Fill.VALUES``.
    file, key
        Absolute path of an ``.npy`` or ``.npz`` file and the name of the array in it, for ``Fill.FILE``.
    dtype
        Name of the dtype, or ``None`` for the case's.
    grad
        Whether the input has a gradient; ``None`` leaves it to the dtype.
    """

    name: str
    shape: tuple[Length, ...] | None
    fill: Fill = Fill.NORMAL
    options: Mapping[str, float] = field(default_factory=dict)
    values: Any = None
    file: str | None = None
    key: str | None = None
    dtype: str | None = None
    grad: bool | None = None

    @property
    def differentiable(self) -> bool:
        """Whether a gradient is expected; integers have none, a file's dtype is known when it is read."""
        integer = self.dtype is not None and self.dtype.startswith(("int", "uint", "bool"))
        return not integer if self.grad is None else self.grad


@dataclass(frozen=True, slots=True)
class LayerTarget:
    """A built-in layer in one implementation; ``reference`` is the one it must agree with, where there is one."""

    layer: str
    implementation: str
    reference: str | None = None
    single: bool = True

    @property
    def home(self) -> str:
        """Nothing of the user's is imported."""
        return ""

    def __str__(self) -> str:
        return self.layer if self.single else f"{self.layer}[{self.implementation}]"


@dataclass(frozen=True, slots=True)
class FunctionsTarget:
    """A forward and a backward function, as ``module:name``; ``returns`` names what forward returns."""

    forward: str
    backward: str | None = None
    returns: tuple[str, ...] | None = None

    @property
    def home(self) -> str:
        """The modules that are imported: cases of one home may share a process even if those leave something behind."""
        references = (self.forward, self.backward or self.forward)
        return ",".join(dict.fromkeys(reference.partition(":")[0] for reference in references))

    def __str__(self) -> str:
        return self.forward if self.backward is None else self.backward


Target: TypeAlias = LayerTarget | FunctionsTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSpec:
    """One case as written, with the file's defaults filled in.

    Attributes
    ----------
    targets
        One target for each implementation asked for.
    names_implementation
        Whether the implementation is part of the id.
    dims, params, sweep
        As written; ``sweep`` in the order of the file.
    positions
        Where each part of the case stands, by path (``("inputs", "x")``).
    memory
        MiB that the process of the case may take; ``None`` leaves it to the executor.
    max_passes
        Forward passes that one look at an input's gradient may take; ``None`` leaves it to the engine.
    search_path
        Folders searched for user code; empty for built-ins.
    """

    name: str
    file: str
    position: Position
    targets: tuple[Target, ...]
    names_implementation: bool
    dims: Mapping[str, int]
    inputs: tuple[InputSpec, ...]
    params: Mapping[str, Any]
    sweep: Mapping[str, tuple[Any, ...]]
    window: WindowRoles | None
    seed: int
    dtype: str
    tolerance: Tolerance
    timeout: float
    memory: int | None
    method: str
    max_passes: int | None
    checks: tuple[Check, ...]
    expect: Verdict
    search_path: tuple[str, ...]
    positions: Mapping[tuple[str, ...], Position]

    def where(self, *path: str) -> Position:
        """Return where a part of the case stands, or the nearest part around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.positions:
                return self.positions[path[:length]]
        return self.position


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One validated file."""

    file: str
    seed: int
    cases: tuple[CaseSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing to verify: a case of the spec at one point of its sweep. Plain values, picklable.

    Attributes
    ----------
    inputs
        With shapes in numbers.
    params
        The effective ones, defaults included.
    sweep
        The swept ones.
    window
        Roles of the window, for windowed layers.
    memory, max_passes
        As in ``CaseSpec``.
    """

    id: str
    name: str
    spec: str
    line: int
    target: Target
    inputs: tuple[InputSpec, ...]
    params: Mapping[str, Any]
    sweep: Mapping[str, Any]
    window: WindowRoles | None
    seed: int
    dtype: str
    tolerance: Tolerance
    timeout: float
    memory: int | None = None
    method: str = "auto"
    max_passes: int | None = None
    checks: tuple[Check, ...] = tuple(Check)
    expect: Verdict = Verdict.PASS
    search_path: tuple[str, ...] = ()

    def result(self, verdict: Verdict, reason: str | None, **found: Any) -> CaseResult:
        """Return what was found about this case; ``found`` are the other fields of a ``CaseResult``."""
        return CaseResult(
            id=self.id,
            name=self.name,
            spec=self.spec,
            line=self.line,
            target=str(self.target),
            verdict=verdict,
            reason=reason,
            expect=self.expect,
            params=self.params,
            sweep=self.sweep,
            **found,
        )
