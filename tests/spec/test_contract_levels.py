"""What a spec, and the Python face, may say of contracts: off, a warning, a failure."""

from __future__ import annotations

import pytest
from spec_cases import cases, contract_of, functions, verified

from gradverify import check
from gradverify.checks.case import verify
from gradverify.errors import UsageError
from gradverify.pipeline import Policy, settle
from gradverify.results import Severity, Verdict
from gradverify.spec.contract_table import CONTRACTS

MODULE = "test_contract_levels"


def relu(x):
    return x * (x > 0), x


def relu_backward(dout, x):
    dout[x <= 0] = 0
    return dout


def adds(x, table):
    table["scale"] += 1
    return x * 1.0, None


def adds_backward(dout, cache):  # noqa: ARG001  layers take what they are given
    return dout * 1.0


BREAKS = {"functions": functions(MODULE, "relu", "relu_backward"), "inputs": {"x": [3, 4]}}
WARNS = {
    "functions": functions(MODULE, "adds", "adds_backward"),
    "inputs": {"x": [3]},
    "params": {"table": {"scale": 1}},
}


def test_a_contract_that_is_off_is_not_listed():
    found = verified(**BREAKS, contracts={"cotangent-unchanged": "off", "layout": "off"})
    assert {"cotangent-unchanged", "layout"}.isdisjoint(item.code for item in found.contracts)
    assert found.verdict is Verdict.PASS


def test_a_failure_may_be_a_warning_and_the_other_way_round():
    found = verified(**BREAKS, contracts={"cotangent-unchanged": "warning"})
    assert contract_of(found, "cotangent-unchanged").severity is Severity.WARNING
    assert (found.verdict, verified(**WARNS).verdict) == (Verdict.PASS, Verdict.PASS)
    found = verified(**WARNS, contracts={"parameters-unchanged": "failure"})
    assert (found.verdict, found.reason) == (Verdict.FAIL, "forward changes table['scale']")


def test_warnings_fail_where_they_are_taken_strictly():
    found = verified(**WARNS)
    assert settle(found, Policy()).verdict is Verdict.PASS
    strict = settle(found, Policy(strict=True))
    said = "warning, which --strict fails: forward changes table['scale']"
    assert (strict.verdict, strict.reason) == (Verdict.FAIL, said)


def test_what_a_case_says_goes_before_what_its_file_says():
    said = {"cotangent-unchanged": "off", "stale-cache": "off"}
    first, second = cases(
        {**BREAKS, "contracts": {"cotangent-unchanged": "failure"}}, {**BREAKS, "name": "other"}, contracts=said
    )
    assert first.contracts == {"cotangent-unchanged": "failure", "stale-cache": "off"}
    assert second.contracts == said
    assert [verify(case).verdict for case in (first, second)] == [Verdict.FAIL, Verdict.PASS]


@pytest.mark.parametrize("code", CONTRACTS)
def test_every_contract_can_be_switched_off_by_name(code):
    found = verified(layer="affine", inputs={"x": [2, 3], "w": [3, 2], "b": [2]}, contracts={code: "off"})
    assert code not in {item.code for item in found.contracts}
    assert found.verdict is Verdict.PASS


def test_nothing_is_left_to_verify_where_all_contracts_are_off_and_nothing_else_is_asked_for():
    found = verified(**BREAKS, checks=["contracts"], contracts=dict.fromkeys(CONTRACTS, "off"))
    assert (found.verdict, found.contracts) == (Verdict.SKIP, ())


def test_the_python_face_takes_the_same_words():
    import numpy as np  # noqa: PLC0415  the only test that needs arrays

    inputs = {"x": np.linspace(-1, 1, 12)}
    assert check(relu, relu_backward, inputs).verdict is Verdict.FAIL
    assert check(relu, relu_backward, inputs, contracts={"cotangent-unchanged": "off"}).verdict is Verdict.PASS
    with pytest.raises(UsageError, match="unknown key 'cotangent-unchangd' in contracts, did you mean"):
        check(relu, relu_backward, inputs, contracts={"cotangent-unchangd": "off"})
    with pytest.raises(UsageError, match="'no' is not a level"):
        check(relu, relu_backward, inputs, contracts={"cotangent-unchanged": "no"})
