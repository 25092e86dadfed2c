"""What the plugin hands on of a result."""

from __future__ import annotations

import pytest
from made_reports import case_result

from gradverify.pytest_plugin.wording import data_of, result_from
from gradverify.results import Verdict


@pytest.mark.parametrize(("verdict", "warned"), [(Verdict.PASS, True), (Verdict.FAIL, False)])
def test_warnings_are_counted_of_cases_that_pass(verdict, warned):
    assert data_of(case_result(verdict=verdict))["warned"] is warned
    assert data_of(case_result(verdict=verdict, contracts=(), geometry=()))["warned"] is False


def test_a_result_is_handed_on_without_its_parts():
    case = case_result(verdict=Verdict.FAIL, reproduce="gradverify run")
    handed = result_from(data_of(case))
    assert (handed.id, handed.verdict, handed.geometry) == (case.id, case.verdict, case.geometry)
    assert (handed.contracts, handed.gradients, handed.reproduce) == ((), (), None)
