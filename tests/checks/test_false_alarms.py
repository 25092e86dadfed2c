"""Right layers raise no alarm: every built-in, at several settings and many seeds, in every dtype."""

from __future__ import annotations

import numpy as np
import pytest
from spec_cases import cases

from gradverify import check
from gradverify.checks.case import verify
from gradverify.layers.registry import LAYERS
from gradverify.results import Severity, Verdict

FEATURES = {"x": [6, 3], "gamma": [3], "beta": [3]}
OFFSET = {**FEATURES, "x": {"shape": [6, 3], "mean": 3.0, "std": 2.0}}
FAR = {**FEATURES, "x": {"shape": [6, 3], "mean": 1000.0}}
CONSTANT = {**FEATURES, "x": {"shape": [6, 3], "init": "ones"}}
IMAGES = {"x": [2, 2, 3, 3], "gamma": [2], "beta": [2]}
KERNEL = {"x": [2, 2, 4, 5], "w": [2, 2, 2, 3], "b": [2]}
SETTINGS = {
    "affine": [({"x": [3, 2, 2], "w": [4, 3], "b": [3]}, {})],
    "relu": [({"x": [4, 5]}, {})],
    "leaky_relu": [({"x": [4, 5]}, {}), ({"x": [4, 5]}, {"negative_slope": 0.3})],
    "sigmoid": [({"x": [4, 5]}, {}), ({"x": {"shape": [4, 5], "std": 5.0}}, {})],
    "tanh": [({"x": [4, 5]}, {}), ({"x": {"shape": [4, 5], "std": 5.0}}, {})],
    "conv2d": [
        (KERNEL, {}),
        (KERNEL, {"stride": 2, "padding": 1}),
        ({name: {"shape": shape, "std": 1e-8} for name, shape in KERNEL.items()}, {}),
        (KERNEL, {"stride": [3, 2], "padding": [2, 0], "dilation": [2, 1]}),
    ],
    "maxpool2d": [
        ({"x": [2, 2, 5, 5]}, {"kernel_size": 2}),
        ({"x": [1, 2, 5, 6]}, {"kernel_size": [3, 2], "stride": [2, 1], "padding": 1}),
        # Ties in windows that overlap: an element may get the cotangents of some of them.
        ({"x": {"shape": [1, 2, 5, 5], "init": "ones"}}, {"kernel_size": 3, "stride": 1}),
        (
            {"x": {"shape": [1, 2, 6, 5], "init": "integers", "high": 3, "dtype": "float64"}},
            {"kernel_size": 3, "stride": 2, "padding": 1},
        ),
    ],
    "avgpool2d": [
        ({"x": [2, 2, 5, 5]}, {"kernel_size": 2}),
        ({"x": [1, 2, 5, 6]}, {"kernel_size": 3, "stride": [2, 1], "padding": 1}),
    ],
    "batchnorm": [
        (FEATURES, {}),
        (OFFSET, {"eps": 1e-3}),
        (OFFSET, {"mode": "test", "running_mean": 0.5, "running_var": 2.0}),
        (FAR, {}),
        (CONSTANT, {}),
    ],
    "spatial_batchnorm": [(IMAGES, {}), (IMAGES, {"mode": "test"})],
    "layernorm": [
        ({"x": [3, 5], "gamma": [5], "beta": [5]}, {}),
        ({"x": [2, 2, 3], "gamma": [2, 3], "beta": [2, 3]}, {}),
    ],
    "groupnorm": [({"x": [2, 4, 2, 2], "gamma": [4], "beta": [4]}, {"groups": groups}) for groups in (1, 2, 4)],
    "softmax_loss": [({"x": [5, 4], "y": [5]}, {})],
    "dropout": [({"x": [4, 5]}, {}), ({"x": [4, 5]}, {"p": 0.8, "seed": 3}), ({"x": [4, 5]}, {"mode": "test"})],
}
ROWS = [
    pytest.param(layer, inputs, params, id=f"{layer}-{number}")
    for layer, settings in SETTINGS.items()
    for number, (inputs, params) in enumerate(settings)
]


def test_every_built_in_layer_is_tried():
    assert set(SETTINGS) == set(LAYERS)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 20), marks=pytest.mark.slow)], ids=["few", "many"])
@pytest.mark.parametrize(("layer", "inputs", "params"), ROWS)
def test_right_layers_pass(layer, inputs, params, dtype, seeds):
    entry = {"layer": layer, "inputs": inputs, "params": params, "dtype": dtype}
    for seed in seeds if dtype != "float16" else seeds[:4]:
        for case in cases(entry, seed=seed):
            found = verify(case)
            assert found.verdict is Verdict.PASS, (seed, found)


@pytest.mark.parametrize("layer", ["conv2d", "batchnorm", "spatial_batchnorm", "layernorm", "groupnorm"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_implementation_passes_and_agrees(layer, dtype):
    inputs, params = SETTINGS[layer][-1]
    entry = {"layer": layer, "implementation": "all", "inputs": inputs, "params": params, "dtype": dtype}
    found = [verify(case) for case in cases(entry)]
    assert len(found) > 1
    for result in found:
        assert result.verdict is Verdict.PASS, result


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, Verdict.PASS), (1.003, Verdict.FAIL)])
def test_a_backward_that_rounds_to_single_precision_is_judged_by_it(factor, verdict):
    x = np.random.default_rng(0).normal(size=(40, 50))
    report = check(np.tanh, lambda dout, x: (factor * dout * (1 - np.tanh(x) ** 2)).astype(np.float32), {"x": x})
    assert report.verdict is verdict
    warning = next(part for part in report.cases[0].contracts if part.code == "dtype")
    assert (warning.severity, warning.message) == (Severity.WARNING, "dx is float32, its input is float64")
