"""What looking at one contract found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.results import Contract, Severity, Verdict
from gradverify.spec.contract_table import CONTRACTS, OFF

if TYPE_CHECKING:
    from gradverify.spec.model import Case

__all__ = ["Finding", "broken", "contract", "kept", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a contract is kept.

    Attributes
    ----------
    verdict
        ``skip`` where that could not be found out.
    message
        What is kept, or what is wrong, in one line.
    milder
        Whether this way of breaking it is a warning though the contract is a failure.
    about
        The inputs for which it was looked at, where that is not all of them.
    """

    verdict: Verdict
    message: str
    milder: bool = False
    about: tuple[str, ...] = ()


def kept(message: str, about: tuple[str, ...] = ()) -> Finding:
    """Return that a contract is kept."""
    return Finding(Verdict.PASS, message, about=about)


def broken(problems: list[str], *, milder: bool = False) -> Finding:
    """Return that a contract is broken, with all that is wrong."""
    return Finding(Verdict.FAIL, "; ".join(problems), milder)


def skipped(why: str) -> Finding:
    """Return that it was not found out whether a contract is kept."""
    return Finding(Verdict.SKIP, f"not looked at: {why}")


def contract(code: str, finding: Finding, case: Case) -> Contract:
    """Return a finding as a contract, with the severity that the spec gives it, or else the table.

    What is off is not looked at, but for outputs that are not finite: nothing else can be, then.
    """
    said = case.contracts.get(code)
    usual = Severity.WARNING if finding.milder else CONTRACTS[code].severity
    severity = usual if said in {None, OFF} else Severity(said)
    return Contract(code=code, verdict=finding.verdict, severity=severity, message=finding.message, about=finding.about)
