"""JSON lines: every case as soon as it is known, and last what the document says of the whole."""

from __future__ import annotations

import io
import json

import pytest
from drawn_reports import UNHURRIED, reports
from hypothesis import given
from made_reports import case_result, rendered, report_of

from gradverify.reporters import Appearance, reporter
from gradverify.results import Plan, Verdict


def read(text: str) -> list[dict]:
    """Return the objects of the lines, each strict JSON."""
    lines = text.split("\n")
    assert lines.pop() == ""
    return [json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON")) for line in lines]


@UNHURRIED
@given(reports())
def test_any_report_is_the_document_in_lines(report):
    *cases, whole = read(rendered("jsonl", report))
    document = json.loads(rendered("json", report))
    assert cases == [{"type": "case", **case} for case in document.pop("cases")]
    assert whole == {"type": "report", **document}


def test_the_type_stands_first_and_is_no_field_of_the_document():
    case, whole = read(rendered("jsonl", report_of(case_result("a", Verdict.FAIL))))
    assert (next(iter(case)), next(iter(whole))) == ("type", "type")
    document = json.loads(rendered("json", report_of(case_result("a", Verdict.FAIL))))
    assert "type" not in document
    assert "type" not in document["cases"][0]


class Reader(io.StringIO):
    """A stream that knows what its reader has got: what was written before the last flush."""

    got = ""

    def flush(self) -> None:
        self.got = self.getvalue()


def test_a_line_is_out_before_the_next_case_is_known():
    stream = Reader()
    made = reporter("jsonl", stream, Appearance())
    first, second = case_result("a"), case_result("b")
    made.start(Plan(version="1.2.3", command="run", seed=0, cases=(first.id, second.id)))
    assert stream.got == ""
    made.case(first)
    assert [line["name"] for line in read(stream.got)] == ["a"]
    made.case(second)
    assert [line["name"] for line in read(stream.got)] == ["a", "b"]
    made.finish(report_of(first, second))
    assert [line["type"] for line in read(stream.got)] == ["case", "case", "report"]
