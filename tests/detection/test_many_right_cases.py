"""Right layers raise no alarm, over many drawn cases."""

from __future__ import annotations

import pytest
from drawn_cases import LARGE, NAMES, drawn, large, seeded_tenth, two_values_share_a_mean
from spec_cases import verified

from gradverify.results import Verdict

COUNT = 560  # in each precision: 40 of each built-in
TENTH, REST = seeded_tenth(COUNT)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("number", [*TENTH, *(pytest.param(number, marks=pytest.mark.slow) for number in REST)])
def test_right_layer_passes(number, dtype):
    entry = drawn(number, dtype)
    found = verified(seed=number, **entry)
    # Of such a gradient eps leaves 1e-8 of the terms: too little for differences to tell in every case.
    allowed = {Verdict.PASS, Verdict.INCONCLUSIVE} if two_values_share_a_mean(entry) else {Verdict.PASS}
    assert found.verdict in allowed, (number, entry, found)


# In float64 large tensors are verified, right and wrong, beside this file.
@pytest.mark.parametrize("elements", [10**4, pytest.param(10**5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("shape", LARGE)
def test_right_layer_passes_on_large_tensors_in_single_precision(shape, elements):
    entry, _ = large(shape, elements, "float32")
    found = verified(**entry)
    assert found.verdict is Verdict.PASS, found


def test_drawn_cases_hold_what_makes_layers_hard():
    entries = [drawn(number) for number in range(COUNT)]
    assert len(TENTH) == COUNT / 10
    assert {entry["layer"] for entry in map(drawn, TENTH)} == set(NAMES)
    layers = [(entry["layer"], entry["params"], entry["inputs"]["x"]) for entry in entries]
    assert sum(two_values_share_a_mean(entry) for entry in entries) < COUNT / 20
    for hard in (
        lambda layer, params, _: layer == "conv2d" and min(params["stride"] + params["dilation"]) > 1,
        lambda layer, params, _: (
            layer == "conv2d" and params["stride"][0] != params["stride"][1] and params["padding"][0]
        ),
        lambda layer, params, _: layer == "maxpool2d" and params["stride"][0] < params["kernel_size"][0],
        lambda layer, _, x: layer == "maxpool2d" and x["init"] == "integers",
        lambda layer, params, _: layer == "batchnorm" and params.get("mode") == "test",
        lambda layer, params, x: layer == "batchnorm" and "mode" not in params and x.get("mean") == 1000,
        lambda layer, params, _: layer == "groupnorm" and params["groups"] > 1,
    ):
        assert sum(bool(hard(*layer)) for layer in layers) > 1
