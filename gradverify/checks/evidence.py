"""The arrays behind a verdict, in NumPy's own format: plain bytes, which cross process borders and load anywhere."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.results import GeometrySeverity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from gradverify.checks.subject import Subject, Trial
    from gradverify.numerics.findings import Finding
    from gradverify.results import CaseResult

__all__ = ["arrays_of", "may_fail"]


def may_fail(result: CaseResult) -> bool:
    """Return whether some policy, or what is expected of the case, can let it fail: not where all is well."""
    clean = all(part.verdict is Verdict.PASS for part in result.contracts)
    exact = all(part.severity is GeometrySeverity.EXACT for part in result.geometry)
    as_expected = result.verdict is Verdict.SKIP or (result.verdict is Verdict.PASS and result.expect is Verdict.PASS)
    return not (as_expected and clean and exact)


def arrays_of(subject: Subject, trial: Trial | None, findings: Iterable[Finding]) -> dict[str, bytes]:
    """Return what a case was found with, each array as the content of an ``.npy`` file.

    Parameters
    ----------
    subject
        Gives ``inputs/x``, in the dtype under test.
    trial
        Gives ``cotangent``, ``cotangent2``, ... and ``analytic/x``, as backward returned it; ``None`` where there was
        none.
    findings
        Give ``numerical/x`` and ``error_bar/x``, where every element was compared.

    Nothing is returned where memory runs out: a verdict is worth more.
    """
    try:
        named = [*_of_subject(subject), *(_of_trial(trial) if trial else ()), *_of_findings(findings)]
        return {name: _file(np.asarray(value)) for name, value in named if _is_plain(value)}
    except MemoryError:
        return {}


def _of_subject(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Yield the inputs; not those that overflow their dtype, which no spec accepts from a file."""
    for name, value in subject.inputs.items():
        if np.all(np.isfinite(value)):
            yield f"inputs/{name}", value


def _of_trial(trial: Trial) -> Iterator[tuple[str, Any]]:
    for number, weight in enumerate(trial.cotangents, 1):
        yield ("cotangent" if number == 1 else f"cotangent{number}"), weight
    for name, value in trial.gradients.values.items():
        yield f"analytic/{name}", value


def _of_findings(findings: Iterable[Finding]) -> Iterator[tuple[str, Any]]:
    for finding in findings:
        yield f"numerical/{finding.check.input}", finding.numerical
        yield f"error_bar/{finding.check.input}", finding.bar


def _is_plain(value: Any) -> bool:
    """Return whether a value is an array of numbers, which needs no pickle; gradients may be anything."""
    try:
        return value is not None and np.asarray(value).dtype.kind in "biufc"
    except (TypeError, ValueError):  # lists of unlike lengths, say
        return False


def _file(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()
