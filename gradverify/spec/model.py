"""The spec and its cases as frozen values: no YAML, no arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.results import BatteryRow, CaseResult, FailOn, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gradverify.layers.registry import WindowRoles
    from gradverify.spec.battery import PlacedRow
    from gradverify.spec.counterparts import Counterpart
    from gradverify.spec.network_model import Allowance
    from gradverify.spec.nodes import Position
    from gradverify.spec.site import Site
    from gradverify.spec.target_model import Target

__all__ = [
    "COTANGENTS",
    "DEFAULT_TIMEOUT",
    "DTYPES",
    "IMPORT",
    "LARGEST_MEMORY",
    "LARGEST_WHOLE",
    "METHODS",
    "MODEL_SUFFIXES",
    "SHIMS",
    "SPEC_SUFFIXES",
    "ArrayFile",
    "Case",
    "CaseSpec",
    "Check",
    "Fill",
    "InputSpec",
    "Length",
    "Spec",
    "Tolerance",
]

Length: TypeAlias = int | str

DTYPES = ("float64", "float32", "float16", "longdouble")
METHODS = ("auto", "dense", "compressed", "certificate")
COTANGENTS = ("random", "ones", "mean", "single")
# What a folder is searched for.
SPEC_SUFFIXES = (".yaml", ".yml")
# What is a model, where a command takes any.
MODEL_SUFFIXES = (".onnx",)
# Names that older code expects and newer versions no longer have.
SHIMS = ("old-numpy", "old-python")
# The key of a parameter that is a Python object: {import: module:name}.
IMPORT = "import"
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
    ONEHOT = "onehot"
    VALUES = "values"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Relative and absolute tolerance; ``None`` takes the one of the dtype's table."""

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """An array in a file: the absolute path of an ``.npz`` and a name in it, or of an ``.npy`` and ``None``."""

    file: str
    key: str | None = None


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
        """Whether a gradient is expected; labels have none, a file's dtype is known when it is read."""
        if self.grad is None and self.fill is Fill.ONEHOT:
            return False
        integer = self.dtype is not None and self.dtype.startswith(("int", "uint", "bool"))
        return not integer if self.grad is None else self.grad


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
    contracts
        What the spec says of contracts, by code: ``off``, ``warning`` or ``failure``; others are as in the table.
    cotangent
        What the outputs are weighted with: a word, or a file for each output; ``None`` leaves it to the target.
    scale
        What analytic gradients are multiplied with before they are compared, by input; names are dims.
    strict, fail_on
        Whether warnings fail the case, and which geometry does; ``None`` leaves it to the command.
    allow
        A violation of the size identity that is known; of a network its layers have their own.
    search_path, preload, absent
        Folders searched for user code, what is imported before it, and packages it may do without; empty for built-ins.
    placed
        The row of its battery, where it has one.
    reference
        What outputs and gradients must equal.
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
    contracts: Mapping[str, str]
    checks: tuple[Check, ...]
    expect: Verdict
    cotangent: str | tuple[ArrayFile, ...] | None
    scale: Mapping[str, float | str]
    strict: bool
    fail_on: FailOn | None
    allow: Allowance | None
    search_path: tuple[str, ...]
    preload: tuple[str, ...]
    absent: tuple[str, ...]
    placed: PlacedRow | None
    reference: Counterpart | None
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
    lengths
        Of the inputs, by name: ``N``, ``C`` of a built-in layer or a battery, ``x.shape[0]`` of other code.
    keep
        Whether the result carries arrays, where the case may fail.
    near
        Whether its gradients show themselves from near by: errors over two axes, and a curve of step sizes.
    site, network
        The layer, and the id of the network or model that it is part of; ``None`` for cases of their own.
    memory, max_passes, contracts, cotangent, scale, strict, fail_on, allow, search_path, preload, absent, placed
        As in ``CaseSpec``.
    reference
        As in ``CaseSpec``; the parameters of the reference in values.
    """

    id: str
    name: str
    spec: str
    line: int
    column: int
    target: Target
    inputs: tuple[InputSpec, ...]
    params: Mapping[str, Any]
    sweep: Mapping[str, Any]
    window: WindowRoles | None
    seed: int
    dtype: str
    tolerance: Tolerance
    timeout: float
    lengths: Mapping[str, int] = field(default_factory=dict)
    memory: int | None = None
    method: str = "auto"
    max_passes: int | None = None
    contracts: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = tuple(Check)
    expect: Verdict = Verdict.PASS
    cotangent: str | tuple[ArrayFile, ...] | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    strict: bool = False
    fail_on: FailOn | None = None
    allow: Allowance | None = None
    search_path: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    placed: PlacedRow | None = None
    reference: Counterpart | None = None
    keep: bool = False
    near: bool = False
    site: Site | None = None
    network: str | None = None

    @property
    def home(self) -> str:
        """What is imported for the case; empty for built-ins."""
        if not self.target.home:
            return ""
        return ",".join((self.target.home, *self.preload, *self.absent, *_imports(self.params)))

    @property
    def _battery(self) -> BatteryRow | None:
        placed = self.placed
        return None if placed is None else BatteryRow(layer=placed.layer, row=placed.row.name, reason=placed.row.reason)

    def result(self, verdict: Verdict, reason: str | None, **found: Any) -> CaseResult:
        """Return what was found about this case; ``found`` are the other fields of a ``CaseResult``."""
        return CaseResult(
            id=self.id,
            name=self.name,
            spec=self.spec,
            line=self.line,
            column=self.column,
            target=str(self.target),
            verdict=verdict,
            reason=reason,
            expect=self.expect,
            params=self.params,
            sweep=self.sweep,
            battery=self._battery,
            network=self.network,
            lengths=self.lengths,
            **found,
        )


def _imports(value: Any) -> Iterator[str]:
    """Yield what ``{import: ...}`` names among parameters."""
    if isinstance(value, dict) and set(value) == {IMPORT}:
        yield str(value[IMPORT])
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from _imports(inner)
