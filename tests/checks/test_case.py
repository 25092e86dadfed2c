"""The order of a case's checks, and what is left of them when user code raises."""

# ruff: noqa: ARG001  layers take what they are given

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases, functions, verified

from gradverify.checks.case import verify
from gradverify.checks.geometry import audit
from gradverify.results import GeometrySeverity, Severity, Verdict

CALLS: list[str] = []


def double(x, size=1, stride=1):
    CALLS.append("forward")
    return 2 * x, x


def double_backward(dout, x):
    CALLS.append("backward")
    return 2 * dout


def raising_forward(x, size=1, stride=1):
    raise ValueError("not this shape")


def raising_backward(dout, x):
    raise ZeroDivisionError("at the end")


def raises_when_moved(x):
    if not np.allclose(x, np.round(x)):
        raise RuntimeError("only whole numbers")
    return x, x


def changes_shape(x):
    CALLS.append("forward")
    return (np.ones(3) if len(CALLS) > 1 else np.ones(2)) * x.sum(), x


def changes_shape_backward(dout, x):
    return np.full_like(x, dout.sum())


def refuses_double(x):
    if x.dtype != np.float32:
        raise TypeError("float32 only")
    return x * 2, x


def mutates_everything(x, table):
    out = x * table["scale"]
    x[:] = 0
    table["scale"] = 0
    return out, {"scale": 3.0}


def mutates_everything_backward(dout, cache):
    dout *= cache.pop("scale")
    return dout


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


def own(forward="double", backward="double_backward", **entry):
    return {"functions": functions("test_case", forward, backward), "inputs": {"x": [2, 3]}, **entry}


def test_forward_and_backward_run_before_anything_is_moved():
    found = verified(**own(checks=["gradients"]))
    assert found.verdict is Verdict.PASS
    assert CALLS[:2] == ["forward", "backward"]
    assert CALLS.count("backward") == found.backward_evaluations == 1
    assert CALLS.count("forward") == found.forward_evaluations > 6
    assert found.seconds > 0


def test_passes_of_contracts_are_counted():
    found = verified(**own())
    assert found.verdict is Verdict.PASS
    assert CALLS.count("backward") == found.backward_evaluations == 13
    forwards = found.forward_evaluations
    assert CALLS.count("forward") == forwards
    CALLS.clear()
    assert forwards == verified(**own(checks=["gradients"])).forward_evaluations + 7


def test_checks_may_be_left_out():
    windowed = own(
        inputs={"x": [1, 1, 4, 4]}, params={"size": 2}, geometry={"input": "x", "kernel": "size"}, checks=["geometry"]
    )
    found = verified(**windowed)
    assert (found.verdict, CALLS) == (Verdict.PASS, [])
    assert [axis.axis for axis in found.geometry] == ["H", "W"]
    contracts = verified(**own(checks=["contracts"]))
    assert (contracts.verdict, contracts.gradients, CALLS.count("forward")) == (Verdict.PASS, (), 8)
    gradients = verified(**own(checks=["gradients"]))
    assert (gradients.verdict, gradients.contracts, len(gradients.gradients)) == (Verdict.PASS, (), 1)


def test_error_of_user_code_says_where_and_keeps_the_geometry():
    found = verified(
        **own("raising_forward", inputs={"x": [1, 1, 4, 4]}, geometry={"input": "x", "kernel": 2, "stride": 2})
    )
    assert found.verdict is Verdict.ERROR
    assert found.reason.startswith("ValueError: not this shape (")
    assert "test_case.py, line " in found.reason
    assert found.reason.endswith("in raising_forward)")
    assert len(found.geometry) == 2
    assert (found.contracts, found.gradients) == ((), ())


def test_error_in_backward_counts_the_forward_pass():
    found = verified(**own(backward="raising_backward"))
    assert found.verdict is Verdict.ERROR
    assert found.reason.startswith("ZeroDivisionError: at the end")
    assert (found.forward_evaluations, found.backward_evaluations) == (1, 1)


def test_contracts_are_kept_when_the_gradients_raise():
    entry = own("raises_when_moved", inputs={"x": {"shape": [4], "init": "arange"}})
    entry["inputs"]["x"]["dtype"] = "float64"
    found = verified(**entry)
    assert found.verdict is Verdict.ERROR
    assert "only whole numbers" in found.reason
    assert [contract.code for contract in found.contracts][:4] == ["arity", "shape", "dtype", "finite"]
    assert {contract.verdict for contract in found.contracts} == {Verdict.PASS}


def test_outputs_that_change_their_shape_are_an_error():
    found = verified(**own("changes_shape", "changes_shape_backward"))
    assert (found.verdict, found.reason) == (Verdict.ERROR, "the shape of the outputs changes from call to call")


def test_code_that_refuses_double_precision_is_measured_in_its_own():
    found = verified(**own("refuses_double", dtype="float32"))
    assert found.verdict is Verdict.PASS, found.reason


def test_code_that_changes_all_it_is_given_is_judged_as_if_it_did_not():
    found = verified(**own("mutates_everything", "mutates_everything_backward", params={"table": {"scale": 3.0}}))
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}
    assert found.params == {"table": {"scale": 3.0}}
    broken = {item.code: item.severity for item in found.contracts if item.verdict is Verdict.FAIL}
    failures = ("input-unchanged", "cotangent-unchanged", "backward-twice")
    assert broken == dict.fromkeys(failures, Severity.FAILURE) | {"parameters-unchanged": Severity.WARNING}
    assert (found.verdict, found.reason) == (Verdict.FAIL, "forward changes 6 of 6 entries of x")


IMPOSSIBLE = {"layer": "maxpool2d", "inputs": {"x": [1, 1, 3, 3]}}


def test_impossible_geometry_is_an_error_outside_a_sweep_and_a_skip_within():
    found = verified(**IMPOSSIBLE, params={"kernel_size": 4})
    reason = "impossible geometry along H: kernel 4 is larger than the padded input 3 + 0 + 0 = 3"
    assert (found.verdict, found.reason) == (Verdict.ERROR, reason)
    assert found.geometry[0].severity is GeometrySeverity.IMPOSSIBLE
    swept = [verify(case) for case in cases({**IMPOSSIBLE, "sweep": {"kernel_size": [3, 4]}})]
    assert [item.verdict for item in swept] == [Verdict.PASS, Verdict.SKIP]
    assert swept[1].reason == reason
    assert swept[1].forward_evaluations == 0


def test_groups_that_do_not_divide_are_impossible_too():
    entry = {"layer": "groupnorm", "inputs": {"x": [2, 4, 2], "gamma": [4], "beta": [4]}}
    found = verified(**entry, params={"groups": 3})
    assert (found.verdict, found.reason) == (Verdict.ERROR, "groups 3 does not divide C = 4")
    swept = [verify(case) for case in cases({**entry, "sweep": {"groups": [1, 2, 3, 4]}})]
    assert [item.verdict.value for item in swept] == ["pass", "pass", "skip", "pass"]


def test_audit_runs_no_code():
    entry = own("raising_forward", inputs={"x": [1, 1, 5, 4]}, geometry={"input": "x", "kernel": 2, "stride": 2})
    (case,) = cases(entry)
    found = audit(case)
    assert found.verdict is Verdict.PASS  # the policy of the command fails it
    assert [axis.identity for axis in found.geometry] == [False, True]
    assert (found.forward_evaluations, CALLS) == (0, [])
    (plain,) = cases(own())
    assert audit(plain).reason == "no window to audit"


def test_missing_function_is_an_error_with_the_nearest_name():
    found = verified(**own("duoble"))
    assert (found.verdict, found.reason) == (
        Verdict.ERROR,
        "there is no 'duoble' in test_case, did you mean 'double'?",
    )


def test_result_is_the_same_twice():
    one, two = verified(**own()), verified(**own())
    assert one.gradients == two.gradients


def checks_its_domain(x):
    if np.any(x <= 0):
        raise ValueError("logarithm of a number that is not positive")
    return np.log(x), x


def checks_its_domain_backward(dout, x):
    return dout / x


def wrong_in_single_precision(dout, x):
    return 2 * dout * (1.01 if x.dtype == np.float32 else 1)


def test_code_that_checks_its_domain_is_not_probed_outside_of_it():
    inputs = {"x": {"shape": [5, 4], "init": "uniform", "low": 0.1}}
    found = verified(**own("checks_its_domain", "checks_its_domain_backward", inputs=inputs))
    assert found.verdict is Verdict.PASS


def test_a_mistake_of_single_precision_alone_is_no_rounding():
    inputs = {"x": {"shape": [5], "mean": 1000.0}}
    found = verified(**own(backward="wrong_in_single_precision", inputs=inputs, dtype="float32"))
    assert found.verdict is Verdict.FAIL
