"""Every wrong layer is caught and its right twin passes, by the route that a user's spec takes."""

from __future__ import annotations

import json

import pytest
from wrong_layers import WRONG_LAYERS, WrongLayer

from gradverify.checks.case import verify
from gradverify.results import Verdict
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.overriding import Overrides

SEEDS = (0, 1, 2)
RIGHT = {(row.right, str(row.inputs), str(row.params)): row for row in WRONG_LAYERS}


def results(folder, row: WrongLayer, pair: tuple[str, str], dtype: str, seeds=SEEDS):
    """Write a spec for one pair of functions, and verify its case at every seed."""
    forward, backward = (f"wrong_layers:{name}" for name in pair)
    case = {
        "name": "case",
        "functions": {"forward": forward, "backward": backward},
        "inputs": row.inputs,
        "params": row.params,
        "dtype": dtype,
    }
    path = folder / "spec.yaml"
    path.write_text(json.dumps({"cases": [case]}))
    specs = read_specs((path,))
    return [verify(case) for seed in seeds for case in expand_specs(specs, Overrides(seed=seed))]


def test_there_are_enough_mistakes_and_no_name_twice():
    names = [row.name for row in WRONG_LAYERS]
    assert len(names) == len(set(names)) >= 30
    assert sum(row.single for row in WRONG_LAYERS) >= 30


@pytest.mark.parametrize("row", WRONG_LAYERS, ids=lambda row: row.name)
def test_wrong_layer_is_caught_in_double_precision(tmp_path, row):
    for result in results(tmp_path, row, row.wrong, "float64"):
        assert result.verdict is Verdict.FAIL, result


@pytest.mark.parametrize("row", [row for row in WRONG_LAYERS if row.single], ids=lambda row: row.name)
def test_wrong_layer_is_caught_in_single_precision(tmp_path, row):
    for result in results(tmp_path, row, row.wrong, "float32", seeds=SEEDS[:1]):
        assert result.verdict is Verdict.FAIL, result


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", RIGHT.values(), ids=lambda row: row.name)
def test_right_twin_passes(tmp_path, row, dtype):
    for result in results(tmp_path, row, row.right, dtype):
        assert result.verdict is Verdict.PASS, result
        assert all(check.compared == check.elements for check in result.gradients)
