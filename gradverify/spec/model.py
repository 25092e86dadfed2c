"""The spec and its cases as frozen values: no YAML, no arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.results import CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.layers.registry import WindowRoles
    from gradverify.spec.calls import Call
    from gradverify.spec.nodes import Position

__all__ = [
    "COTANGENTS",
    "DEFAULT_TIMEOUT",
    "DTYPES",
    "FRAMEWORKS",
    "LARGEST_MEMORY",
    "LARGEST_WHOLE",
    "METHODS",
    "SHIMS",
    "Case",
    "CaseSpec",
    "Check",
    "Fill",
    "FrameworkTarget",
    "FunctionsTarget",
    "InputSpec",
    "LayerTarget",
    "Length",
    "ObjectTarget",
    "ParameterRole",
    "Spec",
    "Target",
    "Tolerance",
]

Length: TypeAlias = int | str

DTYPES = ("float64", "float32", "float16", "longdouble")
METHODS = ("auto", "dense", "compressed", "certificate")
COTANGENTS = ("random", "ones", "mean", "single")
FRAMEWORKS = ("torch", "jax")
# Names that older code expects and newer versions no longer have.
SHIMS = ("old-numpy", "old-python")
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
    """A forward and a backward function.

    Attributes
    ----------
    forward, backward
        What to call; ``backward`` is ``None`` where forward returns the gradient itself.
    returns
        Names what forward returns.
    gradients
        Names what backward returns, in order; or says by input where in it each gradient is.
    elementwise
        Whether ``backward`` returns the derivative of every entry, to be multiplied with the cotangent.
    arrays
        What the functions compute with: ``numpy``, ``torch`` or ``jax``.
    """

    forward: Call
    backward: Call | None = None
    returns: tuple[str, ...] | None = None
    gradients: tuple[str, ...] | Mapping[str, str] | None = None
    elementwise: bool = False
    arrays: str = "numpy"

    @property
    def home(self) -> str:
        """The modules that are imported: cases of one home may share a process even if those leave something behind."""
        return ",".join(dict.fromkeys(call.module for call in (self.forward, self.backward) if call is not None))

    def __str__(self) -> str:
        return str(self.forward if self.backward is None else self.backward)


@dataclass(frozen=True, slots=True)
class ParameterRole:
    """Where a parameter of an object is.

    Attributes
    ----------
    value
        Path to its array, as ``params.W`` or ``params[0]``.
    gradient
        Path to its gradient; ``None`` leaves it to the names that people give it.
    update
        The rate, or the parameter that holds it, of a backward pass that takes ``rate * gradient`` off the value.
    """

    value: str
    gradient: str | None = None
    update: str | float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectTarget:
    """An object with a forward and a backward method.

    Attributes
    ----------
    create
        Makes the object.
    preset
        Name of the convention that says what is not said here.
    attributes
        Values by path, set after the object was made.
    setup
        Methods to call after that.
    forward, backward
        Methods; ``None`` leaves it to the preset.
    after
        Methods to call after backward.
    returns, gradients, elementwise
        As of functions.
    output
        Path to the output, where forward returns nothing.
    parameters
        By the name of the input that stands for it.
    reset
        Method that makes one object ready for the next forward pass; without it every pass has an object of its own.
    discover
        Whether parameters that the case does not name are verified as well.
    """

    create: Call
    preset: str = "auto"
    attributes: Mapping[str, Any] = field(default_factory=dict)
    setup: tuple[Call, ...] = ()
    forward: Call | None = None
    backward: Call | None = None
    after: tuple[Call, ...] = ()
    returns: tuple[str, ...] | None = None
    gradients: tuple[str, ...] | Mapping[str, str] | None = None
    elementwise: bool = False
    output: str | None = None
    parameters: Mapping[str, ParameterRole] = field(default_factory=dict)
    reset: Call | None = None
    discover: bool = True

    @property
    def home(self) -> str:
        """The module that is imported."""
        return self.create.module

    def __str__(self) -> str:
        return str(self.create)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkTarget:
    """Something that torch or jax differentiates.

    Attributes
    ----------
    framework
        ``torch`` or ``jax``.
    call
        A function, an ``autograd.Function``, a ``Module``, or what makes one.
    forward
        For a module: its method, where it is another than ``forward``, or with what it is called.
    device
        Where torch computes.
    parameters
        Names of a module's parameters, by the name of the input that stands for it.
    discover
        Whether parameters that the case does not name are verified as well.
    """

    framework: str
    call: Call
    forward: Call | None = None
    device: str = "cpu"
    parameters: Mapping[str, str] = field(default_factory=dict)
    discover: bool = True

    @property
    def home(self) -> str:
        """The module that is imported."""
        return self.call.module

    def __str__(self) -> str:
        return str(self.call)


Target: TypeAlias = LayerTarget | FunctionsTarget | ObjectTarget | FrameworkTarget


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
    cotangent
        What the outputs are weighted with; ``None`` leaves it to the target.
    scale
        What analytic gradients are multiplied with before they are compared, by input; names are dims.
    search_path, preload, absent
        Folders searched for user code, what is imported before it, and packages it may do without; empty for built-ins.
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
    cotangent: str | None
    scale: Mapping[str, float | str]
    search_path: tuple[str, ...]
    preload: tuple[str, ...]
    absent: tuple[str, ...]
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
    memory, max_passes, cotangent, scale, search_path, preload, absent
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
    cotangent: str | None = None
    scale: Mapping[str, float] = field(default_factory=dict)
    search_path: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """What is imported for the case; empty for built-ins."""
        return ",".join((self.target.home, *self.preload, *self.absent)) if self.target.home else ""

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
