"""A case from near by: what its gradients show, and that no verdict, count or number of any document changes."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace

import nearby_layers
import numpy as np
import pytest
from spec_cases import cases, functions
from workplace import ROOT

from gradverify.checks import near
from gradverify.checks.case import verify
from gradverify.pipeline import Settings, select
from gradverify.pipeline import verify as run
from gradverify.reporters.json import document
from gradverify.results import Verdict
from gradverify.spec.overriding import Overrides

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
CONV = {"layer": "conv2d", "inputs": {"x": [2, 3, 7, 7], "w": [4, 3, 3, 3], "b": [4]}, "params": {"stride": 2}}
TANH = {"inputs": {"x": [3, 4]}}


@pytest.fixture(autouse=True)
def _harmless():
    nearby_layers.reset()


def tanh(backward="backward"):
    return {"functions": functions("nearby_layers", "forward", backward), **TANH}


def shown(**entry):
    """Verify the one case of a spec from near by, in the precision it asks for."""
    (case,) = cases(entry)
    return verify(replace(case, near=True))


def timeless(value):
    """Return a document without its seconds, which differ every time."""
    if isinstance(value, dict):
        return {name: timeless(item) for name, item in value.items() if name != "seconds"}
    return [timeless(item) for item in value] if isinstance(value, list) else value


class Deaf:
    """Hears nothing."""

    def start(self, plan):
        pass

    def case(self, result):
        pass

    def finish(self, report):
        pass


@pytest.mark.parametrize("file", CONFIGS, ids=lambda path: path.stem)
def test_every_document_stays_as_it_is_and_every_compared_input_has_a_curve(file):
    selection = select((str(file),), Overrides())
    far, close = (
        run(selection, Settings(command="run", executor="serial", near=asked), Deaf) for asked in (False, True)
    )
    assert timeless(document(close)) == timeless(document(far))
    assert [case.judgement for case in close.cases] == [case.judgement for case in far.cases]
    for case in far.cases:
        assert {(part.error_grid, part.step_curve) for part in case.gradients} <= {(None, None)}
    for part in (part for case in close.cases for part in case.gradients):
        assert (part.step_curve is not None) == (part.compared > 0), (part.input, part.reason)
        assert (part.error_grid is not None) == (part.failed > 0 and part.compared > 0)


def test_processes_bring_the_same_evidence(workplace):
    file = workplace.write("a.yaml", "cases: [{name: a, layer: tanh, inputs: {x: [3]}}]")
    selection = select((str(file),), Overrides())
    one, other = (
        run(selection, Settings(command="run", executor=executor, near=True), Deaf).cases[0].gradients[0]
        for executor in ("serial", "processes")
    )
    assert one.step_curve is not None
    assert one.step_curve == other.step_curve


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_right_layer_in_full(dtype):
    found = shown(**CONV, dtype=dtype)
    assert found.verdict is Verdict.PASS
    for part in found.gradients:
        curve = part.step_curve
        assert (part.error_grid, curve.order, len(curve.steps)) == (None, 4, 24)
        assert len(curve.index) == len(part.shape)
        assert curve.bar <= curve.allowed
        assert abs(curve.analytic - curve.numerical) <= curve.allowed
        assert min(curve.errors) < 1e-9  # the numerical side is in double precision, whatever the code under test is in
        assert set(curve.truncation) == {0.0}  # a convolution is linear in each of its inputs
        assert (curve.derivative, curve.step) == (part.work.derivative, part.work.step)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301  our own bytes


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_wrong_layer_shows_where_and_how_far(dtype):
    found = shown(**tanh("backward_without_the_last_row"), dtype=dtype)
    (part,) = found.gradients
    assert (found.verdict, part.failed) == (Verdict.FAIL, 4)
    assert part.error_grid.axes == (0, 1)
    assert part.error_grid.failed == ((0,) * 4, (0,) * 4, (1,) * 4)
    assert (np.array(part.error_grid.excess) > 1).tolist() == (np.array(part.error_grid.failed) > 0).tolist()
    curve = part.step_curve
    assert (curve.index, curve.analytic, curve.numerical) == (part.worst.index, 0.0, part.worst.numerical)
    assert abs(curve.numerical) > curve.allowed
    assert min(curve.errors) < 1e-9 * abs(curve.numerical)
    assert curve.truncation[-1] > curve.roundoff[-1]


def test_inputs_without_a_gradient_have_none_and_a_right_one_beside_a_wrong_one_has_no_grid():
    inputs = {"x": [3, 4], "w": [4], "rows": {"shape": [3], "init": "integers", "high": 5, "dtype": "int64"}}
    found = shown(functions=functions("nearby_layers", "sum_forward", "sum_backward_scaled"), inputs=inputs)
    assert [part.input for part in found.gradients] == ["x", "w"]
    assert [part.error_grid is not None for part in found.gradients] == [False, True]
    assert all(part.step_curve is not None for part in found.gradients)


def test_entries_that_are_not_finite():
    found = shown(functions=functions("misplaced_errors", "scale_forward", "not_a_number"), inputs={"x": [2, 3, 5, 7]})
    (part,) = found.gradients
    assert max(max(row) for row in part.error_grid.excess) == math.inf
    assert part.step_curve.index == part.worst.index
    assert math.isnan(part.step_curve.analytic)


@pytest.mark.parametrize("method", ["dense", "compressed", "certificate"])
def test_methods(method):
    found = shown(**tanh("backward_without_the_last_row"), method=method)
    (part,) = found.gradients
    assert part.step_curve.index == part.worst.index
    assert part.error_grid is not None  # what a certificate finds wrong is looked at, element by element
    right = shown(**tanh(), method=method).gradients[0]
    assert (right.step_curve is not None) == (method != "certificate")


def passes_of(entry):
    nearby_layers.reset()
    (case,) = cases(entry)
    found = verify(case)
    return found, nearby_layers.STATE["passes"]


@pytest.mark.parametrize("then", ["replace_tanh", "leave", "complain"])
@pytest.mark.parametrize("later", [0, 1, 40])
def test_code_that_misbehaves_on_the_way_takes_nothing_back(then, later):
    found, passes = passes_of(tanh("backward_without_the_last_row"))
    own = np.tanh
    nearby_layers.reset(passes + later, getattr(nearby_layers, then))
    close = shown(**tanh("backward_without_the_last_row"))
    assert nearby_layers.STATE["passes"] > passes + later
    assert np.tanh is own
    assert (close.verdict, close.reason, close.gradients) == (found.verdict, found.reason, found.gradients)
    assert (close.forward_evaluations, close.backward_evaluations) == (
        found.forward_evaluations,
        found.backward_evaluations,
    )
    if then == "replace_tanh":
        assert close.gradients[0].error_grid is None


def test_code_that_raised_is_not_run_again():
    entry = {
        "functions": functions("nearby_layers", "picky_forward", "picky_backward"),
        "inputs": {"x": [3, 4], "w": [4]},
        "checks": ["gradients"],
        "method": "dense",
    }
    _, passes = passes_of(entry)
    nearby_layers.reset()
    found = shown(**entry)
    assert (found.verdict, [part.input for part in found.gradients]) == (Verdict.ERROR, ["x"])
    assert found.gradients[0].verdict is Verdict.PASS
    assert found.gradients[0].step_curve is None
    assert nearby_layers.STATE["passes"] == passes


def test_curves_leave_half_of_what_is_left_of_a_case_s_time(monkeypatch):
    (case,) = cases(tanh("backward_without_the_last_row"))
    found = verify(replace(case, near=True, timeout=1e-6))
    assert found.gradients[0].step_curve is None
    assert found.gradients[0].error_grid is not None
    asked = []
    monkeypatch.setattr(near, "step_curve", lambda *arguments: asked.append(arguments[-1]))
    verify(replace(case, near=True, timeout=6.0))
    verify(replace(case, near=True, timeout=60.0))
    assert 2.5 < asked[0] < 3.0
    assert asked[1] == 5.0


def test_a_verdict_is_worth_more_than_the_memory_for_a_picture(monkeypatch):
    def nothing_left(_):
        raise MemoryError

    monkeypatch.setattr(near, "error_grid", nothing_left)
    found = shown(**tanh("backward_without_the_last_row"))
    assert (found.verdict, found.gradients[0].failed) == (Verdict.FAIL, 4)
    assert found.gradients[0].error_grid is found.gradients[0].step_curve is None


def test_arrays_are_the_same_from_near_by():
    (case,) = cases(tanh("backward_without_the_last_row"))
    far, close = (verify(replace(case, keep=True, near=asked)) for asked in (False, True))
    assert far.arrays == close.arrays
    assert set(far.arrays) == {"inputs/x", "cotangent", "analytic/x", "numerical/x", "error_bar/x"}


def test_seeds_decide():
    (case,) = cases(CONV)
    one, same = (verify(replace(case, near=True)) for _ in range(2))
    assert [part.step_curve for part in one.gradients] == [part.step_curve for part in same.gradients]
