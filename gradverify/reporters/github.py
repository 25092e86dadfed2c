"""Annotations for GitHub: workflow commands that point at specs, worst first, no more than a step shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradverify.exit_codes import ExitCode
from gradverify.reporters.findings import Finding, Level, findings_of_case, findings_of_files
from gradverify.reporters.identity import project_path
from gradverify.reporters.likeness import alike
from gradverify.reporters.whole import WholeReporter
from gradverify.reporters.words import count, printable, summary
from gradverify.results import WORST_FIRST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradverify.results import CaseResult, Report

__all__ = ["GithubReporter"]

# Of one step, GitHub shows no more; what goes beyond is dropped without a word. See docs/formats.md.
_MOST = 10
_LONGEST_TITLE = 255
_MOST_IDS = 20
_ELSEWHERE = "the step summary and the reports of other formats hold all of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Annotation:
    """One box beside a line: what was found of one case and of those that are like it, or one problem of a file."""

    level: str
    title: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0

    def command(self, root: str | None) -> str:
        """Return the workflow command, on one line."""
        place = {"file": project_path(self.file, root), "line": str(self.line or ""), "col": str(self.column or "")}
        title = " ".join(printable(self.title).split())[:_LONGEST_TITLE]
        named = {**(place if self.file else {}), "title": title}
        properties = ",".join(f"{name}={_property(value)}" for name, value in named.items() if value)
        return f"::{self.level} {properties}::{_data(printable(self.message))}"


class GithubReporter(WholeReporter):
    """Writes annotations when the run is finished, since the worst come first; nothing where nothing was found."""

    def finish(self, report: Report) -> None:
        """Write the annotations, and how many more there would be."""
        found = _annotations(report)
        shown = found if len(found) <= _MOST else found[: _MOST - 1]
        lines = [annotation.command(self._appearance.root) for annotation in shown]
        if len(shown) < len(found):
            more = f"{count(len(found) - len(shown), 'more annotation')}: {_ELSEWHERE}"
            lines.append(_Annotation(level="notice", title="gradverify", message=more).command(self._appearance.root))
        self._stream.writelines(f"{line}\n" for line in lines)


def _annotations(report: Report) -> list[_Annotation]:
    """Return what there is to annotate, worst first."""
    problems = [_of_problem(found) for found in findings_of_files(report)]
    nothing = [_empty(report)] if report.exit_code == ExitCode.EMPTY else []
    cases = sorted(report.cases, key=lambda case: WORST_FIRST.index(case.verdict))
    return [*problems, *nothing, *(_of_cases(group) for group in _alike([case for case in cases if _told(case)]))]


def _alike(cases: list[CaseResult]) -> Iterator[tuple[CaseResult, ...]]:
    """Yield cases of which the same is found together: nine of one sweep would leave room for one other."""
    for group in alike(cases):
        by_findings: dict[tuple[tuple[str, str], ...], list[CaseResult]] = {}
        for case in group:
            told = _told(case)
            worst = tuple((found.rule.id, found.about) for found in told if found.level is told[0].level)
            by_findings.setdefault(worst, []).append(case)
        yield from map(tuple, by_findings.values())


def _told(case: CaseResult) -> list[Finding]:
    """Return what was found of a case, worst first, without what is accepted or harmless."""
    found = [finding for finding in findings_of_case(case) if finding.level is not Level.NOTE]
    return sorted(found, key=lambda finding: finding.level.rank)


def _of_cases(cases: tuple[CaseResult, ...]) -> _Annotation:
    """Return one annotation with all findings of a case, and the ids of those that are alike."""
    case, *others = cases
    findings = _told(case)
    lines = [str(finding) for finding in findings]
    lines += [f"reproduce: {case.reproduce}"] if case.reproduce is not None else []
    title = f"{findings[0].rule.id} {case.id}"
    if others:
        more = count(len(others), "more case")
        ids = [other.id for other in others[:_MOST_IDS]] + ["..."] * (len(others) > _MOST_IDS)
        lines.append(f"the same in {more}: {', '.join(ids)}")
        title = f"{title} and {more}"
    return _annotation(findings[0], title=title, lines=lines)


def _of_problem(found: Finding) -> _Annotation:
    return _annotation(found, title=f"{found.rule.id} {found.rule.name}", lines=[found.message])


def _empty(report: Report) -> _Annotation:
    """Return what fails the step although nothing was found: that nothing ran."""
    return _Annotation(level="error", title="gradverify", message=summary(report))


def _annotation(found: Finding, title: str, lines: Iterable[str]) -> _Annotation:
    return _Annotation(
        level=found.level.value,
        title=title,
        message="\n".join(lines),
        file=found.file,
        line=found.line,
        column=found.column,
    )


def _data(text: str) -> str:
    """Return text as the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return text as the value of a property of a workflow command."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
