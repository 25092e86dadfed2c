"""The report as GitLab's code quality: a list of findings, told apart from one pipeline to the next by fingerprints."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gradverify.reporters.findings import Finding, Level, findings_of
from gradverify.reporters.identity import fingerprinted, project_path
from gradverify.reporters.whole import WholeReporter
from gradverify.reporters.words import printable

if TYPE_CHECKING:
    from gradverify.results import Report

__all__ = ["GitlabReporter"]

_SEVERITIES = {Level.ERROR: "critical", Level.WARNING: "minor", Level.NOTE: "info"}
# Errors that say no more than that nobody knows whether it is right: inconclusive, or it could not run.
_UNDECIDED = ("GV104", "GV9")


class GitlabReporter(WholeReporter):
    """Writes one document when the run is finished."""

    def finish(self, report: Report) -> None:
        """Write the document, without what is accepted: GitLab has no word for it."""
        found = fingerprinted(findings_of(report), self._appearance.root)
        listed = [_issue(finding, mark, self._appearance.root) for finding, mark in found if not finding.accepted]
        json.dump(listed, self._stream, indent=2, ensure_ascii=True)
        self._stream.write("\n")


def _issue(finding: Finding, mark: str, root: str | None) -> dict[str, Any]:
    return {
        "description": printable(finding.of_case),
        "check_name": f"{finding.rule.id} {finding.rule.name}",
        "fingerprint": mark,
        "severity": _severity(finding),
        # A file as a whole is shown at its beginning, and what is in no file at the project.
        "location": {"path": project_path(finding.file, root) or ".", "lines": {"begin": finding.line or 1}},
    }


def _severity(finding: Finding) -> str:
    if finding.case is None:
        return "blocker"  # nothing was run
    return "major" if finding.rule.id.startswith(_UNDECIDED) else _SEVERITIES[finding.level]
