"""Layers as people write them, on their batteries beside their references: the right ones pass, the others fail."""

from __future__ import annotations

import pytest
from battery_cases import SPECS, bad_rows, results_of
from mistakes import MISTAKES

from gradverify.layers.batteries import BATTERIES
from gradverify.results import Verdict


def test_there_are_layers_and_mistakes_for_every_battery():
    assert set(SPECS) == set(BATTERIES)
    counted = {layer: sum(mistake.layer == layer for mistake in MISTAKES) for layer in BATTERIES}
    assert min(counted.values()) >= 3
    assert len(MISTAKES) >= 60


@pytest.mark.parametrize("layer", SPECS)
def test_a_right_layer_passes_its_battery(layer, tmp_path):
    results = results_of(layer, tmp_path, f"right_{layer}")
    assert [(item.id, item.verdict, item.reason) for item in results if item.verdict is not Verdict.PASS] == []
    codes = {contract.code for item in results for contract in item.contracts}
    assert {"reference-forward", "reference-gradients", "footprint"} <= codes


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=lambda number: MISTAKES[number].id)
def test_a_mistake_is_found_where_it_is_one(number, tmp_path):
    mistake = MISTAKES[number]
    bad = bad_rows(results_of(mistake.layer, tmp_path, f"wrong_{number}", ((mistake.right, mistake.wrong),)))
    assert bad, "nothing was found"
    assert mistake.some <= bad
    assert not mistake.sound & bad
    if mistake.rows is not None:
        assert bad == mistake.rows
