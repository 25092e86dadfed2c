"""The report as JUnit XML, which every CI system reads: a suite for each spec, a test case for each case.

The dialect is the narrow one that Jenkins' xUnit plugin validates against and pytest writes by default: no attribute or
element that a strict reader refuses. Without a time stamp the same findings give the same file, but for their seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO
from xml.etree import ElementTree as ET

from gradverify.reporters.explanation import readable
from gradverify.reporters.findings import Finding, Level, findings_of, findings_of_case
from gradverify.reporters.words import printable
from gradverify.results import CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gradverify.reporters import Appearance
    from gradverify.results import Plan, Report

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


class JUnitReporter:
    """Writes one document when the run is finished.

    Parameters
    ----------
    stream
        Where it goes.
    appearance
        Not used: the document is for machines.
    """

    def __init__(self, stream: TextIO, appearance: Appearance) -> None:
        self._stream = stream
        self._appearance = appearance

    def start(self, plan: Plan) -> None:
        """Write nothing yet."""

    def case(self, result: CaseResult) -> None:
        """Write nothing yet."""

    def finish(self, report: Report) -> None:
        """Write the document; in ASCII, which no stream spoils."""
        root = _document(report)
        ET.indent(root)
        self._stream.write(ET.tostring(root, encoding="us-ascii", xml_declaration=True).decode("ascii") + "\n")


def _document(report: Report) -> ET.Element:
    problems, cases = _by_file(findings_of(report), report.cases)
    suites = [_suite(file, [_problem(found) for found in wrong], report) for file, wrong in problems.items()]
    suites += [_suite(spec, [_case(case) for case in of_spec], report) for spec, of_spec in cases.items()]
    root = _element("testsuites", name="gradverify", **_totals([case for suite in suites for case in suite]))
    del root.attrib["skipped"]  # which the dialect knows of suites alone
    root.extend(suites)
    return root


def _by_file(
    findings: Iterable[Finding], cases: Sequence[CaseResult]
) -> tuple[dict[str, list[Finding]], dict[str, list[CaseResult]]]:
    """Return what is wrong with files and the cases, by file, in the order in which the files appear."""
    problems: dict[str, list[Finding]] = {}
    for found in findings:
        if found.case is None:
            problems.setdefault(found.file or _NOWHERE, []).append(found)
    specs: dict[str, list[CaseResult]] = {}
    for case in cases:
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
        errors = [_sentence(part) for part in found if part.level is Level.ERROR]
        made.append(_element(tag, readable(case), type=case.verdict, message="; ".join(errors)))
    lesser = [f"{part.level}: {_sentence(part)}" for part in found if part.level is not Level.ERROR]
    if lesser:
        made.append(_element("system-out", "\n".join(lesser)))
    return made


def _problem(found: Finding) -> ET.Element:
    place = f"{found.file}:{found.line}:{found.column}" if found.line else found.file or _NOWHERE
    made = _element("testcase", classname=found.file or _NOWHERE, name=f"{found.rule.name} {place}", time="0.000")
    made.append(_element("error", f"{place}: {found.message}", type=found.rule.name, message=_sentence(found)))
    return made


def _sentence(found: Finding) -> str:
    return f"{found.rule.id} {found.message}"


def _element(tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    """Return an element without characters that XML forbids: control characters, lone surrogates."""
    made = ET.Element(tag, {name: printable(value) for name, value in attributes.items()})
    made.text = None if text is None else printable(text)
    return made
