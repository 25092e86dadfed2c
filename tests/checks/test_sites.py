"""Layers of networks and models as cases: what an audit and a run say of them."""

from __future__ import annotations

import pytest
from spec_cases import cases

from gradverify.checks.case import verify
from gradverify.checks.geometry import audit, geometry_of
from gradverify.models.network import chain
from gradverify.models.placing import cases_of
from gradverify.results import GeometrySeverity, Verdict
from gradverify.spec.model import Check

LAYERS = [
    {"layer": "conv2d", "name": "stem", "kernel_size": 3, "stride": 2, "out_channels": 4},
    {"layer": "conv2d", "name": "wide", "kernel_size": [9, 1], "in_channels": 5, "groups": 5},
    {"layer": "maxpool2d", "name": "pool", "kernel_size": 2, "stride": [1, 2]},
    {"layer": "conv_transpose2d", "name": "up", "kernel_size": 2, "stride": [1, 2]},
]


def layers(shape=(1, 1, 8, 8), **more):
    """Return the cases of the layers of a network, by name."""
    made = cases({"inputs": {"x": list(shape)}, "network": LAYERS, **more})
    return {case.name: case for around in made for case in cases_of(chain(around), around)}


@pytest.mark.parametrize("judge", [audit, verify])
def test_a_layer_is_judged_by_its_windows(judge):
    found = judge(layers()["stem"])
    assert (found.id, found.network, found.target) == ("case/stem", "case", "conv2d")
    assert (found.verdict, found.reason, found.gradients) == (Verdict.PASS, None, ())
    assert [(part.axis, part.severity) for part in found.geometry] == [
        ("H", GeometrySeverity.DATA_LOST),
        ("W", GeometrySeverity.DATA_LOST),
    ]


@pytest.mark.parametrize("judge", [audit, verify])
def test_a_problem_is_an_error_that_keeps_what_is_known_of_the_windows(judge):
    found = judge(layers()["wide"])
    assert found.verdict is Verdict.ERROR
    assert found.reason.startswith("4 channels come in, expected 5 as in_channels says; groups 5 does not divide")
    assert [part.severity for part in found.geometry] == [GeometrySeverity.IMPOSSIBLE, GeometrySeverity.EXACT]


@pytest.mark.parametrize("judge", [audit, verify])
def test_a_layer_behind_one_that_is_impossible_is_judged_along_the_other_axis(judge):
    found = judge(layers()["pool"])
    assert (found.verdict, found.reason) == (Verdict.ERROR, "not known along H: wide before it is impossible")
    assert [(part.axis, part.residual) for part in found.geometry] == [("W", 1)]


def test_what_the_network_adds_stands_behind_the_notes_of_its_axis():
    (geometry,) = geometry_of(layers()["up"])
    assert geometry.axis == "W"
    assert geometry.notes == ("restores 2 of the 3 that pool had: output_padding 1 restores it",)


def test_notes_of_the_window_stand_before_those_of_the_network():
    narrow = [
        {"layer": "maxpool1d", "name": "down", "kernel_size": 2, "stride": 2},
        {"layer": "conv_transpose1d", "name": "up", "kernel_size": 2, "stride": 2, "dilation": 2},
    ]
    (around,) = cases({"inputs": {"x": [1, 1, 8]}, "network": narrow})
    up = cases_of(chain(around), around)[1]
    (geometry,) = geometry_of(up)
    assert [note.partition(":")[0] for note in geometry.notes] == [
        "stride 2, dilation 2 and kernel 2 leave holes",
        "makes 9 of the 8 that down had",
    ]


def test_an_impossible_window_is_skipped_inside_a_sweep_alone():
    fine = [{"layer": "conv2d", "name": "only", "kernel_size": 9}]
    for more, verdict in (({}, Verdict.PASS), ({"dims": {"SIZE": 8}, "sweep": {"SIZE": [8, 9]}}, Verdict.SKIP)):
        shape = [1, 1, "SIZE" if more else 8, 9]
        around = cases({"inputs": {"x": shape}, "network": fine, **more})[0]
        (case,) = cases_of(chain(around), around)
        found = audit(case)
        assert found.verdict is verdict  # the policy fails it
        assert found.reason == "impossible geometry along H: kernel 9 is larger than the padded input 8 + 0 + 0 = 8"


def test_a_layer_has_nothing_but_geometry_to_check():
    assert all(case.checks == (Check.GEOMETRY,) for case in layers().values())
