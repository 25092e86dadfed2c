"""What torch and jax have in common here: whether they are installed, and how what forward returned is read."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.errors import TargetError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gradverify.targets.protocol import Array

__all__ = ["listed", "require", "widest"]


def require(framework: str) -> None:
    """Import a framework, before any code of the user asks for it.

    Raises
    ------
    TargetError
        It is not installed; the message says what to install. What else its import raises is passed on.
    """
    try:
        importlib.import_module(framework)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {framework, f"{framework}lib"}:
            raise
        message = f"{framework} is not installed; pip install 'gradverify[{framework}]' installs it"
        raise TargetError(message) from None


def widest(arrays: Iterable[Array]) -> np.dtype[Any] | None:
    """Return the real dtype in which all floating and complex arrays have room, or ``None`` where there are none."""
    found = [array.real.dtype for array in arrays if array.dtype.kind in "fc"]
    return np.result_type(*found) if found else None


def listed(result: Any, array: type, wanted: str) -> list[Any]:
    """Return the outputs in one list: what forward returned, or what its tuples and lists hold; ``None`` is no output.

    Parameters
    ----------
    result
        What it returned.
    array
        The framework's class of arrays.
    wanted
        What an array is called.

    Raises
    ------
    TargetError
        There is anything else.
    """
    if isinstance(result, (tuple, list)):
        return [output for item in result if item is not None for output in listed(item, array, wanted)]
    if not isinstance(result, array):
        raise TargetError(f"forward returned a {type(result).__name__}, expected {wanted}, or a tuple or list of them")
    return [result]
