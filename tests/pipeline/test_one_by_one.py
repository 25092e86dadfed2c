"""Cases verified one at a time have the results of a run."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from workplace import ROOT

from gradverify.pipeline import Policy, Settings, select, verify
from gradverify.pipeline.one_by_one import OneByOne
from gradverify.results import FailOn, Verdict
from gradverify.spec.overriding import Overrides


class Silent:
    def start(self, plan):
        pass

    case = finish = start


SETTINGS = Settings(
    command="run", policy=Policy(fail_on=FailOn.IDENTITY), workers=2, reproduce=lambda case: f"do {case.id}"
)


@pytest.fixture(scope="module")
def selection():
    return select((str(ROOT / "configs/alexnet-stem.yaml"), str(ROOT / "configs/activations.yaml")), Overrides())


@pytest.mark.parametrize("announced", [0, 3, None])
def test_the_results_are_those_of_a_run_in_any_order(selection, announced):
    expected = {case.id: case for case in verify(selection, SETTINGS, Silent).cases}
    with closing(OneByOne(SETTINGS)) as cases:
        cases.announce(selection.cases[:announced])
        found = {case.id: cases.result(case) for case in reversed(selection.cases)}
    assert {case.verdict for case in found.values()} == {Verdict.PASS, Verdict.FAIL}
    assert {name: plain(case) for name, case in found.items()} == {name: plain(case) for name, case in expected.items()}


def test_a_case_may_be_asked_for_again(selection):
    case = selection.cases[-1]
    with closing(OneByOne(SETTINGS)) as cases:
        cases.announce((case, case))
        assert len({cases.result(case).verdict for _ in range(4)}) == 1


def plain(case):
    return replace(case, seconds=0.0)
