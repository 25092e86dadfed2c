"""Contracts about what passes leave alone: layers that write where they must not, beside layers that may."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import contract_of, functions, verified

from gradverify.checks.keeping import is_statistic
from gradverify.results import Severity, Verdict

MODULE = "test_contract_unchanged"


def relu(x):
    return np.maximum(x, 0), x


def relu_backward(dout, x):
    return dout * (x > 0)


def relu_in_place(x):
    x[x < 0] = 0
    return x, x.copy()


def relu_backward_changes_cotangent(dout, x):
    dout[x <= 0] = 0
    return dout


def relu_backward_changes_input(dout, x):
    x[x > 0] = 1
    x[x < 0] = 0
    return dout * x


def scaled(x, table):
    return x * table["scale"], table["scale"]


def scaled_backward(dout, scale):
    return dout * scale


def changes_table(x, table):
    out = x * table["scale"]
    cache = float(table["scale"])
    table["scale"] = 0.0
    return out, cache


def changes_inner_array(x, table):
    out, cache = x * table["deep"][0]["w"], table["deep"][0]["w"].copy()
    table["deep"][0]["w"] += 1
    return out, cache


def array(table):
    return {"deep": [{"w": np.array(table)}]}


def drops_key(x, table):
    return x * table["scale"], table.pop("scale")


def keeps_statistics(x, table):
    """As a course has it: forward adds its running statistics to the table, and moves them."""
    table["running_mean"] = 0.9 * np.asarray(table.get("running_mean", np.zeros(x.shape[1]))) + 0.1 * x.mean(axis=0)
    table["running_var"] = 0.9 * np.asarray(table.get("running_var", np.ones(x.shape[1]))) + 0.1 * x.var(axis=0)
    table["cache of the layer"] = x
    return x * table["scale"], table["scale"]


def moves_statistics(x, running_mean):
    running_mean *= 0.9
    running_mean += 0.1 * x.mean(axis=0)
    return x * 2.0, None


def moves_statistics_backward(dout, cache):  # noqa: ARG001  as above
    return 2 * dout


def changes_labels(x, y):
    y[0] = 1 - y[0]
    return x * 2.0, None


def result(forward, backward, **entry):
    return verified(
        functions=functions(MODULE, forward, backward), inputs={"x": [3, 4], **entry.pop("more", {})}, **entry
    )


@pytest.mark.parametrize(
    ("code", "forward", "backward", "said"),
    [
        ("input-unchanged", "relu_in_place", "relu_backward", r"forward changes \d+ of 12 entries of x"),
        ("input-unchanged", "relu", "relu_backward_changes_input", "backward changes 12 of 12 entries of x"),
        (
            "cotangent-unchanged",
            "relu",
            "relu_backward_changes_cotangent",
            r"backward .* \d+ of 12 entries of dout",
        ),
    ],
)
def test_layer_that_changes_what_is_not_its_own(code, forward, backward, said):
    found = result(forward, backward)
    broken = contract_of(found, code)
    assert (broken.verdict, broken.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert pytest.importorskip("re").fullmatch(said, broken.message)
    assert (found.verdict, found.reason) == (Verdict.FAIL, broken.message)
    assert {check.verdict for check in found.gradients} == {Verdict.PASS}


def test_layer_that_changes_nothing():
    found = result("relu", "relu_backward")
    assert contract_of(found, "input-unchanged").verdict is Verdict.PASS
    assert contract_of(found, "cotangent-unchanged").verdict is Verdict.PASS
    assert "parameters-unchanged" not in {item.code for item in found.contracts}


def test_what_writes_into_its_arrays_is_not_reported_again_for_read_only_ones():
    found = result("relu", "relu_backward_changes_cotangent")
    assert contract_of(found, "layout").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("forward", "table", "said"),
    [
        ("changes_table", {"scale": 3.0}, "forward changes table['scale']"),
        ("drops_key", {"scale": 3.0}, "forward changes table['scale']"),
        ("changes_inner_array", {"import": f"{MODULE}:array([1.0, 2.0, 3.0, 4.0])"}, "table['deep'][0]['w']"),
    ],
)
def test_layer_that_changes_its_parameters_is_warned_of(forward, table, said):
    found = result(forward, "scaled_backward", params={"table": table})
    warned = contract_of(found, "parameters-unchanged")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert said in warned.message
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("forward", ["scaled", "keeps_statistics"])
@pytest.mark.parametrize("more", [{}, {"running_mean": [0.0, 0.0, 0.0, 0.0], "running_var": [1.0, 1.0, 1.0, 1.0]}])
def test_running_statistics_may_change_and_keys_may_be_added(forward, more):
    found = result(forward, "scaled_backward", params={"table": {"scale": 3.0, **more}})
    assert contract_of(found, "parameters-unchanged").verdict is Verdict.PASS
    assert found.verdict is Verdict.PASS


def test_running_statistics_may_be_inputs_and_labels_may_not_change():
    statistics = {"running_mean": {"shape": [4], "grad": False}}
    found = result("moves_statistics", "moves_statistics_backward", more=statistics)
    assert contract_of(found, "input-unchanged").verdict is Verdict.PASS
    labels = {"y": {"shape": [3], "init": "integers", "high": 2}}
    found = result("changes_labels", "moves_statistics_backward", more=labels)
    assert contract_of(found, "input-unchanged").message == "forward changes 1 of 3 entries of y"


@pytest.mark.parametrize(
    "path",
    ["running_mean", "bn['running_var']", "moving_average", "layers[0].ema_var", "state.mean", "num_batches_tracked"],
)
def test_names_of_statistics(path):
    assert is_statistic(path)


@pytest.mark.parametrize("path", ["scale", "w", "x", "meaning", "running[0]x", "dilemma"])
def test_other_names(path):
    assert is_statistic(path) == path.startswith("running")


# -- objects


class Dense:
    def __init__(self):
        self.w = np.linspace(-1, 1, 20).reshape(4, 5)

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout):
        self.dw = self.x.T @ dout
        return dout @ self.w.T


class Decaying(Dense):
    def forward(self, x):
        out = super().forward(x)
        self.used = self.w.copy()
        self.w *= 0.99
        return out

    def backward(self, dout):
        self.dw = self.x.T @ dout
        return dout @ self.used.T


class Updating(Dense):
    def backward(self, dout, learning_rate):
        dx = dout @ self.w.T
        self.w -= learning_rate * self.x.T @ dout
        return dx


class Given(Dense):
    """Takes its parameter, and updates it in place."""

    def __init__(self, w):
        self.w = w

    def backward(self, dout):
        self.dw = self.x.T @ dout
        dx = dout @ self.w.T
        self.w *= 0.5
        return dx


def of_object(name, **inputs):
    return verified(object=f"{MODULE}:{name}", inputs={"x": [3, 4], **inputs})


def test_object_that_changes_its_parameters_is_warned_of():
    found = of_object("Decaying")
    warned = contract_of(found, "parameters-unchanged")
    assert (warned.verdict, warned.severity, warned.message) == (Verdict.FAIL, Severity.WARNING, "forward changes w")
    assert found.verdict is Verdict.PASS, found.reason


def test_arrays_of_a_constructor_are_parameters():
    found = of_object("Given", w=[4, 5])
    assert contract_of(found, "input-unchanged").verdict is Verdict.PASS
    assert contract_of(found, "parameters-unchanged").message.startswith("backward changes ")


@pytest.mark.parametrize("name", ["Dense", "Updating"])
def test_object_that_keeps_its_parameters_or_updates_them_by_design(name):
    found = of_object(name)
    assert contract_of(found, "parameters-unchanged").verdict is Verdict.PASS
    assert {item.verdict for item in found.contracts} == {Verdict.PASS}, found.contracts
    assert found.verdict is Verdict.PASS
