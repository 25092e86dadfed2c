"""The contract ``finite`` at data on the edge: what overflows or divides by nothing there is warned of."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from spec_cases import contract_of, functions, verified

from gradverify.results import Severity, Verdict

MODULE = "test_contract_probes"


def softmax_loss(x, y):
    p = np.exp(x)
    p /= p.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(x)), y]).mean(), (p, y)


def stable_loss(x, y):
    shifted = x - x.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    return (np.log(total[:, 0]) - shifted[rows, y]).mean(), (np.exp(shifted) / total, y)


def loss_backward(dout, cache):
    p, y = cache
    dx = p.copy()
    dx[np.arange(len(p)), y] -= 1
    return dout * dx / len(p)


def norm(x, eps=0.0):
    centred = x - x.mean(axis=0)
    deviation = np.sqrt((centred**2).mean(axis=0) + eps)
    return centred / deviation, (centred / deviation, deviation)


def norm_backward(dout, cache):
    xhat, deviation = cache
    return (dout - dout.mean(axis=0) - xhat * (dout * xhat).mean(axis=0)) / deviation


def inverse(x):
    return 1 / x**60, x


def inverse_backward(dout, x):
    return -60 * dout / x**61


def logarithm(x):
    if np.any(x <= 0):
        raise ValueError("not positive")
    return np.log(x), x


def logarithm_backward(dout, x):
    return dout / x


def refuses_large(x):
    if np.abs(x).max() > 100:
        raise OverflowError("too large for me")
    return np.exp(x), np.exp(x)


def refuses_large_backward(dout, e):
    return dout * e


LABELS = {"x": [5, 3], "y": {"shape": [5], "init": "integers", "high": 3}}
POSITIVE = {"x": {"shape": [4, 3], "init": "uniform", "low": 0.5, "high": 2}}


def result(forward, backward, inputs, **entry):
    return verified(functions=functions(MODULE, forward, backward), inputs=inputs, **entry)


@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "said"),
    [
        (
            "softmax_loss",
            "loss_backward",
            LABELS,
            "entries of output 1 are not finite, with inputs 1000 times as large",
        ),
        ("norm", "norm_backward", {"x": [5, 3]}, "15 of 15 entries of output 1 are not finite, with constant inputs"),
        ("inverse", "inverse_backward", POSITIVE, "of output 1 are not finite, with inputs 1e-6 times as large"),
    ],
)
def test_layer_that_overflows_or_divides_by_nothing_on_the_edge_is_warned_of(forward, backward, inputs, said):
    found = result(forward, backward, inputs)
    warned = contract_of(found, "finite")
    assert (warned.verdict, warned.severity) == (Verdict.FAIL, Severity.WARNING)
    assert said in warned.message
    assert found.verdict is Verdict.PASS


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize(
    ("forward", "backward", "inputs", "params"),
    [
        ("stable_loss", "loss_backward", LABELS, {}),
        ("norm", "norm_backward", {"x": [5, 3]}, {"eps": 1e-3}),
        ("logarithm", "logarithm_backward", POSITIVE, {}),
        ("refuses_large", "refuses_large_backward", {"x": [4, 3]}, {}),
    ],
)
def test_layer_that_is_finite_there_or_refuses_such_data(forward, backward, inputs, params, dtype):
    found = result(forward, backward, inputs, params=params, dtype=dtype)
    assert contract_of(found, "finite").verdict is Verdict.PASS, found.contracts


def test_half_precision_is_not_given_what_it_cannot_hold():
    message = contract_of(
        result("norm", "norm_backward", {"x": [5, 3]}, params={"eps": 1e-3}, dtype="float16"), "finite"
    )
    assert message.message == "outputs and gradients are finite, also with constant inputs"


def test_probes_warn_nobody(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = result("softmax_loss", "loss_backward", LABELS)
    assert "RuntimeWarning" not in contract_of(found, "finite").message
    assert capfd.readouterr().err == ""
