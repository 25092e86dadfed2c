"""The report as JUnit XML, which every CI system reads: a suite for each spec, a test case for each case.

The dialect is the narrow one that Jenkins' xUnit plugin validates against and pytest writes by default: no attribute or
element that a strict reader refuses. Without a time stamp the same findings give the same file, but for their seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from gradverify.reporters.explanation import readable
from gradverify.reporters.findings import Finding, Level, findings_of_case, findings_of_files
from gradverify.reporters.whole import WholeReporter
from gradverify.reporters.words import printable, summary
from gradverify.results import CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradverify.results import Report

__all__ = ["JUnitReporter"]

# What becomes of a case; an inconclusive one is a failure, whose type says that it is none of a wrong gradient.
_TAGS = {
    Verdict.FAIL: "failure",
    Verdict.INCONCLUSIVE: "failure",
    Verdict.ERROR: "error",
    Verdict.SKIP: "skipped",
}
# Where a problem is in no file.
_NOWHERE = "gradverify"


class JUnitReporter(WholeReporter):
    """Writes one document when the run is finished."""

    def finish(self, report: Report) -> None:
        """Write the document; in ASCII, which no stream spoils."""
        root = _document(report)
        ET.indent(root)
        self._stream.write(ET.tostring(root, encoding="us-ascii", xml_declaration=True).decode("ascii") + "\n")


def _document(report: Report) -> ET.Element:
    problems, cases = _by_file(report)
    suites = [_suite(file, [_problem(found) for found in wrong], report) for file, wrong in problems.items()]
    suites += [_suite(spec, [_case(case) for case in of_spec], report) for spec, of_spec in cases.items()]
    if report.interrupted:
        suites.append(_suite(_NOWHERE, [_interrupted(report)], report))
    root = _element("testsuites", name="gradverify", **_totals([case for suite in suites for case in suite]))
    del root.attrib["skipped"]  # which the dialect knows of suites alone
    root.extend(suites)
    return root


def _by_file(report: Report) -> tuple[dict[str, list[Finding]], dict[str, list[CaseResult]]]:
    """Return what is wrong with files and the cases, by file, in the order in which the files appear."""
    problems: dict[str, list[Finding]] = {}
    for found in findings_of_files(report):
        problems.setdefault(found.file or _NOWHERE, []).append(found)
    specs: dict[str, list[CaseResult]] = {}
    for case in report.cases:
        specs.setdefault(case.spec, []).append(case)
    return problems, specs


def _suite(file: str, cases: list[ET.Element], report: Report) -> ET.Element:
    suite = _element("testsuite", name=file, file=file, **_totals(cases))
    properties = ET.SubElement(suite, "properties")
    run = {"gradverify": report.version, "command": report.command, "seed": str(report.seed)}
    for name, value in {**run, "exit_code": str(report.exit_code)}.items():
        properties.append(_element("property", name=name, value=value))
    suite.extend(cases)
    return suite


def _totals(cases: Sequence[ET.Element]) -> dict[str, str]:
    """Return how many test cases there are and how long they took, as attributes; other elements are passed over."""
    tests = [case for case in cases if case.tag == "testcase"]
    tags = [part.tag for case in tests for part in case]
    seconds = sum(float(case.get("time", "0")) for case in tests)
    return {
        "tests": str(len(tests)),
        "failures": str(tags.count("failure")),
        "errors": str(tags.count("error")),
        "skipped": str(tags.count("skipped")),
        "time": f"{seconds:.3f}",
    }


def _case(case: CaseResult) -> ET.Element:
    made = _element("testcase", classname=case.spec, name=case.id, time=f"{case.seconds:.3f}")
    found = findings_of_case(case)
    tag = _TAGS.get(case.verdict)
    if tag == "skipped":
        made.append(_element(tag, type=case.verdict, message=case.reason or ""))
    elif tag is not None:
        errors = [str(part) for part in found if part.level is Level.ERROR]
        made.append(_element(tag, readable(case), type=case.verdict, message="; ".join(errors)))
    lesser = [f"{part.level}: {part}" for part in found if part.level is not Level.ERROR]
    if lesser:
        made.append(_element("system-out", "\n".join(lesser)))
    return made


def _problem(found: Finding) -> ET.Element:
    place = found.place or _NOWHERE
    made = _element("testcase", classname=found.file or _NOWHERE, name=f"{found.rule.name} {place}", time="0.000")
    made.append(_element("error", f"{place}: {found.message}", type=found.rule.name, message=str(found)))
    return made


def _interrupted(report: Report) -> ET.Element:
    """Return a test case that does not pass: what had finished may, and says nothing about the rest."""
    made = _element("testcase", classname=_NOWHERE, name="interrupted", time="0.000")
    made.append(_element("error", type="interrupted", message=summary(report)))
    return made


def _element(tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Return an element without characters that XML forbids: control characters, lone surrogates."""
    made = ET.Element(tag, {name: printable(value) for name, value in attributes.items()})
    made.text = None if text is None else printable(text)
    return made
