"""The tables of batteries: every row is what its reason says, and every built-in layer passes its own battery."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from spec_cases import cases

from gradverify.checks.case import verify
from gradverify.layers.batteries import BATTERIES as NAMES
from gradverify.layers.batteries import battery_of
from gradverify.layers.registry import LAYERS
from gradverify.numerics.geometry import measure
from gradverify.results import Verdict
from gradverify.spec.windows import windows

BATTERIES = {layer: battery_of(layer) for layer in NAMES}
ROWS = [(battery, row) for battery in BATTERIES.values() for row in battery.rows]
WINDOWED = [(battery, row) for battery, row in ROWS if LAYERS[battery.layer].window is not None]
NAMED = [
    "conv2d", "maxpool2d", "avgpool2d", "affine", "relu", "batchnorm", "spatial_batchnorm", "layernorm", "groupnorm",
    "softmax_loss", "dropout",
]  # fmt: skip


def name_of(value):
    return getattr(value, "name", None) or value.layer


def geometry_of(battery, row):
    shapes = {name: battery.shape_of(row, name) for name in battery.axes}
    found = windows(LAYERS[battery.layer].window, shapes, battery.values_of(row, {}))
    return [measure(axis, window) for axis, window in found]


def row_named(layer, name):
    return next(row for row in BATTERIES[layer].rows if row.name == name)


def test_there_is_a_battery_for_every_layer_that_people_get_wrong():
    assert list(BATTERIES) == NAMED


def test_the_tables_import_no_numpy():
    code = "import sys, gradverify.layers.batteries; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("layer", BATTERIES)
def test_rows_have_names_and_reasons_of_their_own(layer):
    rows = BATTERIES[layer].rows
    assert len({row.name for row in rows}) == len(rows)
    assert len({row.reason for row in rows}) == len(rows)
    assert all(re.fullmatch(r"[a-z0-9-]+", row.name) and len(row.reason.split()) > 3 for row in rows)


@pytest.mark.parametrize("layer", BATTERIES)
def test_a_battery_speaks_of_its_layer(layer):
    battery, info = BATTERIES[layer], LAYERS[layer]
    parameters = {item.name for item in info.parameters}
    assert list(battery.axes) == [item.name for item in info.inputs]
    for row in battery.rows:
        assert set(row.values) <= parameters
        assert {*row.data, *row.axes} <= set(battery.axes)
        used = {axis for name in battery.axes for axis in battery.axes_of(row, name)}
        assert used <= set(battery.lengths_of(row))
        assert set(row.lengths) <= {*used, "D"}  # of images, the features that they are flattened to


@pytest.mark.parametrize(("battery", "row"), WINDOWED, ids=name_of)
def test_what_a_reason_says_of_the_geometry_is_true(battery, row):
    measured = geometry_of(battery, row)
    divides = all(part.identity for part in measured)
    lost = any(part.unread_data for part in measured)
    assert ("does not divide" in row.reason or "divides along one axis alone" in row.reason) == (not divides)
    assert ("unread" in row.name) == (not divides) or "dilation" in row.name
    if "of data" in row.reason:
        assert lost
    if "row of padding is never read" in row.reason:
        assert not lost
    assert ("between windows" in row.reason) == any(part.gap for part in measured)
    lengths = battery.lengths_of(row)
    assert row.reason.startswith("H > W") <= (lengths["H"] > lengths["W"])
    assert row.reason.startswith("W > H") <= (lengths["W"] > lengths["H"])
    overlap = any(part.stride < part.dilation * (part.kernel - 1) + 1 for part in measured)
    assert row.reason.startswith("windows overlap") <= overlap


@pytest.mark.parametrize(("battery", "row"), ROWS, ids=name_of)
def test_what_a_reason_says_of_counts_is_true(battery, row):
    lengths = battery.lengths_of(row)
    for words, symbol in (("one sample:", "N"), ("one channel:", "C"), ("one filter:", "F"), ("one feature:", "D")):
        if row.reason.startswith(words):
            assert lengths[symbol] == 1
    if "as many samples as" in row.reason:
        assert lengths["N"] in {lengths.get("C"), lengths.get("D"), lengths.get("K")}
    if "more samples than" in row.reason:
        assert lengths["N"] > lengths.get("D", lengths.get("C"))


def test_edges_that_people_forget_are_there():
    geometry = {row.name: geometry_of(BATTERIES["conv2d"], row) for row in BATTERIES["conv2d"].rows}
    values = [BATTERIES["conv2d"].values_of(row, {}) for row in BATTERIES["conv2d"].rows]
    assert {value["padding"] for value in values if isinstance(value["padding"], int)} == {0, 1, 2}
    assert sum(any(part.unread_data for part in parts) for parts in geometry.values()) >= 2
    assert sum(parts[0].input != parts[1].input for parts in geometry.values()) >= 2
    assert sum(parts[0].kernel != parts[1].kernel for parts in geometry.values()) >= 2
    pooled = [geometry_of(BATTERIES["maxpool2d"], row)[0] for row in BATTERIES["maxpool2d"].rows]
    assert sum(part.stride < part.kernel for part in pooled) >= 3
    assert row_named("groupnorm", "one-group").values == {"groups": 1}
    assert row_named("batchnorm", "eps").values["eps"] > 1e-3


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("layer", BATTERIES)
def test_every_built_in_passes_its_own_battery(layer, dtype):
    asked = [row.name for row in BATTERIES[layer].rows if row.asked]
    battery = {"layer": layer, "also": asked} if asked else layer
    found = [verify(case) for case in cases({"layer": layer, "battery": battery, "implementation": "all"}, dtype=dtype)]
    assert len(found) == len(BATTERIES[layer].rows) * len(LAYERS[layer].implementations)
    assert [(result.id, result.verdict, result.reason) for result in found if result.verdict is not Verdict.PASS] == []


def test_a_pair_is_asked_only_of_who_maps_its_halves():
    battery, row = BATTERIES["conv2d"], row_named("conv2d", "stride-2x1")
    assert not battery.covers(row, {"stride", "padding"}, {}, battery.axes)
    assert battery.covers(row, {"stride_h", "stride_w"}, {}, battery.axes)
    assert battery.meanings(row, {})["stride_h"] == 2
    assert battery.meanings(row, {})["stride_w"] == 1


def test_what_is_not_mapped_has_its_default():
    battery = BATTERIES["conv2d"]
    left = [row.name for row in battery.rows if battery.covers(row, set(), {}, battery.axes)]
    assert "no-padding" in left
    assert "same" not in left
    pinned = [row.name for row in battery.rows if battery.covers(row, set(), {"padding": 1}, battery.axes)]
    assert "same" in pinned
    assert "padding-2" not in pinned
    assert battery.values_of(row_named("conv2d", "tall-kernel"), {"padding": 1})["padding"] == 1


def test_a_pool_without_a_stride_of_its_own_steps_by_its_window():
    battery = BATTERIES["maxpool2d"]
    mapped = {"kernel_size"}
    covered = {row.name for row in battery.rows if battery.covers(row, mapped, {}, battery.axes)}
    assert {"halves", "thirds", "unread", "whole-image"} <= covered
    assert "overlap" not in covered


def test_an_object_is_asked_for_the_lengths_that_it_is_told():
    battery = BATTERIES["conv2d"]
    square = {row.name for row in battery.rows if battery.covers(row, {"C", "F", "HH", "padding"}, {}, {"x"})}
    assert {"same", "kernel-1", "one-channel", "tall"} <= square
    assert "tall-kernel" not in square
    told = {row.name for row in battery.rows if battery.covers(row, {"C", "F", "HH", "WW", "padding"}, {}, {"x"})}
    assert "tall-kernel" in told
    fixed = {row.name for row in battery.rows if battery.covers(row, {"HH", "WW"}, {}, {"x"})}
    assert "one-channel" not in fixed
