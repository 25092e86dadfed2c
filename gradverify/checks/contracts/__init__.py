"""Exact promises of a layer, checked without differences: one small function each, with a stable code.

What each promises, and whether breaking it is a failure, stands in ``gradverify.spec.contract_table``.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from gradverify.checks.contracts.agreement import agreement
from gradverify.checks.contracts.calls import (
    backward_deterministic,
    backward_twice,
    forward_deterministic,
    stale_cache,
)
from gradverify.checks.contracts.cotangent import linear_in_cotangent, zero_cotangent
from gradverify.checks.contracts.dependence import footprint, sample_independence
from gradverify.checks.contracts.finding import Finding, contract, skipped
from gradverify.checks.contracts.layout import layout
from gradverify.checks.contracts.look import Look
from gradverify.checks.contracts.reference import reference_forward, reference_gradients
from gradverify.checks.contracts.returned import arity, coverage, dtype, finite, finite_outputs, shape
from gradverify.checks.contracts.unchanged import cotangent_unchanged, input_unchanged, parameters_unchanged
from gradverify.spec.contract_table import CONTRACTS, OF_A_KIND, OFF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradverify.checks.subject import Subject, Trial
    from gradverify.results import Contract
    from gradverify.spec.model import Case
    from gradverify.targets.protocol import Forward

__all__ = ["contracts_of", "finite_forward"]

# What looks at each; ``None`` where there is nothing of the kind to promise.
_CHECKS: dict[str, Callable[[Look], Finding | None]] = {
    "arity": arity,
    "shape": shape,
    "dtype": dtype,
    "finite": finite,
    "coverage": coverage,
    "agreement": agreement,
    "forward-deterministic": forward_deterministic,
    "backward-deterministic": backward_deterministic,
    "input-unchanged": input_unchanged,
    "cotangent-unchanged": cotangent_unchanged,
    "parameters-unchanged": parameters_unchanged,
    "backward-twice": backward_twice,
    "stale-cache": stale_cache,
    "linear-in-cotangent": linear_in_cotangent,
    "zero-cotangent": zero_cotangent,
    "layout": layout,
    "sample-independence": sample_independence,
    "footprint": footprint,
    "reference-forward": reference_forward,
    "reference-gradients": reference_gradients,
}
# Those that run passes of their own, which slow code is spared.
_RUNNING = {
    "forward-deterministic", "backward-deterministic", "backward-twice", "stale-cache", "linear-in-cotangent",
    "zero-cotangent", "layout", "sample-independence", "footprint",
}  # fmt: skip


def contracts_of(case: Case, subject: Subject, trial: Trial) -> Iterator[Contract]:
    """Return what was found about every contract that is not off, in the order of the table."""
    look = Look(case, subject, trial)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if look.compared is not None:
            look.compared.prepare()
        findings = {code: _looked_at(code, look) for code in CONTRACTS if case.contracts.get(code) != OFF}
    return (contract(code, finding, case) for code, finding in findings.items() if finding is not None)


def finite_forward(case: Case, forward: Forward) -> Contract:
    """Check that the outputs of a forward pass are finite; without that, nothing else is looked at."""
    return contract("finite", finite_outputs(forward), case)


def _looked_at(code: str, look: Look) -> Finding | None:
    """Look at one contract; code that raises in a pass of its own has spoiled that contract alone."""
    if code in OF_A_KIND and look.kind is None and look.compared is None:
        return None
    if look.is_slow and code in _RUNNING and code not in look.case.contracts:
        return skipped(f"a pass takes {look.trial.seconds:.1f} s; a level for it among contracts asks for it")
    try:
        return _CHECKS[code](look)
    except (Exception, SystemExit) as error:  # noqa: BLE001  user code may raise anything
        return skipped(look.said(error))
