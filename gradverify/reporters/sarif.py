"""The report as SARIF 2.1.0, for code scanning: every finding with its rule, its place and a fingerprint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gradverify.reporters.findings import Finding, Level, findings_of
from gradverify.reporters.identity import fingerprinted, project_path
from gradverify.reporters.whole import WholeReporter
from gradverify.reporters.words import printable
from gradverify.results import Severity, Verdict
from gradverify.rules import RULES, Rule
from gradverify.rules.pages import page
from gradverify.spec.contract_table import CONTRACTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradverify.results import Report

__all__ = ["SarifReporter"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# Code scanning rejects a file with more results, and shows the first 5000.
_MOST_RESULTS = 25_000
# What a finding is unless a policy or a spec says otherwise, where that is no error.
_USUAL = {
    **{promise.rule: Level.WARNING for promise in CONTRACTS.values() if promise.severity is Severity.WARNING},
    "GV202": Level.WARNING,
    "GV203": Level.WARNING,
    "GV204": Level.NOTE,
}
# What rules are about, by the digit behind GV.
_ABOUT = {"1": "gradients", "2": "geometry", "3": "specs", "4": "contracts", "9": "execution"}


class SarifReporter(WholeReporter):
    """Writes one document when the run is finished."""

    def finish(self, report: Report) -> None:
        """Write the document."""
        document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, self._appearance.root)]}
        json.dump(document, self._stream, indent=2, allow_nan=False, ensure_ascii=True)
        self._stream.write("\n")


def _run(report: Report, root: str | None) -> dict[str, Any]:
    """Return the one run: errors first, since a reader with a limit takes what comes first."""
    found = sorted(fingerprinted(findings_of(report), root), key=lambda pair: pair[0].level.rank)
    rules = sorted({finding.rule.id for finding, _ in found})
    placed = [pair for pair in found if pair[0].file]  # a result without a place would make the whole file be refused
    shown = placed[:_MOST_RESULTS]
    driver = {"name": "gradverify", "version": report.version, "rules": [_rule(RULES[rule]) for rule in rules]}
    return {
        "tool": {"driver": driver},
        "invocations": [_invocation(report, [finding for finding, _ in found], len(placed) - len(shown), root)],
        "columnKind": "unicodeCodePoints",
        "results": [
            {**_result(finding, rules, root), "partialFingerprints": _fingerprints(mark), **_accepted(finding)}
            for finding, mark in shown
        ],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    title = f"{rule.title[0].upper()}{rule.title[1:]}."
    return {
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": title},
        "fullDescription": {"text": title},
        "help": {"text": page(rule.id), "markdown": page(rule.id)},
        "defaultConfiguration": {"level": _USUAL.get(rule.id, Level.ERROR).value},
        "properties": {"tags": [_ABOUT[rule.id[2]]]},
    }


def _result(finding: Finding, rules: Sequence[str], root: str | None) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": rules.index(finding.rule.id),
        "level": finding.level.value,
        **_said(finding, root),
    }


def _said(finding: Finding, root: str | None) -> dict[str, Any]:
    """Return the message of a finding, with the case that it is about, and its place where it has one."""
    message = {"message": {"text": printable(finding.of_case)}}
    if not finding.file:
        return message
    # A colon in a relative path would read as a scheme.
    uri = quote(project_path(finding.file, root))
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        column = {"startColumn": finding.column} if finding.column else {}
        physical["region"] = {"startLine": finding.line, **column}
    return {**message, "locations": [{"physicalLocation": physical}]}


def _fingerprints(mark: str) -> dict[str, str]:
    """Return a fingerprint under its own name, and under the only one that code scanning on GitHub looks at.

    Without the second one it would be computed from the line, which all cases of a sweep share.
    """
    return {"gradverify/v1": mark, "primaryLocationLineHash": mark}


def _accepted(finding: Finding) -> dict[str, Any]:
    """Return that a violation is allowed by its spec or held by a baseline, and why."""
    if finding.case is None or not finding.accepted:
        return {}
    kind = "inSource" if finding.about in finding.case.judgement.allowed_axes else "external"
    why = printable(finding.case.reason or "allowed by the spec")
    return {"suppressions": [{"kind": kind, "status": "accepted", "justification": why}]}


def _invocation(report: Report, findings: Sequence[Finding], left_out: int, root: str | None) -> dict[str, Any]:
    """Return how the run went: what was not run, or not to its end, is told apart from what was found."""
    invalid = [finding for finding in findings if finding.case is None or not finding.file]
    raised = [finding for finding in findings if finding.case is not None and finding.case.verdict is Verdict.ERROR]
    broken = [_notification(finding, root) for finding in raised if finding.level is Level.ERROR]
    if report.interrupted:
        broken.append({"level": "error", "message": {"text": "Interrupted: results are those of what had finished."}})
    if left_out:
        more = f"{left_out} more results are left out: a file may hold {_MOST_RESULTS}."
        broken.append({"level": "warning", "message": {"text": more}})
    return {
        "executionSuccessful": not (invalid or raised or report.interrupted),
        "exitCode": report.exit_code,
        "toolConfigurationNotifications": [_notification(finding, root) for finding in invalid],
        "toolExecutionNotifications": broken,
    }


def _notification(finding: Finding, root: str | None) -> dict[str, Any]:
    return {"level": finding.level.value, "associatedRule": {"id": finding.rule.id}, **_said(finding, root)}
