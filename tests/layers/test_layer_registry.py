"""The table of layers says what the functions do."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pkgutil import resolve_name

import numpy as np
import pytest
from layer_variants import Variant

from gradverify.layers.registry import LAYERS, Implementation, LayerInfo

ROWS = [(layer, item) for layer in LAYERS.values() for item in layer.implementations]
every_row = pytest.mark.parametrize(("layer", "item"), ROWS, ids=[f"{layer.name}-{item.name}" for layer, item in ROWS])


@every_row
def test_signatures_are_those_of_the_table(layer: LayerInfo, item: Implementation) -> None:
    taken = inspect.signature(resolve_name(item.forward)).parameters
    assert list(taken) == [*(role.name for role in layer.inputs), *(entry.name for entry in layer.parameters)]
    for entry in layer.parameters:
        given = taken[entry.name]
        assert given.kind is inspect.Parameter.KEYWORD_ONLY
        assert given.default == (inspect.Parameter.empty if entry.required else entry.default)
    assert list(inspect.signature(resolve_name(item.backward)).parameters) == ["dout", "cache"]


@every_row
def test_the_example_runs(layer: LayerInfo, item: Implementation) -> None:
    variant = Variant(layer.name, item.name, layer.example, layer.example_params or {})
    inputs = variant.inputs()
    out, cache = variant.forward(inputs)
    gradients = variant.backward(variant.cotangent(out), cache)
    assert np.all(np.isfinite(out))
    assert {name: gradient.shape for name, gradient in gradients.items()} == {
        name: inputs[name].shape for name in variant.differentiable
    }


@pytest.mark.parametrize("item", [item for _, item in ROWS], ids=lambda item: item.backward.partition(":")[2])
def test_formulas_are_documented(item: Implementation) -> None:
    for reference in (item.forward, item.backward):
        documented = inspect.getdoc(resolve_name(reference))
        assert documented is not None
        assert "::" in documented
        assert "=" in documented or "sum" in documented


def test_the_fast_implementation_exists() -> None:
    for layer in LAYERS.values():
        assert layer.fast in {item.name for item in layer.implementations}


def test_the_table_needs_no_numpy() -> None:
    code = "import sys, gradverify.layers.registry; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
