"""What outputs depend on, beside a layer of the same kind: samples that meet, and entries that are read or not."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases, functions, verified

from gradverify.checks.case import verify
from gradverify.results import Severity, Verdict

HERE = "test_dependence"


def _normalized(x, groups, axes):
    grouped = x.reshape(len(x), groups, -1, *x.shape[2:])
    mean, var = grouped.mean(axis=axes, keepdims=True), grouped.var(axis=axes, keepdims=True)
    std = np.sqrt(var + 1e-5)
    return (grouped - mean) / std, std


def _group_norm(axes):
    def forward(x, gamma, beta, groups):
        xhat, std = _normalized(x, groups, axes)
        out = gamma[:, None, None] * xhat.reshape(x.shape) + beta[:, None, None]
        return out, (xhat, std, gamma)

    def backward(dout, cache):
        xhat, std, gamma = cache
        flat = xhat.reshape(dout.shape)
        d = (dout * gamma[:, None, None]).reshape(xhat.shape)
        shared = d.mean(axis=axes, keepdims=True) + xhat * (d * xhat).mean(axis=axes, keepdims=True)
        dx = ((d - shared) / std).reshape(dout.shape)
        return dx, (dout * flat).sum(axis=(0, 2, 3)), dout.sum(axis=(0, 2, 3))

    return forward, backward


group_norm, group_norm_backward = _group_norm((2, 3, 4))
coupling, coupling_backward = _group_norm((0, 2, 3, 4))
per_channel, per_channel_backward = _group_norm((3, 4))


def centred(x):
    return x - x.mean(axis=0), None


def centred_backward(dout, cache):  # noqa: ARG001  as it is called
    return dout - dout.mean(axis=0)


def relu(x):
    return np.maximum(x, 0), x


def relu_backward(dout, x):
    return dout * (x > 0)


def pool(x, size):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // size, size, w // size, size).mean(axis=(3, 5)), (x, size)


def pool_backward(dout, cache):
    x, size = cache
    return np.repeat(np.repeat(dout, size, axis=2), size, axis=3)[:, :, : x.shape[2], : x.shape[3]] / size**2


def of(result, code):
    found = [contract for contract in result.contracts if contract.code == code]
    return found[0] if found else None


def norms(name, rows):
    entry = {
        "functions": functions(HERE, name, f"{name}_backward"),
        "params": {"groups": "$groups"},
        "battery": {"layer": "groupnorm", "rows": rows},
    }
    return [verify(case) for case in cases(entry)]


def test_a_right_layer_keeps_samples_apart_and_reads_what_its_kind_reads():
    for found in norms("group_norm", ["usual", "instance", "one-group"]):
        assert found.verdict is Verdict.PASS
        assert of(found, "sample-independence").verdict is Verdict.PASS
        assert of(found, "footprint").verdict is Verdict.PASS


def test_a_group_norm_that_couples_samples_has_right_gradients_and_a_wrong_forward_pass():
    (found,) = norms("coupling", ["usual"])
    assert found.verdict is Verdict.FAIL
    assert all(gradient.verdict is Verdict.PASS for gradient in found.gradients)
    contract = of(found, "sample-independence")
    assert (contract.verdict, contract.severity) == (Verdict.FAIL, Severity.FAILURE)
    assert "outputs of other samples move with the first sample; a groupnorm keeps samples apart" in contract.message


def test_a_footprint_that_is_too_small():
    usual, instance = norms("per_channel", ["usual", "instance"])
    contract = of(usual, "footprint")
    assert contract.verdict is Verdict.FAIL
    assert "which it moves in a groupnorm" in contract.message
    assert of(usual, "sample-independence").verdict is Verdict.PASS
    assert instance.verdict is Verdict.PASS


def test_a_footprint_that_is_too_large():
    found = verified(functions=functions(HERE, "centred", "centred_backward"), inputs={"x": [3, 4]}, reference="relu")
    assert "which it does not move in a relu" in of(found, "footprint").message
    assert of(found, "sample-independence").verdict is Verdict.FAIL


def test_a_batch_norm_may_couple_samples():
    found = [verify(case) for case in cases({"layer": "batchnorm", "battery": "batchnorm"})]
    assert all(of(item, "sample-independence") is None for item in found)


def test_outputs_of_another_shape_are_a_warning_where_nothing_but_the_battery_names_the_kind():
    entry = {
        "functions": functions(HERE, "pool", "pool_backward"),
        "inputs": {"x": "$x"},
        "battery": {"layer": "avgpool2d", "rows": ["halves"]},
        "params": {"size": 3},
    }
    (found,) = [verify(case) for case in cases({**entry, "battery": {**entry["battery"], "fixed": {"kernel_size": 2}}})]
    contract = of(found, "footprint")
    assert (found.verdict, contract.severity) == (Verdict.PASS, Severity.WARNING)
    assert "out has shape [2, 3, 2, 2], avgpool2d gives [2, 3, 3, 3], with kernel_size = 2" in contract.message


def test_layers_of_no_known_kind_have_no_footprint():
    found = verified(functions=functions(HERE, "relu", "relu_backward"), inputs={"x": [3, 4]})
    assert of(found, "footprint") is None
    assert of(found, "sample-independence") is None


def group_norm_in_single(x, gamma, beta, groups):
    out, cache = group_norm(*(array.astype(np.float32) for array in (x, gamma, beta)), groups)
    return out.astype(x.dtype), cache


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("forward", ["group_norm", "group_norm_in_single"])
@pytest.mark.parametrize("seed", range(3))
def test_what_single_precision_rounds_away_is_no_missing_dependence(forward, dtype, seed):
    entry = {
        "functions": functions(HERE, forward, "group_norm_backward"),
        "params": {"groups": "$groups"},
        "battery": "groupnorm",
        "checks": ["contracts"],
    }
    found = [verify(case) for case in cases(entry, dtype=dtype, seed=seed)]
    said = [of(item, "footprint").message for item in found if of(item, "footprint").verdict is not Verdict.PASS]
    assert said == []
