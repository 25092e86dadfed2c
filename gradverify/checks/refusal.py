"""Whether code refuses what a battery asks of it, or breaks: the first is its right, the second a finding."""

from __future__ import annotations

import dis
import sys
from typing import TYPE_CHECKING

from gradverify.errors import GradverifyError, explain_error
from gradverify.results import Verdict
from gradverify.spec.contract_table import OF_A_KIND

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from gradverify.results import Contract
    from gradverify.spec.model import Case

__all__ = ["not_promised", "refusal"]

_REFUSALS = (ValueError, AssertionError, NotImplementedError)
# Contracts that a layer of another kind breaks: all but what is said of its gradients.
_OF_THE_KIND = {*OF_A_KIND} - {"reference-gradients"}
_LIBRARIES = {"numpy", "scipy", "torch", "jax", "jaxlib", "numba", "gradverify"}


def refusal(case: Case, error: BaseException) -> str | None:
    """Say how code refuses a case of a battery, or return ``None`` where it does not.

    Code refuses by a ``raise`` or ``assert`` of its own in its forward pass or constructor; in its backward pass by
    ``NotImplementedError`` alone, since a forward pass that gave an answer owes its gradient. What NumPy raises inside
    it is no refusal.

    Parameters
    ----------
    case
        The case that runs.
    error
        What was raised.
    """
    if case.placed is None or not isinstance(error, Exception):
        return None
    backward = any(_is_backward(frame) for frame, _ in _frames(error.__traceback__))
    kinds = (NotImplementedError,) if backward else _REFUSALS
    if isinstance(error, kinds) and _raised_by_code(error.__traceback__):
        return f"refused: {_said(error, case)}"
    if not case.placed.row.promised and not backward:
        return f"not promised, and not taken: {_said(error, case)}"
    return None


def not_promised(case: Case, contracts: list[Contract]) -> str | None:
    """Say how code computes something else where nothing was promised; ``None`` where it was, or the same."""
    if case.placed is None or case.placed.row.promised:
        return None
    broken = [part.message for part in contracts if part.code in _OF_THE_KIND and part.verdict is Verdict.FAIL]
    return f"not promised, and another function: {broken[0]}" if broken else None


def _said(error: BaseException, case: Case) -> str:
    """Return what was raised and where, in a line."""
    text = explain_error(error, case.search_path) if not isinstance(error, GradverifyError) else str(error)
    return " ".join(text.split())


def _frames(trace: TracebackType | None) -> list[tuple[FrameType, int]]:
    found = []
    while trace is not None:
        found.append((trace.tb_frame, trace.tb_lasti))
        trace = trace.tb_next
    return found


def _is_backward(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return module.startswith("gradverify.targets") and "backward" in frame.f_code.co_name


def _raised_by_code(trace: TracebackType | None) -> bool:
    """Return whether the innermost line is a ``raise`` or ``assert`` of the code itself, not of a library."""
    frames = _frames(trace)
    if not frames:
        return False
    frame, last = frames[-1]
    module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    if module in _LIBRARIES or module in sys.stdlib_module_names - {"__main__"}:
        return False
    return any(step.offset == last and step.opname == "RAISE_VARARGS" for step in dis.get_instructions(frame.f_code))
