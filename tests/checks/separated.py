"""Results of sweeps without running them, with verdicts that a predicate gives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spec_cases import cases

from gradverify.checks.conditions import conditions_of
from gradverify.checks.geometry import geometry_of, impossible
from gradverify.results import CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONV = {"layer": "conv2d", "inputs": {"x": [2, 3, 7, 7], "w": [4, 3, 3, 3], "b": [4]}}
OWN_CONV = {
    "functions": {"forward": "mine:forward", "backward": "mine:backward"},
    "dims": {"H": 7, "W": 7, "K": 3},
    "inputs": {"x": [2, 3, "H", "W"], "w": [4, 3, "K", "K"], "b": [4]},
    "params": {"conv_param": {"stride": 1, "pad": 0}},
    "geometry": {"input": "x", "kernel": "w", "stride": "conv_param.stride", "padding": "conv_param.pad"},
}
POOL = {"layer": "maxpool2d", "inputs": {"x": [2, 3, 7, 7]}}
GROUPS = {
    "layer": "groupnorm",
    "dims": {"N": 2, "C": 4},
    "inputs": {"x": ["N", "C", 3, 3], "gamma": ["C"], "beta": ["C"]},
}
# Sweeps as people write them, from the smallest up.
SWEEPS = {
    "six": CONV | {"sweep": {"stride": [1, 2], "padding": [0, 1, 2]}},
    "nine": CONV | {"sweep": {"stride": [1, 2, 3], "padding": [0, 1, 2]}},
    "twelve": CONV | {"sweep": {"stride": [1, 2, 3, 4], "padding": [0, 1, 2]}},
    "pairs": CONV | {"sweep": {"stride": [1, [1, 2], [2, 1], 2], "padding": [0, [0, 1], [1, 0], 1]}},
    "kernels": OWN_CONV | {"sweep": {"conv_param.stride": [1, 2, 3], "conv_param.pad": [0, 1, 2], "K": [2, 3]}},
    "images": OWN_CONV
    | {"sweep": {"H": [5, 6, 7], "W": [5, 6, 7], "conv_param.stride": [1, 2], "conv_param.pad": [0, 1]}},
    "pool": POOL | {"sweep": {"kernel_size": [2, 3], "stride": [1, 2, 3], "padding": [0, 1]}},
    "groups": GROUPS | {"sweep": {"N": [1, 2, 3], "C": [4, 8], "groups": [1, 2, 4]}},
}


def swept(entry: dict[str, Any]) -> list[CaseResult]:
    """Return a passing result for every case of a sweep that is possible."""
    return [
        case.result(Verdict.PASS, None, geometry=geometry_of(case)) for case in cases(entry) if impossible(case) is None
    ]


def labelled(results: Sequence[CaseResult], fails: Callable[[CaseResult], bool]) -> list[CaseResult]:
    """Return the results with those failing for which a predicate is true."""
    return [replace(result, verdict=Verdict.FAIL if fails(result) else Verdict.PASS) for result in results]


def text(results: Sequence[CaseResult]) -> str | None:
    """Return the one condition of results of one name, or nothing."""
    found = conditions_of(results)
    assert len(found) < 2
    return found[0].text if found else None
