"""What pytest shows of a case, and hands on."""

from __future__ import annotations

import base64
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

from gradverify.reporters.explanation import assurances, explain, title_of
from gradverify.reporters.findings import Level, findings_of_case
from gradverify.reporters.words import printable
from gradverify.results import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradverify.results import CaseResult

__all__ = ["data_of", "long_text", "note_lines", "result_from", "short_text"]


def long_text(result: CaseResult, *, full: bool) -> Iterator[str]:
    """Yield the lines of a case that does not pass, as a terminal shows it."""
    yield printable(title_of(result))
    yield from map(printable, explain(result, full=full))
    if result.reproduce is not None:
        yield printable(f"     reproduce: {result.reproduce}")


def short_text(result: CaseResult) -> str:
    """Return why a case does not pass in a line."""
    worst = next((found for found in findings_of_case(result) if found.level is Level.ERROR), None)
    return result.verdict.value if worst is None else printable(f"{worst.rule.id} {worst.message}")


def note_lines(result: CaseResult, *, full: bool) -> Iterator[str]:
    """Yield what there is to say about a case that passes."""
    if result.verdict is Verdict.PASS:
        yield from map(printable, explain(result, full=full))
        yield from () if full else map(printable, assurances(result))


def data_of(result: CaseResult) -> dict[str, object]:
    """Return what the summary needs of a result, as text and truth values: xdist sends it to another process."""
    warned = result.verdict is Verdict.PASS and any(found.level is Level.WARNING for found in findings_of_case(result))
    slim = replace(result, contracts=(), gradients=(), arrays={}, reproduce=None, reason=None)
    return {"warned": warned, "result": base64.b64encode(pickle.dumps(slim)).decode("ascii")}


def result_from(data: dict[str, object]) -> CaseResult:
    """Return the result that such data was made of, without its parts."""
    result: CaseResult = pickle.loads(base64.b64decode(str(data["result"])))  # noqa: S301  from a process of this run
    return result
