"""Calling a function by its name, and saying in one line what went wrong."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, TracebackType

__all__ = ["describe", "explain", "resolve"]

_LONGEST = 1000


def resolve(function: str) -> Callable[[Any], Any]:
    """Import what ``module:callable`` names."""
    module, _, name = function.partition(":")
    found: Callable[[Any], Any] = getattr(import_module(module), name)
    return found


def explain(error: BaseException, search_path: tuple[str, ...]) -> str:
    """Say what was raised and where: ``ZeroDivisionError: division by zero (layers.py, line 3, in forward)``.

    Parameters
    ----------
    error
        What was raised.
    search_path
        The folders of the user's code: the innermost line in one of them is the place named.
    """
    return describe(error) + _place(error.__traceback__, search_path)


def describe(error: BaseException) -> str:
    """Say what was raised: ``ZeroDivisionError: division by zero``."""
    try:
        message = str(error)
    except BaseException as second:  # noqa: BLE001  the text of an error is user code, too
        message = f"(its message raised {type(second).__name__})"
    if len(message) > _LONGEST:
        message = message[:_LONGEST] + "..."
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _place(trace: TracebackType | None, search_path: tuple[str, ...]) -> str:
    """Name the innermost line in the user's folders, or else the innermost of all."""
    lines: list[tuple[CodeType, int]] = []
    while trace is not None:
        lines.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    if not lines:
        return ""
    own = [line for line in lines if search_path and line[0].co_filename.startswith(search_path)]
    code, number = (own or lines)[-1]
    return f" ({code.co_filename}, line {number}, in {code.co_name})"
