"""Names that older code expects of Python and NumPy, and newer versions no longer have; added, never replaced."""

from __future__ import annotations

import collections
import collections.abc
import inspect
import math
import sys
import time
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import describe_error
from gradverify.spec.calls import Call, read_call
from gradverify.targets.arguments import arguments_of, called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Nothing", "hint", "preload", "stand_in_for"]


def preload(names: Iterable[str], load_file: Callable[[Call], Any], load: Callable[[Call], Any]) -> None:
    """Import modules and files, put shims in place and make calls, in this order.

    Parameters
    ----------
    names
        Of a shim, of a module, paths of files, or calls like ``module:set_dtype('float64')``.
    load_file, load
        Import a file, and what a call names.
    """
    for name in names:
        if name in _SHIMS:
            _SHIMS[name]()
        elif name.endswith(".py"):
            load_file(Call(name, Path(name).stem))
        elif ":" in name:
            call = read_call(name)
            called(load(call), *arguments_of(call.arguments or (), {}))
        else:
            import_module(name)


def stand_in_for(packages: Iterable[str]) -> None:
    """Let packages that are not installed be imported all the same: what they hold does nothing."""
    missing = [name for name in packages if name not in sys.modules and find_spec(name) is None]
    if missing:
        sys.meta_path.append(_Absent(frozenset(missing)))


class _Absent:
    """Finds modules that hold whatever they are asked for; a finder and loader as :mod:`importlib.abc` has them.

    Parameters
    ----------
    packages
        The packages whose modules it finds.
    """

    def __init__(self, packages: frozenset[str]) -> None:
        self._packages = packages

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:  # noqa: ARG002  importlib's signature
        """Return the spec of a module of these packages."""
        if fullname.partition(".")[0] not in self._packages:
            return None
        return ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]  # a loader in all but name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module of a spec."""
        return _Empty(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty."""


class _Empty(ModuleType):
    """A module in which every name is there and means nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class _Anything(type):
    """A class that has whatever attribute it is asked for."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing


class Nothing(metaclass=_Anything):
    """Stands in for a class or function: returns what it is given, as a decorator or a progress bar would."""

    def __new__(cls, *arguments: Any, **_: Any) -> Any:
        """Return the first argument where there is one."""
        return arguments[0] if arguments else super().__new__(cls)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        """Return the first argument where there is one."""
        return arguments[0] if arguments else self


def hint(error: BaseException) -> str:
    """Say what a spec can do about an error that older code, or a package that is not there, raises; or nothing."""
    text = describe_error(error) if isinstance(error, (AttributeError, ImportError)) else ""
    for shim, modules in (("old-numpy", ("numpy",)), ("old-python", ("collections", "inspect", "fractions", "time"))):
        if any(f"module '{name}' has no attribute" in text or f"from '{name}'" in text for name in modules):
            return f"; preload: [{shim}] puts back what older code expects"
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return f"; install it, or say absent: [{package}] where your code can do without it"
    return ""


def _add(holder: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name not in vars(holder):
            setattr(holder, name, value)


def _old_numpy() -> None:
    """Put back the names that NumPy 1.24 and 2.0 removed."""
    _add(
        np,
        {
            "int": int,
            "float": float,
            "complex": complex,
            "object": object,
            "str": str,
            "long": int,
            "unicode": str,
            "float_": np.float64,
            "complex_": np.complex128,
            "unicode_": np.str_,
            "string_": np.bytes_,
            "Inf": np.inf,
            "Infinity": np.inf,
            "infty": np.inf,
            "NaN": np.nan,
            "NINF": -np.inf,
            "PINF": np.inf,
            "product": np.prod,
            "cumproduct": np.cumprod,
            "alltrue": np.all,
            "sometrue": np.any,
            "round_": np.round,
            "row_stack": np.vstack,
            "in1d": np.isin,
            "asfarray": lambda a, dtype=np.float64: np.asarray(a, dtype=dtype),
            "trapz": getattr(np, "trapezoid", None),
            "mat": np.asmatrix,
            "asscalar": lambda a: a.item(),
        },
    )


def _old_python() -> None:
    """Put back the names that Python 3.3 to 3.11 removed."""
    import fractions  # noqa: PLC0415  it loads decimal, and few need it

    _add(collections, {name: getattr(collections.abc, name) for name in collections.abc.__all__})
    _add(inspect, {"getargspec": inspect.getfullargspec})
    _add(fractions, {"gcd": math.gcd})
    _add(time, {"clock": time.perf_counter})


_SHIMS = {"old-numpy": _old_numpy, "old-python": _old_python}
