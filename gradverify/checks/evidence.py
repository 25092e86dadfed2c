"""The arrays behind a verdict, in NumPy's own format: plain bytes, which cross process borders and load anywhere."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gradverify.results import GeometrySeverity, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gradverify.numerics.findings import Finding
    from gradverify.results import CaseResult

__all__ = ["Evidence", "may_fail"]


def may_fail(result: CaseResult) -> bool:
    """Return whether some policy, or what is expected of the case, can let it fail: not where all is well."""
    clean = all(part.verdict is Verdict.PASS for part in result.contracts)
    exact = all(part.severity is GeometrySeverity.EXACT for part in result.geometry)
    as_expected = result.verdict is Verdict.SKIP or (result.verdict is Verdict.PASS and result.expect is Verdict.PASS)
    return not (as_expected and clean and exact)


@dataclass(slots=True)
class Evidence:
    """What a case was found with, as far as it went.

    Attributes
    ----------
    inputs
        In the dtype under test.
    cotangents
        Of the outputs, in their order.
    gradients
        As backward returned them, by input.
    findings
        With the numerical gradients, where every element was compared.
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    cotangents: tuple[NDArray[Any], ...] = ()
    gradients: Mapping[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def arrays(self) -> dict[str, bytes]:
        """Return each array as the content of an ``.npy`` file; none where memory runs out: a verdict is worth more.

        They are called ``inputs/x``, ``cotangent``, ``cotangent2``, ..., ``analytic/x``, ``numerical/x`` and
        ``error_bar/x``.
        """
        try:
            return {name: _file(np.asarray(value)) for name, value in self._named() if _is_plain(value)}
        except MemoryError:
            return {}

    def _named(self) -> Iterator[tuple[str, Any]]:
        """Yield names and values; no inputs that overflow their dtype, which no spec accepts from a file."""
        for name, value in self.inputs.items():
            if np.all(np.isfinite(value)):
                yield f"inputs/{name}", value
        for number, weight in enumerate(self.cotangents, 1):
            yield ("cotangent" if number == 1 else f"cotangent{number}"), weight
        for name, value in self.gradients.items():
            yield f"analytic/{name}", value
        for finding in self.findings:
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
