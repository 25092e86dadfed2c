"""Layers as classes: what is found by itself, what can be said, and what is said where nothing is found."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from spec_cases import verified

from gradverify.results import Verdict


class Dense:
    """A right layer with parameters of its own; others change one thing about it."""

    def __init__(self, n_in=5, n_out=3):
        self.weights, self.bias = np.random.randn(n_in, n_out), np.zeros(n_out)  # noqa: NPY002  as people do

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, dout):
        self.dweights, self.dbias = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.weights.T


class WrongBias(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dbias = self.dbias / len(dout)
        return dx


class WrongShape(Dense):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dweights = self.dweights.T
        return dx


class Accumulates(Dense):
    def __init__(self):
        super().__init__()
        self.dweights, self.dbias = np.zeros((5, 3)), np.zeros(3)

    def zero_grad(self):
        self.dweights[...], self.dbias[...] = 0, 0

    def backward(self, dout):
        self.dweights += self.x.T @ dout
        self.dbias += dout.sum(axis=0)
        return dout @ self.weights.T


class Uncopied(Accumulates):
    def __deepcopy__(self, memo):
        raise TypeError("this object cannot be copied")


class Caches(Dense):
    """Keeps every input and its gradient under names that look like a parameter and its gradient."""

    def __init__(self):
        super().__init__()
        self.X, self.dX = np.zeros((4, 5)), np.zeros((4, 5))
        self.history = []

    def forward(self, x):
        self.X[...] = x
        self.history.append(x)
        return super().forward(x)

    def backward(self, dout):
        self.dX[...] = super().backward(dout)
        return self.dX


class Forgets(Dense):
    """Has a parameter that moves the output and no gradient for it."""

    def __init__(self):
        super().__init__()
        self.shift = np.ones(3)

    def forward(self, x):
        return super().forward(x) + self.shift


class Dropout:
    def __init__(self, keep=0.5):
        self.keep = keep

    def forward(self, x, train_flg):
        self.mask = np.random.rand(*x.shape) < self.keep if train_flg else np.full(x.shape, self.keep)  # noqa: NPY002  as people do
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask


class AnotherMask(Dropout):
    def backward(self, dout):
        return dout * (np.random.rand(*dout.shape) < self.keep)  # noqa: NPY002  a mask of its own: wrong


class Tensor(np.ndarray):
    """An array that carries its gradient."""


def tensor(values):
    made = np.asarray(values).view(Tensor)
    made.grad = np.zeros(made.shape)
    return made


class Carried:
    def __init__(self):
        self.w = tensor(np.linspace(-1, 1, 15).reshape(5, 3))

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout):
        self.w.grad += self.x.T @ dout
        return dout @ np.asarray(self.w).T


class OwnRate:
    """Takes a rate of its own off its parameter."""

    def __init__(self):
        self.w = np.ones((5, 3))

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout, lr=0.1):
        dx = dout @ self.w.T
        self.w = self.w - lr * self.x.T @ dout
        return dx


class Switched:
    training = False

    def __init__(self):
        self.w = np.ones(5)

    def forward(self, x):
        self.x = x
        return x * self.w if self.training else x

    def backward(self, dout):
        self.dw = (dout * self.x).sum(axis=0)
        return dout * self.w


class NoBackward:
    def forward(self, x):
        return x


class Nothing:
    def forward(self, x):
        self.x = x

    def backward(self, dout):
        return dout


class Steps:
    """Two outputs, and a backward that takes the input first."""

    def forward(self, x, h):
        self.out = np.tanh(x + h)
        return self.out, x * h

    def backward(self, x, dh, dc):  # noqa: ARG002  it takes what people pass
        return dh * (1 - self.out**2) + dc * self.h, dh


class LateCell:
    """Its parameter appears in the first pass, its memory grows, and its own reset would break it."""

    def __init__(self):
        self.W, self.states, self.error, self.inner = None, [], None, Memory()

    def forward(self, x):
        if self.W is None:
            self.W = np.random.randn(x.shape[1], 3)  # noqa: NPY002  as people do
            self.dW = np.zeros_like(self.W)
        self.x = x
        self.states.append(np.tanh(x @ self.W))
        return self.inner.forward(self.states[-1])

    def flush_gradients(self):
        self.error = []

    def backward(self, dout):
        if self.error is None:
            self.error = np.zeros_like(dout)
        dz = (self.inner.backward(dout) + self.error) * (1 - self.states[0] ** 2)
        self.dW += self.x.T @ dz
        return dz @ self.W.T


class Memory:
    """Gives back its gradient once for every pass that it remembers."""

    def __init__(self):
        self.X = []

    def forward(self, x):
        self.X.append(x)
        return x * 2

    def backward(self, dout):
        return sum(2 * dout for _ in self.X)


class GradientsFirst:
    def __init__(self):
        self.gradients = {"W": np.zeros((5, 3))}
        self.parameters = {"W": np.random.randn(5, 3)}  # noqa: NPY002  as people do

    def forward(self, x):
        self.x = x
        return x @ self.parameters["W"]

    def backward(self, dout):
        self.gradients["W"] += self.x.T @ dout
        return dout @ self.parameters["W"].T


class NamedW:
    """Keeps its parameters under names that also name the array of a parameter object."""

    def __init__(self):
        self.params, self.grads = {"w": np.ones((5, 3)), "v": np.ones(3)}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["w"] + self.params["v"]

    def backward(self, dout):
        self.grads["w"], self.grads["v"] = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.params["w"].T


class TwoOutputs:
    def __init__(self):
        self.W = np.random.randn(5, 5)  # noqa: NPY002  as people do

    def forward(self, x, h):
        self.x, self.h, self.a = x, h, np.tanh(x @ self.W + h)
        return self.a, self.a * h

    def backward(self, da_next, dc_next):
        dz = (da_next + dc_next * self.h) * (1 - self.a**2)
        self.dW = self.x.T @ dz
        return dz @ self.W.T, dz + dc_next * self.a


class OwnOptimizer(Dense):
    def backward(self, dout):
        dx = dout @ self.weights.T
        self.weights -= 0.01 * self.x.T @ dout
        return dx


@pytest.fixture(autouse=True)
def module(monkeypatch):
    made = ModuleType("object_samples")
    for value in list(globals().values()):
        if isinstance(value, type):
            setattr(made, value.__name__, value)
    monkeypatch.setitem(sys.modules, "object_samples", made)


def checked(target, inputs=None, **entry):
    target = target if isinstance(target, dict) else {"class": target}
    target["class"] = f"object_samples:{target['class']}"
    return verified(object=target, inputs=inputs or {"x": [4, 5]}, **entry)


def verdicts(result):
    return {part.input: part.verdict.value for part in result.gradients}


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("Dense", {"x": "pass", "weights": "pass", "bias": "pass"}),
        ("Dense(5, 3)", {"x": "pass", "weights": "pass", "bias": "pass"}),
        ("Dense(n_out=2)", {"x": "pass", "weights": "pass", "bias": "pass"}),
        ("WrongBias", {"x": "pass", "weights": "pass", "bias": "fail"}),
        ("WrongShape", {"x": "pass", "weights": "fail", "bias": "pass"}),
        ("Accumulates", {"x": "pass", "weights": "pass", "bias": "pass"}),
        ("Uncopied", {"x": "pass", "weights": "pass", "bias": "pass"}),
        ("Caches", {"x": "pass", "weights": "pass", "bias": "pass"}),
        ("Dropout", {"x": "pass"}),
        ("AnotherMask", {"x": "fail"}),
        ("Carried", {"x": "pass", "w": "pass"}),
        ("OwnRate", {"x": "pass", "w": "pass"}),
        ("LateCell", {"x": "pass", "W": "pass"}),
        ("GradientsFirst", {"x": "pass", "W": "pass"}),
        ("NamedW", {"x": "pass", "w": "pass", "v": "pass"}),
        ({"class": "Accumulates", "reset": "zero_grad"}, {"x": "pass", "weights": "pass", "bias": "pass"}),
        ({"class": "Dense", "discover": False}, {"x": "pass"}),
        ({"class": "Switched", "attributes": {"training": True}}, {"x": "pass", "w": "pass"}),
        ("Switched", {"x": "pass"}),
        ({"class": "Dropout(0.3)", "forward": "forward(x, train_flg=False)"}, {"x": "pass"}),
    ],
)
def test_parameters_and_gradients_are_found(target, found):
    assert verdicts(checked(target)) == found


def test_named_parameters_have_the_data_of_the_case():
    result = checked({"class": "Dense", "parameters": {"w": "weights", "b": {"value": "bias", "gradient": "dbias"}}}, {
        "x": [4, 5], "w": {"values": [[1, 2, 3]] * 5, "dtype": "float64"}, "b": [3],
    })  # fmt: skip
    assert verdicts(result) == {"x": "pass", "w": "pass", "b": "pass"}


def test_inputs_that_nobody_takes_are_parameters_by_their_name():
    result = checked("Dense", {"x": [4, 5], "weights": [5, 3]})
    assert verdicts(result) == {"x": "pass", "weights": "pass", "bias": "pass"}


def test_gradients_are_where_the_spec_says():
    right = {"class": "Dense", "gradients": {"x": "returned", "weights": "dweights"}}
    wrong = {"class": "Dense", "gradients": {"weights": "dbias"}}
    inputs = {"x": [4, 5], "weights": [5, 3]}
    assert checked(right, inputs).verdict is Verdict.PASS
    assert verdicts(checked(wrong, inputs))["weights"] == "fail"


def test_a_rate_of_the_case_is_used():
    result = checked({"class": "OwnRate", "backward": "backward(dout, lr=rate)", "parameters": {
        "w": {"value": "w", "update": "rate"},
    }}, {"x": [4, 5], "w": [5, 3]}, params={"rate": 0.25})  # fmt: skip
    assert verdicts(result) == {"x": "pass", "w": "pass"}
    half = checked({"class": "OwnRate", "backward": "backward(dout, lr=0.5)", "parameters": {
        "w": {"value": "w", "update": 0.25},
    }}, {"x": [4, 5], "w": [5, 3]})  # fmt: skip
    assert verdicts(half)["w"] == "fail"


def test_an_array_without_a_gradient_is_a_warning():
    result = checked("Forgets")
    warning = next(part for part in result.contracts if part.code == "coverage")
    assert result.verdict is Verdict.PASS
    assert (warning.verdict, warning.severity.value) == (Verdict.FAIL, "warning")
    assert warning.message == "shift of the object moves the output, and no gradient was found"
    assert all(part.verdict is Verdict.PASS for part in checked("Dense").contracts)


def test_a_parameter_is_not_taken_from_among_the_gradients():
    result = checked("GradientsFirst", {"x": [4, 5], "W": [5, 3]})
    assert verdicts(result) == {"x": "pass", "W": "pass"}


def test_a_tuple_is_two_outputs_where_backward_takes_two_cotangents():
    result = checked("TwoOutputs", {"x": [4, 5], "h": [4, 5]})
    assert verdicts(result) == {"x": "pass", "h": "pass", "W": "pass"}


def test_parameters_that_backward_changes_at_an_unknown_rate_are_named():
    result = checked("OwnOptimizer")
    message = next(part.message for part in result.contracts if part.code == "coverage")
    assert message == (
        "bias of the object moves the output, and no gradient was found; "
        "weights of the object moves the output, and backward changes it; update would say at which rate"
    )
    said = {"class": "OwnOptimizer", "parameters": {"w": {"value": "weights", "update": 0.01}}}
    assert verdicts(checked(said, {"x": [4, 5], "w": [5, 3]})) == {"x": "pass", "w": "pass"}


def test_gradients_that_mean_an_average_are_scaled():
    inputs, dims = {"x": ["N", 5]}, {"N": 4}
    assert verdicts(checked("WrongBias", inputs, dims=dims, scale={"bias": "N"}))["bias"] == "pass"
    assert verdicts(checked("Dense", inputs, dims=dims, scale={"bias": 4}))["bias"] == "fail"
    assert "scale: there is no input 'bais', did you mean 'bias'?" in checked("Dense", scale={"bais": 4}).reason


def test_single_precision_reaches_the_parameters_that_were_found():
    result = checked("Dense", dtype="float32")
    assert verdicts(result) == {"x": "pass", "weights": "pass", "bias": "pass"}
    assert next(part for part in result.contracts if part.code == "dtype").verdict is Verdict.PASS
    assert checked("WrongBias", dtype="float32").verdict is Verdict.FAIL


def test_values_that_are_constant_are_spread():
    """The gradient of a gamma of ones is as good as that of 1; that of a wrong layer must not be."""

    class Gamma:
        def __init__(self):
            self.gamma = np.ones(5)

        def forward(self, x):
            self.x = x
            return x * self.gamma**2

        def backward(self, dout):
            self.dgamma = 2 * (dout * self.x).sum(axis=0)
            return dout * self.gamma**2

    sys.modules["object_samples"].Gamma = Gamma
    assert verdicts(checked("Gamma")) == {"x": "pass", "gamma": "fail"}


@pytest.mark.parametrize(
    ("target", "inputs", "said"),
    [
        ("NoBackward", None, "the NoBackward has no backward method that is known, name one with backward: METHOD"),
        ("Nothing", None, "forward returned nothing, and where it left its output is not known"),
        ({"class": "Dense", "forward": "forwrd"}, None, "no method 'forwrd' in the Dense, did you mean 'forward'?"),
        (
            {"class": "Dense", "gradients": {"x": "dinput"}},
            None,
            "there is nothing at 'dinput' for the gradient of 'x'",
        ),
        ({"class": "Dense", "parameters": {"w": "wieghts"}}, {"x": [4, 5], "w": [5, 3]}, "did you mean 'weights'?"),
        ({"class": "Dense", "parameters": {"w": "bias"}}, {"x": [4, 5], "w": [5, 3]}, "'w' has shape [5, 3], but bias"),
        (
            "Dense",
            {"x": [4, 5], "gamma": [3]},
            "neither the constructor nor forward takes 'gamma', and the Dense has no",
        ),
        ("Forgets", {"x": [4, 5], "shift": [3]}, "the gradient of 'shift' cannot be found; say where with gradients"),
        ("Dnse", None, "there is no 'Dnse' in object_samples"),
    ],
)
def test_what_is_not_found_is_said_with_what_there_is(target, inputs, said):
    result = checked(target, inputs)
    assert result.verdict is Verdict.ERROR
    assert said in result.reason


def test_a_gradient_that_is_not_found_lists_what_the_object_has():
    reason = checked("Forgets", {"x": [4, 5], "shift": [3]}).reason
    assert "backward returned an array (4, 5), and the Forgets has weights (5, 3), bias (3,), shift (3,)" in reason


def test_evaluations_of_the_search_are_not_counted():
    result = checked("Dense")
    passes = sum(count for part in result.gradients for count in part.work.passes.values())
    assert result.backward_evaluations == 13
    assert result.forward_evaluations <= passes + 15
