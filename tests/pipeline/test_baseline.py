"""What a baseline accepts, what it holds afterwards, and what is wrong with files that are none."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from case_results import case_result
from hypothesis import given, settings
from hypothesis import strategies as st

from gradverify.errors import UsageError
from gradverify.numerics.geometry import Window, measure
from gradverify.pipeline.baseline import Accepted, Baseline, account, read_baseline
from gradverify.results import CaseResult, GeometrySeverity

DATA, PADDING = measure("H", Window(224, 11, 4)), measure("H", Window(224, 7, 2, (3, 3)))
WORSE, IMPOSSIBLE = measure("H", Window(226, 11, 4)), measure("H", Window(2, 3))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ACCEPTED = st.builds(
    Accepted,
    spec=TEXT,
    case=TEXT,
    axis=st.sampled_from("HW"),
    severity=st.sampled_from([severity.value for severity in GeometrySeverity]),
    residual=st.integers(0, 5),
    unread_data=st.integers(0, 5),
)


def result(name="conv", spec="net.yaml", **changes) -> CaseResult:
    return case_result(id=name, name=name, spec=spec, **changes)


def holding(*found) -> Baseline:
    """Return a baseline that holds a geometry of a case each."""
    empty = Baseline("b.json", {})
    entries = [empty.entry(case, geometry) for case, geometry in found]
    return Baseline("b.json", {entry.place: entry for entry in entries})


@settings(deadline=None)
@given(st.lists(ACCEPTED, max_size=5))
def test_a_baseline_reads_what_it_wrote(tmp_path_factory, entries):
    baseline = Baseline("b.json", {entry.place: entry for entry in entries})
    file = tmp_path_factory.mktemp("baselines") / "b.json"
    file.write_text(baseline.text(), encoding="utf-8")
    assert read_baseline(str(file), must_exist=True).accepted == baseline.accepted


def test_the_file_is_sorted_and_has_a_line_for_each_violation():
    several = holding((result("b"), DATA), (result("a"), DATA))
    lines = several.text().splitlines()
    assert [json.loads(line.strip().rstrip(","))["case"] for line in lines if '"case"' in line] == ["a", "b"]
    assert holding().text() == '{\n  "version": 1,\n  "accepted": []\n}\n'


@pytest.mark.parametrize(
    ("held", "found", "accepted"),
    [
        (DATA, DATA, True),
        (PADDING, PADDING, True),
        (DATA, PADDING, True),  # milder, and no larger
        (PADDING, DATA, False),
        (DATA, WORSE, False),
        (WORSE, DATA, True),
        (DATA, IMPOSSIBLE, False),
        (IMPOSSIBLE, IMPOSSIBLE, True),
    ],
)
def test_what_is_no_worse_is_accepted(held, found, accepted):
    assert holding((result(), held)).accepts(result(), found) is accepted


def test_neither_what_is_lost_nor_the_residual_may_grow():
    held = Baseline("b.json", {}).entry(result(), DATA)
    assert (held.severity, held.residual, held.unread_data) == ("data-lost", 1, 1)
    unread = Baseline("b.json", {}).entry(result(), PADDING)
    assert (unread.severity, unread.residual, unread.unread_data) == ("padding-unread", 1, 0)
    several = replace(held, residual=3, unread_data=2)
    assert several.covers(replace(several, residual=2))
    assert not several.covers(replace(several, residual=4))
    assert not several.covers(replace(several, unread_data=3))


@pytest.mark.parametrize("other", [result("other"), result(spec="other.yaml")])
def test_another_case_is_not_accepted(other):
    assert not holding((result(), DATA)).accepts(other, DATA)


def test_specs_are_named_from_the_folder_of_the_baseline(tmp_path, monkeypatch):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "a.yaml").touch()
    monkeypatch.chdir(tmp_path / "nets")
    assert Baseline("../b.json", {}).spec_of(result(spec="a.yaml")) == "nets/a.yaml"
    monkeypatch.chdir(tmp_path)
    assert Baseline("b.json", {}).spec_of(result(spec=str(tmp_path / "nets" / "a.yaml"))) == "nets/a.yaml"
    assert Baseline("b.json", {}).spec_of(result(spec="nets:factory")) == "nets:factory"


def test_what_is_accepted_new_and_gone_is_counted():
    baseline = holding(
        (result("known"), DATA), (result("worse"), DATA), (result("gone"), DATA), (result("removed"), DATA)
    )
    judged = [(result("known"), (DATA,)), (result("worse"), (WORSE,)), (result("gone"), ()), (result("new"), (DATA,))]
    _, used = account(judged, baseline, whole=True, update=False)
    assert (used.accepted, used.new, used.gone, used.updated) == (1, 2, 2, None)
    _, used = account(judged, baseline, whole=False, update=False)
    assert used.gone == 1  # what was not judged may be there still


def test_an_update_holds_what_was_found_and_keeps_what_was_not_judged():
    baseline = holding((result("gone"), DATA), (result("unjudged"), DATA), (result("a", "other.yaml"), DATA))
    judged = [(result("gone"), ()), (result("new"), (DATA,))]
    part, used = account(judged, baseline, whole=False, update=True)
    assert {place[1] for place in part.accepted} == {"unjudged", "a", "new"}
    assert used.updated == part.text()
    whole, _ = account(judged, baseline, whole=True, update=True)
    assert {place[1] for place in whole.accepted} == {"a", "new"}


def test_what_a_milder_policy_does_not_fail_is_not_gone():
    baseline = holding((result("padding"), PADDING), (result("data"), DATA))
    seen = [(replace(result("padding"), geometry=(PADDING,)), ()), (replace(result("data"), geometry=(DATA,)), (DATA,))]
    updated, used = account(seen, baseline, whole=True, update=True)
    assert (used.accepted, used.new, used.gone) == (1, 0, 0)
    assert updated.accepted == baseline.accepted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "Expecting property name"),
        ("[]", "this is no baseline of version 1"),
        ('{"version": 2, "accepted": []}', "this is no baseline of version 1"),
        ('{"version": 1}', "it has no list 'accepted'"),
        ('{"version": 1, "accepted": [{}]}', "entry 1 is no violation with spec, case, axis"),
        ('{"version": 1, "accepted": [[]]}', "entry 1 is no violation with"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_file_that_is_no_baseline_is_named_with_what_is_wrong(tmp_path, text, said):
    file = tmp_path / "b.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"b\.json: .*--update-baseline") as caught:
        read_baseline(str(file), must_exist=True)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("severity", "bad", "the severity of entry 1 is 'bad'"),
        ("residual", True, "residual of entry 1 is True"),
        ("case", 3, "case of entry 1 is 3"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, name, value, said):
    entry = {"spec": "a", "case": "b", "axis": "H", "severity": "gap", "residual": 0, "unread_data": 0, name: value}
    file = tmp_path / "b.json"
    file.write_text(json.dumps({"version": 1, "accepted": [entry]}))
    with pytest.raises(UsageError, match=said):
        read_baseline(str(file), must_exist=True)


def test_a_file_that_is_not_there_accepts_nothing_only_where_it_will_be_written(tmp_path):
    file = str(tmp_path / "b.json")
    assert read_baseline(file, must_exist=False) == Baseline(file, {})
    with pytest.raises(UsageError, match="--update-baseline writes one"):
        read_baseline(file, must_exist=True)
