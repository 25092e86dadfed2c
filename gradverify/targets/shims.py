"""Names that older code expects of Python and NumPy, and newer versions no longer have; added, never replaced."""

from __future__ import annotations

import collections
import collections.abc
import fractions
import inspect
import math
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.spec.calls import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["preload"]


def preload(names: Iterable[str], load_file: Callable[[Call], Any]) -> None:
    """Import modules and files, and put shims in place, in this order; each is done once.

    Parameters
    ----------
    names
        Of a shim, of a module, or paths of files.
    load_file
        Imports a file.
    """
    for name in names:
        if name in _SHIMS:
            _SHIMS[name]()
        elif name.endswith(".py"):
            load_file(Call(name, Path(name).stem))
        else:
            import_module(name)


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
    _add(collections, {name: getattr(collections.abc, name) for name in collections.abc.__all__})
    _add(inspect, {"getargspec": inspect.getfullargspec})
    _add(fractions, {"gcd": math.gcd})
    _add(time, {"clock": time.perf_counter})


_SHIMS = {"old-numpy": _old_numpy, "old-python": _old_python}
