"""References: which of the two is wrong, the forward pass or its gradients."""

# ruff: noqa: NPY002  layers take what they are given, and draw as people let them

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases, functions, verified

from gradverify.checks.case import verify
from gradverify.results import Verdict

HERE = "test_reference"


def softplus(x):
    return np.log1p(np.exp(x)), x


def square(x):
    return x**2, x


def doubled_square(x):
    return 2 * x**2, x


def square_backward(dout, x):
    return 2 * x * dout


def doubled_backward(dout, x):
    return 4 * x * dout


def overflowing_square(x):
    out = x**2
    out[0, 0] = np.inf
    return out, x


def overflowing_backward(dout, x):
    dx = 2 * x * dout
    dx[0, 0] = np.inf
    return dx


def flat_square(x):
    return (x**2).ravel(), x


def flat_backward(dout, x):
    return 2 * x * dout.reshape(x.shape)


def layer_norm(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    xhat = (x - mean) / np.sqrt(var + eps)
    return gamma * xhat + beta, (xhat, gamma, np.sqrt(var + eps))


def layer_norm_backward(dout, cache):
    xhat, gamma, std = cache
    d = dout * gamma
    dx = (d - d.mean(axis=1, keepdims=True) - xhat * (d * xhat).mean(axis=1, keepdims=True)) / std
    return dx, (dout * xhat).sum(axis=0), dout.sum(axis=0)


def naive_variance(x, gamma, beta, eps=1e-5):
    mean = x.mean(axis=1, keepdims=True)
    var = (x**2).mean(axis=1, keepdims=True) - mean**2
    xhat = (x - mean) / np.sqrt(var + eps)
    return gamma * xhat + beta, (xhat, gamma, np.sqrt(var + eps))


def dense_features_first(w, x):
    return w @ x, (w, x)


def dense_features_first_backward(dout, cache):
    w, x = cache
    return dout @ x.T, w.T @ dout


def dropout(x, p=0.5):
    mask = (np.random.rand(*x.shape) < p) / p
    return x * mask, mask


def dropout_unscaled(x, p=0.5):
    mask = np.random.rand(*x.shape) < p
    return x * mask, mask


def dropout_backward(dout, mask):
    return dout * mask


def squared_loss(x, y):
    probabilities = np.exp(x - x.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    loss = -np.mean(np.sum(y * np.log(probabilities), axis=1))
    return loss, (probabilities - y) / len(y)


def of(result, code):
    found = [contract for contract in result.contracts if contract.code == code]
    return found[0] if found else None


def own(forward, backward, **more):
    reference = {"functions": functions(HERE, "square", "square_backward")}
    entry = {"inputs": {"x": [3, 4]}, "reference": reference, **more}
    return verified(functions=functions(HERE, forward, backward), **entry)


def test_a_right_layer_equals_its_reference():
    found = own("square", "square_backward")
    assert found.verdict is Verdict.PASS
    assert of(found, "reference-forward").message == f"the forward pass is that of {HERE}:square_backward, to rounding"
    assert of(found, "reference-gradients").verdict is Verdict.PASS


def test_gradients_that_do_not_belong_to_a_right_forward_pass():
    found = own("square", "doubled_backward")
    assert found.verdict is Verdict.FAIL
    assert found.reason == f"the forward pass is that of {HERE}:square_backward; the gradients do not belong to it"
    assert of(found, "reference-gradients").verdict is Verdict.FAIL
    assert "although the forward pass is that of" in of(found, "reference-gradients").message


def test_a_wrong_forward_pass_whose_gradients_belong_to_it():
    found = own("doubled_square", "doubled_backward")
    name = f"{HERE}:square_backward"
    assert found.verdict is Verdict.FAIL
    assert found.reason == f"the forward pass is not that of {name}; the gradients belong to the forward pass as it is"
    assert of(found, "reference-gradients") is None
    assert all(gradient.verdict is Verdict.PASS for gradient in found.gradients)
    said = of(found, "reference-forward").message
    assert said.startswith(f"the forward pass is not that of {name}: out is ")
    assert "(12 of 12 entries differ)" in said


def test_a_wrong_forward_pass_with_gradients_of_another():
    found = own("doubled_square", "square_backward")
    assert found.reason == (
        f"the forward pass is not that of {HERE}:square_backward, and the gradients do not belong to it either"
    )


@pytest.mark.parametrize(
    ("forward", "backward", "code"),
    [
        ("overflowing_square", "square_backward", "reference-forward"),
        ("square", "overflowing_backward", "reference-gradients"),
    ],
)
def test_one_entry_of_a_reference_that_is_infinite_differs_alone(forward, backward, code):
    reference = {"functions": functions(HERE, forward, backward)}
    said = of(own("square", "square_backward", reference=reference), code)
    assert said.verdict is Verdict.FAIL
    assert "at [0, 0], expected inf, off by inf (1 of 12 entries differ)" in said.message


def test_outputs_of_another_shape_are_another_forward_pass():
    found = own("flat_square", "flat_backward")
    assert found.verdict is Verdict.FAIL
    assert f"out has shape [12], {HERE}:square_backward gives [3, 4]" in of(found, "reference-forward").message


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("forward", ["layer_norm", "naive_variance"])
def test_two_ways_to_compute_one_formula_are_the_same_to_rounding(forward, dtype):
    inputs = {"x": {"shape": [4, 6], "mean": 10.0}, "gamma": [6], "beta": [6]}
    found = verified(
        functions=functions(HERE, forward, "layer_norm_backward"), inputs=inputs, reference="layernorm", dtype=dtype
    )
    assert of(found, "reference-forward").verdict is Verdict.PASS
    assert of(found, "reference-gradients").verdict is Verdict.PASS


def test_another_eps_is_another_layer():
    inputs = {"x": [4, 6], "gamma": [6], "beta": [6]}
    entry = {"functions": functions(HERE, "layer_norm", "layer_norm_backward"), "inputs": inputs}
    assert verified(**entry, params={"eps": 1e-3}, reference="layernorm").verdict is Verdict.PASS
    other = verified(**entry, params={"eps": 1e-3}, reference={"layer": "layernorm", "params": {"eps": 1e-5}})
    assert of(other, "reference-forward").verdict is Verdict.FAIL


def test_a_reference_is_turned_to_the_layout_of_the_case():
    entry = {
        "functions": functions(HERE, "dense_features_first", "dense_features_first_backward"),
        "inputs": {"w": ["$M", "$D"], "x": ["$D", "$N"]},
        "battery": "affine",
        "reference": "affine",
    }
    found = [verify(case) for case in cases(entry)]
    assert {item.verdict for item in found} == {Verdict.PASS}
    assert all(of(item, "reference-gradients").verdict is Verdict.PASS for item in found)


def test_labels_may_be_rows_of_zeros_and_a_one():
    found = verified(
        functions=functions(HERE, "squared_loss", None) | {"returns": ["out", "grad"]},
        inputs={"x": [5, 4], "y": {"shape": [5, 4], "init": "onehot"}},
        reference="softmax_loss",
    )
    assert found.verdict is Verdict.PASS
    assert of(found, "reference-gradients").verdict is Verdict.PASS


def test_the_mask_of_a_dropout_is_read_off():
    entry = {"inputs": {"x": [20, 5]}, "params": {"p": 0.8}, "reference": "dropout"}
    right = verified(functions=functions(HERE, "dropout", "dropout_backward"), **entry)
    assert right.verdict is Verdict.PASS
    assert of(right, "reference-gradients").verdict is Verdict.PASS
    unscaled = verified(functions=functions(HERE, "dropout_unscaled", "dropout_backward"), **entry)
    assert unscaled.reason == (
        "the forward pass is not that of dropout; the gradients belong to the forward pass as it is"
    )
    assert "it multiplies with 1, expected 0 or 1/p = 1.25" in of(unscaled, "reference-forward").message
    dropped = verified(
        functions=functions(HERE, "dropout", "dropout_backward"),
        **entry | {"reference": {"layer": "dropout", "params": {"p": 0.2}}},
    )
    assert of(dropped, "reference-forward").verdict is Verdict.FAIL


def test_at_kinks_the_outputs_alone_are_compared():
    found = verified(layer="relu", battery={"layer": "relu", "rows": ["zeros"]}, reference="relu")
    assert of(found, "reference-forward").verdict is Verdict.PASS
    assert of(found, "reference-gradients") is None


def test_without_a_reference_there_is_nothing_to_say():
    found = verified(functions=functions(HERE, "square", "square_backward"), inputs={"x": [3, 4]})
    assert of(found, "reference-forward") is None


def test_a_layer_that_is_no_softplus_at_all():
    found = verified(functions=functions(HERE, "softplus", "square_backward"), inputs={"x": [3, 4]}, reference="relu")
    assert "the forward pass is not that of relu" in found.reason


def raising(x):
    raise ZeroDivisionError(f"no {x.ndim}"[:2])


def test_a_reference_that_raises_itself_is_an_error_and_no_finding():
    reference = {"functions": functions(HERE, "raising", "square_backward")}
    found = verified(functions=functions(HERE, "square", "square_backward"), inputs={"x": [3]}, reference=reference)
    assert found.verdict is Verdict.ERROR
    assert (
        f"the reference {HERE}:square_backward raised on the inputs of the case: ZeroDivisionError: no" in found.reason
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_mask_of_double_precision_on_data_of_single_precision(dtype, seed):
    entry = {
        "functions": functions(HERE, "dropout", "dropout_backward"),
        "params": {"p": "$p"},
        "battery": "dropout",
        "reference": "dropout",
    }
    found = [verify(case) for case in cases(entry, dtype=dtype, seed=seed)]
    assert [(item.id, item.reason) for item in found if item.verdict is not Verdict.PASS] == []


def raising_backward(dout, x):
    raise RuntimeError(f"no gradient of {x.ndim} axes from {dout.ndim}")


def test_a_reference_whose_backward_pass_raises_is_an_error_too():
    reference = {"functions": functions(HERE, "square", "raising_backward")}
    found = verified(functions=functions(HERE, "square", "square_backward"), inputs={"x": [3]}, reference=reference)
    assert found.verdict is Verdict.ERROR
    assert "raised on the inputs of the case" in found.reason
