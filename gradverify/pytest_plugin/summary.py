"""What the cases of a run say together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradverify.checks.conditions import conditions_of
from gradverify.pytest_plugin.wording import result_from
from gradverify.reporters.words import condition_text, count, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["summary_lines"]


def summary_lines(found: Sequence[dict[str, object]], *, quiet: bool) -> list[str]:
    """Return what separates failing cases from passing ones, and how many of these have warnings, in lines.

    Parameters
    ----------
    found
        What was handed on of every result.
    quiet
        Whether to leave warnings out.
    """
    results = [result_from(data) for data in found]
    many = len({result.spec for result in results}) > 1
    lines = [printable(condition_text(condition, of_many_specs=many)) for condition in conditions_of(results)]
    warned = sum(bool(data["warned"]) for data in found)
    if warned and not quiet:
        verb = "has" if warned == 1 else "have"
        lines.append(f"{count(warned, 'passing case')} {verb} warnings (-rP shows them)")
    return lines
