"""What a case verifies, as frozen values: a layer, functions, an object, or what a framework differentiates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from gradverify.spec.network_model import NetworkTarget
from gradverify.spec.site import SiteTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.spec.calls import Call

__all__ = [
    "FRAMEWORKS",
    "FrameworkTarget",
    "FunctionsTarget",
    "LayerTarget",
    "NetworkTarget",
    "ObjectTarget",
    "ParameterRole",
    "Target",
]

FRAMEWORKS = ("torch", "jax")


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
    globals
        Inputs that are global names of the functions' module, and no arguments.
    """

    forward: Call
    backward: Call | None = None
    returns: tuple[str, ...] | None = None
    gradients: tuple[str, ...] | Mapping[str, str] | None = None
    elementwise: bool = False
    arrays: str = "numpy"
    globals: tuple[str, ...] = ()

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
        Methods that make one object ready for the next forward pass; without any every pass has an object of its own.
    discover
        Whether parameters that the case does not name are verified as well.
    constants
        Paths of arrays that are no parameters.
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
    reset: tuple[Call, ...] = ()
    discover: bool = True
    constants: tuple[str, ...] = ()

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


Target: TypeAlias = LayerTarget | FunctionsTarget | ObjectTarget | FrameworkTarget | NetworkTarget | SiteTarget
