"""What public collections do that looks harmless: each right layer passes, each with a gradient times 7 fails."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
from spec_cases import verified

from gradverify.results import Severity, Verdict

FACTOR = 1.0


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape)


class Views:
    """Weights and biases are views of one vector."""

    def __init__(self):
        self.theta, self.dtheta = draw(18), np.zeros(18)
        self.W, self.b = self.theta[:15].reshape(5, 3), self.theta[15:]
        self.gW, self.gb = self.dtheta[:15].reshape(5, 3), self.dtheta[15:]

    def forward(self, x):
        self.x = x
        return x @ self.theta[:15].reshape(5, 3) + self.b

    def backward(self, dout):
        self.gW[...], self.gb[...] = FACTOR * self.x.T @ dout, dout.sum(0)
        return dout @ self.W.T


class Tied:
    """The decoder is a view of the encoder."""

    def __init__(self):
        self.enc = draw(5, 3)
        self.dec = self.enc.T

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.enc)
        return self.h @ self.dec

    def backward(self, dout):
        dh = (dout @ self.dec.T) * (1 - self.h**2)
        self.denc = FACTOR * (self.x.T @ dh + (self.h.T @ dout).T)
        return dh @ self.enc.T


class Slope:
    """Its parameter is a float."""

    def __init__(self):
        self.alpha, self.rate, self.drate = 0.25, 0.1, 5.0

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dout):
        self.dalpha = FACTOR * np.sum(dout * self.x * (self.x <= 0))
        return dout * np.where(self.x > 0, 1, self.alpha)


class Lists:
    def __init__(self):
        self.W = [[0.1 * (i + j) for j in range(3)] for i in range(5)]

    def forward(self, x):
        self.x = x
        return x @ np.array(self.W)

    def backward(self, dout):
        self.dW = FACTOR * self.x.T @ dout
        return dout @ np.array(self.W).T


class OfTheClass:
    """All objects share the tables of their class."""

    params, grads = {}, {}

    def __init__(self):
        self.params["W"] = draw(5, 3)

    def forward(self, x):
        self.x = x
        return x @ self.params["W"]

    def backward(self, dout):
        self.grads["W"] = self.grads.get("W", 0) + FACTOR * self.x.T @ dout
        return dout @ self.params["W"].T


class Private:
    def __init__(self):
        self.__W = draw(5, 3)

    def forward(self, x):
        self.__x = x
        return x @ self.__W

    def backward(self, dout):
        self.__dW = FACTOR * self.__x.T @ dout
        return dout @ self.__W.T


class OddNames:
    """No name says which gradient belongs to which parameter, but their shapes do."""

    def __init__(self):
        self.p, self.memo = {"kernel": draw(5, 3)}, {}

    def forward(self, x):
        self.memo["x"] = x
        return x @ self.p["kernel"]

    def backward(self, signal):
        self.memo["sensitivity"] = FACTOR * self.memo["x"].T @ signal
        return signal @ self.p["kernel"].T


class Remembers:
    """Appears late and remembers every step in a list of tuples."""

    def __init__(self):
        self.W, self.steps = None, []

    def forward(self, x):
        if self.W is None:
            self.W = draw(x.shape[1], 3)
            self.dW = np.zeros_like(self.W)
        self.steps.append((x, np.tanh(x @ self.W)))
        return self.steps[-1][1]

    def backward(self, dout):
        for x, h in self.steps:
            dz = dout * (1 - h**2)
            self.dW += FACTOR * x.T @ dz
        return dz @ self.W.T


class ReturnsItsTable:
    """Its table of gradients is made by the constructor and returned by backward."""

    def __init__(self):
        self.W, self.grads = draw(5, 3), {"W_grad": np.zeros((5, 3)), "x_grad": np.zeros((4, 5))}

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.grads["W_grad"][...] = FACTOR * self.x.T @ dout
        self.grads["x_grad"][...] = dout @ self.W.T
        return self.grads


class Trains:
    """Its default is the pass that does not train."""

    def __init__(self):
        self.gamma = np.ones(5)

    def forward(self, x, training=False):
        self.x = x if training else None
        return x * self.gamma

    def backward(self, dout):
        self.dgamma = FACTOR * (dout * self.x).sum(axis=0)
        return dout * self.gamma


class GradientsLater:
    def __init__(self):
        self.W = draw(5, 3)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.signal = dout
        return dout @ self.W.T

    def compute_gradients(self):
        self.dW = FACTOR * self.x.T @ self.signal


class Steps:
    """A list of outputs, of cotangents and of gradients: one for every step in time."""

    def __init__(self):
        self.W = draw(5, 5)

    def forward(self, xs):
        self.xs, self.hs, h = xs, [], 0
        for x in xs:
            h = np.tanh(x @ self.W + h)
            self.hs.append(h)
        return self.hs

    def backward(self, dhs):
        self.dW, found, after = np.zeros_like(self.W), [], 0
        for x, h, d in zip(self.xs[::-1], self.hs[::-1], dhs[::-1], strict=True):
            after = (d + after) * (1 - h**2)
            self.dW += FACTOR * x.T @ after
            found.append(after @ self.W.T)
        return found[::-1]


class NestedLists:
    """A network that returns a list of gradients for each list of parameters."""

    def __init__(self):
        self.biases, self.weights = [draw(3), draw(2)], [draw(5, 3), draw(3, 2)]

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.weights[0] + self.biases[0])
        return self.h @ self.weights[1] + self.biases[1]

    def backward(self, dout):
        dh = (dout @ self.weights[1].T) * (1 - self.h**2)
        biases, weights = [dh.sum(0), dout.sum(0)], [FACTOR * self.x.T @ dh, self.h.T @ dout]
        return dh @ self.weights[0].T, biases, weights


class OfTheInput:
    def forward(self, data):
        return np.tanh(data)

    def backward(self, data):
        return FACTOR * (1 - np.tanh(data) ** 2)


class OfTheOutput:
    def forward(self, data):
        return np.tanh(data)

    def backward(self, data):
        return FACTOR * (1 - data**2)


class OfACotangent:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, x):
        return FACTOR * x * (1 - self.out**2)


class Network:
    def __init__(self):
        self.params = {"W": draw(5, 3)}

    def loss(self, x, t):
        return ((x @ self.params["W"] - t) ** 2).sum()

    def gradient(self, x, t):
        return {"W": FACTOR * 2 * x.T @ (x @ self.params["W"] - t)}


class Mean:
    def forward(self, y_true, y_pred):
        self.difference = y_pred - y_true
        return (self.difference**2).mean()

    def backward(self):
        return 2 * self.difference / self.difference.size


class NoSum:
    """Its gradient of the bias has an axis too many."""

    def __init__(self):
        self.W, self.b = draw(5, 3), draw(3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout
        return dout @ self.W.T


class NoSumReturned(NoSum):
    def backward(self, dout):
        return dout @ self.W.T, self.x.T @ dout, dout


class OneVector(NoSum):
    """W and b are views of one vector, and only one of them has a right gradient."""

    def __init__(self):
        self.theta = draw(18)
        self.W, self.b = self.theta[:15].reshape(5, 3), self.theta[15:]

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, FACTOR * dout.sum(axis=0)
        return dout @ self.W.T


class Dotted:
    """Keys as in a state dictionary."""

    def __init__(self):
        self.params, self.grads = {"fc1.weight": draw(5, 3)}, {}

    def forward(self, x):
        self.x = x
        return x @ self.params["fc1.weight"]

    def backward(self, dout):
        self.grads["fc1.weight"] = FACTOR * self.x.T @ dout
        return dout @ self.params["fc1.weight"].T


class Recurrent:
    """Its bias begins as zeros, and so does the state that it is given."""

    def __init__(self):
        self.W, self.b = draw(5, 3), np.zeros(3)

    def forward(self, x, h):
        self.x, self.out = x, np.tanh(x @ self.W + h + self.b)
        return self.out

    def backward(self, dout):
        dz = dout * (1 - self.out**2)
        self.dW, self.db, self.dh = self.x.T @ dz, FACTOR * dz.sum(axis=0), dz
        return dz @ self.W.T, dz


class SameShapes:
    """Two parameters of one shape in a list are no pair of a value and its gradient."""

    def __init__(self):
        self.params, self.grads = [np.ones(5), np.zeros(5)], [np.zeros(5), np.zeros(5)]

    def forward(self, x):
        self.x = x
        return x * self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads[0][...], self.grads[1][...] = FACTOR * (dout * self.x).sum(axis=0), dout.sum(axis=0)
        return dout * self.params[0]


class Buffers:
    """A buffer with a gradient beside it, a fixed mask, and a gradient that backward keeps as well."""

    def __init__(self):
        self.W, self.h, self.mask = draw(5, 3), np.zeros((4, 3)), (draw(4, 5) > 0).astype(float)

    def forward(self, x):
        self.x = x * self.mask
        self.h[...] = self.x @ self.W
        return np.tanh(self.h)

    def backward(self, dout):
        self.dh = dout * (1 - np.tanh(self.h) ** 2)
        self.dW = FACTOR * self.x.T @ self.dh
        self.dx = self.dh @ self.W.T * self.mask
        return self.dx


class Counted:
    """Parameters that are whole numbers."""

    def __init__(self):
        self.W, self.slope = np.arange(15).reshape(5, 3), 2

    def forward(self, x):
        self.x = x
        return self.slope * x @ self.W

    def backward(self, dout):
        self.dW, self.dslope = self.slope * self.x.T @ dout, FACTOR * np.sum(dout * (self.x @ self.W))
        return self.slope * dout @ self.W.T


class OptionalCotangent:
    def forward(self, x, h):
        self.out = np.tanh(x + h)
        return self.out, self.out * h

    def backward(self, dy, dh=None):  # noqa: ARG002  the mistake
        return dy * (1 - self.out**2), dy


class Made:
    """Its weights are a property."""

    def __init__(self):
        self.theta = draw(15)

    @property
    def W(self):  # noqa: N802  as people name it
        return self.theta.reshape(5, 3)

    @property
    def output_shape(self):
        raise RuntimeError("not built")

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Forgotten:
    """Backward leaves the gradient of its bias as the constructor made it."""

    def __init__(self):
        self.W, self.b, self.dW, self.db = draw(5, 3), draw(3), None, None

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Unknown:
    def __init__(self):
        self.W = draw(5, 3)

    def forward(self, x):
        return x @ self.W

    def backward(self, dout):
        self.seen = dout[0, 0]


@pytest.fixture(autouse=True)
def module(monkeypatch):
    made = ModuleType("wild_samples")
    for value in list(globals().values()):
        if isinstance(value, type):
            setattr(made, value.__name__, value)
    monkeypatch.setitem(sys.modules, "wild_samples", made)


def checked(target, inputs=None):
    target = target if isinstance(target, dict) else {"class": target}
    return verified(object={**target, "class": f"wild_samples:{target['class']}"}, inputs=inputs or {"x": [4, 5]})


TARGETS = [
    ("Views", None, {"x", "theta"}, "theta"),
    ("Tied", None, {"x", "enc"}, "enc"),
    ("Slope", None, {"x", "alpha"}, "alpha"),
    ("Lists", None, {"x", "W"}, "W"),
    ("OfTheClass", None, {"x", "W"}, "W"),
    ("Private", None, {"x", "W"}, "W"),
    ("OddNames", None, {"x", "kernel"}, "kernel"),
    ("Remembers", None, {"x", "W"}, "W"),
    ("ReturnsItsTable", None, {"x", "W"}, "W"),
    ("Trains", None, {"x", "gamma"}, "gamma"),
    ({"class": "GradientsLater", "after": "compute_gradients"}, None, {"x", "W"}, "W"),
    ("Steps", {"xs": [3, 4, 5]}, {"xs", "W"}, "W"),
    ("NestedLists", None, {"x", "biases[0]", "biases[1]", "weights[0]", "weights[1]"}, "weights[0]"),
    ("OfTheInput", {"data": [4, 5]}, {"data"}, "data"),
    ("OfTheOutput", {"data": [4, 5]}, {"data"}, "data"),
    ("OfACotangent", None, {"x"}, "x"),
    ("OneVector", None, {"x", "W", "b"}, "b"),
    ("Dotted", None, {"x", "fc1.weight"}, "fc1.weight"),
    ("Recurrent", {"x": [4, 5], "h": {"shape": [4, 3], "init": "zeros"}}, {"x", "h", "W", "b"}, "b"),
    ("SameShapes", None, {"x", "params[0]", "params[1]"}, "params[0]"),
    ({"class": "Buffers", "constants": ["mask"]}, None, {"x", "W"}, "W"),
    ("Counted", None, {"x", "W", "slope"}, "slope"),
    ("Network", {"x": {"shape": [4, 5], "grad": False}, "t": {"shape": [4, 3], "grad": False}}, {"W"}, "W"),
]


@pytest.mark.parametrize(("target", "inputs", "found", "blamed"), TARGETS, ids=range(len(TARGETS)))
def test_right_code_passes_and_wrong_code_is_blamed_where_it_is_wrong(target, inputs, found, blamed, monkeypatch):
    right = checked(target, inputs)
    assert {part.input: part.verdict for part in right.gradients} == dict.fromkeys(found, Verdict.PASS), right.reason
    broken = {part.code: part.severity for part in right.contracts if part.verdict is not Verdict.PASS}
    assert broken in ({}, {"backward-twice": Severity.WARNING})  # some add to their gradients
    monkeypatch.setattr(sys.modules[__name__], "FACTOR", 7.0)
    wrong = checked(target, inputs)
    failed = {part.input for part in wrong.gradients if part.verdict is Verdict.FAIL}
    assert failed == {blamed}


def test_one_gradient_for_two_inputs_is_asked_about():
    result = checked("Mean", {"y_true": [4, 5], "y_pred": [4, 5]})
    assert result.verdict is Verdict.ERROR
    assert "backward returned one array, and several inputs have a gradient (y_true, y_pred)" in result.reason
    said = {"class": "Mean", "gradients": {"y_pred": "returned"}}
    assert checked(said, {"y_true": {"shape": [4, 5], "grad": False}, "y_pred": [4, 5]}).verdict is Verdict.PASS


@pytest.mark.parametrize("target", ["NoSum", "NoSumReturned"])
def test_a_sum_that_was_forgotten_fails(target):
    result = checked(target)
    assert {part.input: part.verdict.value for part in result.gradients} == {"x": "pass", "W": "pass", "b": "fail"}
    assert result.reason == "db has shape [4, 3], expected [3]"


def test_a_constant_that_is_not_named_is_not_verified():
    result = checked("Buffers")
    assert result.verdict is Verdict.PASS
    message = next(part.message for part in result.contracts if part.code == "coverage")
    assert message == "mask of the object moves the output, and no gradient was found"


def test_a_cotangent_with_a_default_is_one():
    assert checked("OptionalCotangent", {"x": [4, 5], "h": [4, 5]}).verdict is Verdict.FAIL


def test_what_a_property_makes_cannot_be_set():
    result = checked("Made", {"x": [4, 5], "W": [5, 3]})
    assert result.reason == "'W' cannot be set: a property makes it, name the array that it is made from"


@pytest.mark.parametrize("inputs", [{"x": [4, 5]}, {"x": [4, 5], "b": [3]}])
def test_a_gradient_that_was_forgotten_fails(inputs):
    result = checked("Forgotten", inputs)
    assert {part.input: part.verdict.value for part in result.gradients} == {"x": "pass", "W": "pass", "b": "fail"}
    assert result.reason == "backward left no gradient for b"


def test_nothing_verified_is_no_pass():
    result = checked("Unknown", {"x": {"shape": [4, 5], "grad": False}})
    assert result.verdict is Verdict.SKIP
    assert result.reason == "nothing to verify: W of the object moves the output, and no gradient was found"
