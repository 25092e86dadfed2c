"""Confirms gradients without gradverify: plain central differences, and the package's own source with a line corrected.

A right gradient agrees with differences to about ten digits. A wrong one is as far from them with one step as with a
hundredth of it; and where the named line is the cause, the same class with that line corrected agrees.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["confirm", "corrected", "header"]

Arrays: TypeAlias = "Mapping[str, NDArray[Any]]"
# Given arrays by name: what forward returned, and what turns a cotangent into gradients by name.
Run: TypeAlias = "Callable[[Arrays], tuple[NDArray[Any], Callable[[NDArray[Any]], Arrays]]]"

STEPS = (1e-3, 1e-5)


def header() -> None:
    """Print the head of the table."""
    print(f"{'case':40} {'gradient':12} {'h=1e-3':>9} {'h=1e-5':>9} {'corrected':>10}")


def confirm(case: str, made: Run, values: Arrays, correction: Run | None = None) -> None:
    """Print how far every gradient is from central differences, as it is installed and corrected.

    Parameters
    ----------
    case
        The case of the spec with the same layer and geometry.
    made
        Runs the layer as it is installed.
    values
        Inputs and parameters; each is moved.
    correction
        Runs the layer with the named line corrected, forward and backward.
    """
    for name in values:
        installed = [_distance(made, values, name, step) for step in STEPS]
        after = "" if correction is None else f"{_distance(correction, values, name, STEPS[1]):.1e}"
        print(f"{case:40} {name:12} {installed[0]:9.1e} {installed[1]:9.1e} {after:>10}")


def _distance(made: Run, values: Arrays, name: str, step: float) -> float:
    """Return the largest difference between backward and central differences, relative to the largest of either."""
    output, backward = made(_copies(values))
    cotangent = np.random.default_rng(7).standard_normal(np.shape(output)) if np.ndim(output) else np.ones(())
    analytic = np.asarray(backward(cotangent.copy())[name])
    numerical = np.zeros_like(values[name])
    for place in np.ndindex(numerical.shape):
        sums = []
        for sign in (1, -1):
            moved = _copies(values)
            moved[name][place] += sign * step
            sums.append(np.sum(cotangent * made(moved)[0]))
        numerical[place] = (sums[0] - sums[1]) / (2 * step)
    largest = max(np.abs(analytic).max(), np.abs(numerical).max(), 1e-3)
    return float(np.abs(analytic - numerical).max() / largest)


def _copies(values: Arrays) -> dict[str, NDArray[Any]]:
    return {name: np.array(value, dtype=float) for name, value in values.items()}


def corrected(found: type, *changes: tuple[str, str]) -> Any:
    """Return a class made from its installed source with some text replaced; nothing on disk is changed.

    Parameters
    ----------
    found
        The class.
    changes
        What stands there, at least once, and what should.
    """
    source = textwrap.dedent(inspect.getsource(found))
    for old, new in changes:
        if old not in source:
            raise ValueError(f"{found.__name__} has no {old!r}: another version of the package?")
        source = source.replace(old, new)
    names = dict(vars(sys.modules[found.__module__]))
    exec(compile(source, f"{found.__name__} corrected", "exec"), names)  # noqa: S102  the package's own source
    return names[found.__name__]
