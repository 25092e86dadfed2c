"""Ways of writing layers as classes that were met in packages of others, in small."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import verified

from gradverify.results import Verdict


class Tanh:
    """Keeps the inputs of every forward pass in a list that only its own reset empties."""

    def __init__(self):
        self.X = []

    def forward(self, x):
        self.X.append(x)
        return np.tanh(x)

    def backward(self, dout):
        (x,) = self.X
        return dout * (1 - np.tanh(x) ** 2)


class ForgetsHalf:
    """Has no parameters; its reset leaves a part of it that cannot run a second time."""

    def __init__(self):
        self.inner = Tanh()

    def forward(self, q, k):
        self.given = q, k
        return self.inner.forward(q @ k.T)

    def flush_gradients(self):
        del self.given

    def backward(self, dout):
        q, k = self.given
        dscores = self.inner.backward(dout)
        return dscores @ k, dscores.T @ q


class Gate:
    """Keeps its inputs in a list, under the name of an input and deep inside what holds it."""

    def __init__(self):
        self.X, self.W = None, np.linspace(-1, 1, 12).reshape(4, 3)

    def forward(self, x):
        self.X.append([np.tanh(x), x])
        return x @ self.W

    def backward(self, dout):
        ((_, x),) = self.X
        self.dW = x.T @ dout
        return dout @ self.W.T


class Module:
    """Its reset breaks it: nothing can be learned from a second pass of the same object."""

    def __init__(self):
        self.gate = Gate()
        self.gate.X = []

    def forward(self, x):
        return self.gate.forward(x)

    def flush_gradients(self):
        self.gate.X = None

    def backward(self, dout):
        self.dX = self.gate.backward(dout)
        return self.dX


class SquaredError:
    """Its gradient is that behind an activation, which backward is given with what went into it."""

    def loss(self, y, y_pred):
        return 0.5 * np.sum((y_pred - y) ** 2)

    def grad(self, y, y_pred, scale):
        return (y_pred - y) * scale


class Loss:
    def forward(self, scores, labels):
        self.scores = scores
        return np.mean((scores - labels) ** 2)

    def backward(self, labels):
        return 2 * (self.scores - labels) / labels.size


class NamedAsItsInput:
    def forward(self, x):
        self.kept = x
        return x**2

    def backward(self, x):
        return 2 * self.kept * x


class LateTables:
    """Makes parameters and a table of memories in its first pass, and remembers that it did."""

    def __init__(self):
        self.X, self.memory, self.parameters, self.gradients, self.is_initialized = [], {}, {}, {}, False

    def forward(self, x):
        if not self.is_initialized:
            self.parameters = {"W": np.linspace(-1, 1, 12).reshape(4, 3)}
            self.memory, self.gradients, self.is_initialized = {"Z": []}, {"W": np.zeros((4, 3))}, True
        z = x @ self.parameters["W"]
        self.X.append(x)
        self.memory["Z"].append(z)
        return np.tanh(z)

    def backward(self, dout):
        returned = []
        for x, z in zip(self.X, self.memory["Z"], strict=True):
            dz = dout * (1 - np.tanh(z) ** 2)
            self.gradients["W"] += x.T @ dz
            returned.append(dz @ self.parameters["W"].T)
        return sum(returned)


class LateLists(LateTables):
    """Has not even a list before its first pass."""

    def __init__(self):
        super().__init__()
        del self.X, self.memory

    def forward(self, x):
        if not self.is_initialized:
            self.X = []
        return super().forward(x)


class Normalizes:
    """Makes its parameters together with averages that every pass replaces, where those are missing."""

    def __init__(self):
        self.gamma = self.beta = self.running_mean = None

    def forward(self, x):
        if self.running_mean is None:
            self.gamma, self.beta, self.running_mean = np.ones(x.shape[1]), np.zeros(x.shape[1]), np.zeros(x.shape[1])
        self.running_mean = 0.9 * self.running_mean + 0.1 * x.mean(axis=0)
        self.centred = x - x.mean(axis=0)
        return self.gamma * self.centred + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.centred).sum(axis=0), dout.sum(axis=0)
        return self.gamma * (dout - dout.mean(axis=0))


MODULE = __name__


def inputs_of(result):
    return [gradient.input for gradient in result.gradients]


def test_an_object_without_parameters_is_looked_at_before_its_reset():
    result = verified(object=f"{MODULE}:ForgetsHalf()", inputs={"q": [3, 4], "k": [3, 4]})
    assert (result.verdict, inputs_of(result)) == (Verdict.PASS, ["q", "k"])


def test_what_other_inputs_change_is_no_parameter_of_an_object_for_one_pass():
    result = verified(object=f"{MODULE}:Module()", inputs={"x": [5, 4]})
    assert (result.verdict, inputs_of(result)) == (Verdict.PASS, ["x", "W"]), result.reason


def test_a_constant_may_be_for_backward_alone():
    target = {"class": f"{MODULE}:SquaredError", "forward": "loss(y, y_pred)", "backward": "grad(y, y_pred, scale)"}
    constant = {"shape": [4, 3], "init": "ones", "grad": False}
    result = verified(object=target, inputs={"y": constant, "y_pred": [4, 3], "scale": constant})
    assert (result.verdict, inputs_of(result)) == (Verdict.PASS, ["y_pred"]), result.reason


def test_the_only_argument_of_the_backward_of_a_loss_is_an_input_of_that_name():
    inputs = {"scores": [4, 3], "labels": {"shape": [4, 3], "grad": False}}
    result = verified(object=f"{MODULE}:Loss", inputs=inputs)
    assert result.verdict is Verdict.PASS, result.reason


def test_the_only_argument_of_the_backward_of_a_layer_is_the_cotangent_whatever_its_name():
    result = verified(object=f"{MODULE}:NamedAsItsInput", inputs={"x": [4, 3]})
    assert result.verdict is Verdict.PASS, result.reason


@pytest.mark.parametrize("kind", ["LateTables", "LateLists"])
def test_memory_that_appears_with_the_parameters_is_emptied_and_kept(kind):
    result = verified(object=f"{MODULE}:{kind}", inputs={"x": [5, 4]})
    assert (result.verdict, inputs_of(result)) == (Verdict.PASS, ["x", "W"]), result.reason


def test_parameters_stay_where_what_is_made_with_them_is_replaced_by_every_pass():
    result = verified(object=f"{MODULE}:Normalizes", inputs={"x": [5, 4]})
    assert (result.verdict, inputs_of(result)) == (Verdict.PASS, ["x", "gamma", "beta"]), result.reason
