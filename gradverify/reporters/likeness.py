"""Which cases of one name say the same, so that one of them is explained for all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gradverify.results import Severity, Verdict

if TYPE_CHECKING:
    from gradverify.results import CaseResult

__all__ = ["alike"]

_NUMBERS = re.compile(r"[-+]?\d[\d.]*(e[-+]?\d+)?")


def alike(cases: list[CaseResult]) -> list[tuple[CaseResult, ...]]:
    """Return cases that do not pass in groups: of each name those that break the same promises in the same inputs.

    Errors are alike where their text is, numbers aside: a crash on the same line with another shape. Layers of a
    network are alike where their windows are.
    """
    groups: dict[Any, list[CaseResult]] = {}
    for case in cases:
        groups.setdefault(_likeness(case), []).append(case)
    return [tuple(group) for group in groups.values()]


def _likeness(case: CaseResult) -> tuple[Any, ...]:
    broken = tuple(
        contract.code
        for contract in case.contracts
        if contract.verdict is not Verdict.PASS and contract.severity is Severity.FAILURE
    )
    wrong = tuple(
        (gradient.input, gradient.verdict, gradient.compared > 0)
        for gradient in case.gradients
        if gradient.verdict is not Verdict.PASS
    )
    said = "" if broken or wrong else _NUMBERS.sub("", case.reason or "")
    if case.network is not None:
        return case.spec, case.network, case.verdict, case.target, case.geometry, said
    return case.spec, case.name, case.verdict, broken, wrong, said
