"""A spec as a file of tests, and each of its cases as a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gradverify.errors import GradverifyError, SpecError
from gradverify.pytest_plugin.verification import verification_of
from gradverify.pytest_plugin.wording import long_text, short_text
from gradverify.results import Verdict
from gradverify.spec.nodes import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from _pytest._code.code import TerminalRepr

    from gradverify.results import CaseResult
    from gradverify.spec.model import Case

__all__ = ["CaseItem", "SpecFile"]

_Named = tuple[tuple[str, ...], "Case"]


class NotPassedError(Exception):
    """A case that fails, is inconclusive, or could not run; its text is the readable report."""

    def __init__(self, result: CaseResult, *, full: bool) -> None:
        super().__init__("\n".join(long_text(result, full=full)))
        self.result = result


class SpecFile(pytest.File):
    """A spec."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        cases = verification_of(self.config).cases_of(self.path)
        yield from _nodes(self, [(_segments(escaped(case.id)), case) for case in cases])

    def repr_failure(  # type: ignore[override]  # as pytest's own collectors do, without the style
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> str | TerminalRepr:
        error = excinfo.value
        if not isinstance(error, GradverifyError):
            return super().repr_failure(excinfo)
        problem = error.problems[0] if isinstance(error, SpecError) else None
        line, message = (problem.line, problem.message) if problem else (1, str(error))
        return _as_text(excinfo, self.path, line, message)


class CaseGroup(pytest.Collector):
    """Cases whose ids begin alike up to a ``::``, which stands between the nodes of pytest's ids."""

    def __init__(self, *, cases: list[_Named], **others: Any) -> None:
        super().__init__(**others)
        self._cases = cases

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        yield from _nodes(self, self._cases)


class CaseItem(pytest.Item):
    """A case; it runs in a worker process of gradverify's, never in that of pytest."""

    def __init__(self, *, case: Case, **others: Any) -> None:
        super().__init__(**others)
        self.case = case
        self.result: CaseResult | None = None
        self.add_marker("gradverify")
        # The language of -k knows neither the equals sign nor the comma.
        self.extra_keyword_matches.add(self.case.id.replace("=", ":").replace(",", "/"))

    def runtest(self) -> None:
        self.result = verification_of(self.config).result(self)
        if self.result.verdict is Verdict.SKIP:
            pytest.skip(self.result.reason or "")
        if self.result.verdict is not Verdict.PASS:
            raise NotPassedError(self.result, full=self.config.get_verbosity() > 1)

    def repr_failure(  # type: ignore[override]  # as above
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> str | TerminalRepr:
        if not isinstance(excinfo.value, NotPassedError):
            return super().repr_failure(excinfo)
        return _as_text(excinfo, self.path, self.case.line, short_text(excinfo.value.result))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, max(self.case.line - 1, 0), self.name


def _as_text(excinfo: pytest.ExceptionInfo[BaseException], file: Path, line: int, message: str) -> TerminalRepr:
    """Show the text of an exception without a traceback, and a message and place of its own in the summary."""
    shown = excinfo.getrepr(style="value")
    if shown.reprcrash is not None:
        shown.reprcrash.path, shown.reprcrash.lineno, shown.reprcrash.message = str(file), max(line, 1), message
    return shown


def _segments(name: str) -> tuple[str, ...]:
    """Split an id where pytest splits what it is given: at every ``::`` before the first bracket."""
    base, bracket, rest = name.partition("[")
    *groups, last = base.split("::")
    return (*groups, last + bracket + rest)


def _nodes(parent: pytest.Collector, cases: Iterable[_Named]) -> Iterator[pytest.Item | pytest.Collector]:
    """Yield a node for every case, and one for all cases that share a group, where the first of them is."""
    groups: dict[str, list[_Named]] = {}
    ordered: list[tuple[str, Case | None]] = []
    for (first, *others), case in cases:
        if others and first not in groups:
            ordered.append((first, None))
        elif not others:
            ordered.append((first, case))
        if others:
            groups.setdefault(first, []).append((tuple(others), case))
    for name, single in ordered:
        if single is None:
            yield CaseGroup.from_parent(parent, name=name, cases=groups[name])
        else:
            yield CaseItem.from_parent(parent, name=name, case=single)
