"""How the layers of ``right_layers.py`` are run on their batteries, as they are and with a line spoiled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spec_cases import cases

from gradverify.checks.case import verify
from gradverify.results import CaseResult, Verdict

SOURCE = (Path(__file__).parent / "right_layers.py").read_text()

NORM = {"eps": "$eps"}
RUNNING = {"mode": "$mode", "running_mean": "$running_mean", "running_var": "$running_var", **NORM}
SPECS: dict[str, dict[str, Any]] = {
    "conv2d": {"pair": "conv", "params": {"conv_param": {"stride": "$stride", "pad": "$padding"}}},
    "maxpool2d": {
        "pair": "maxpool",
        "params": {
            "pool_param": {"pool_height": "$kernel_size_h", "pool_width": "$kernel_size_w", "stride": "$stride"}
        },
    },
    "avgpool2d": {"pair": "avgpool", "params": {"hh": "$kernel_size_h", "ww": "$kernel_size_w", "stride": "$stride"}},
    "affine": {"pair": "affine"},
    "relu": {"pair": "relu"},
    "batchnorm": {"pair": "batchnorm", "params": {"bn_param": RUNNING}},
    "spatial_batchnorm": {"pair": "spatial", "params": {"bn_param": RUNNING}},
    "layernorm": {"pair": "layernorm", "params": {"ln_param": NORM}},
    "groupnorm": {
        "pair": "groupnorm",
        "params": {"groups": "$groups", "gn_param": NORM},
        "inputs": {"x": "$x", "gamma": [1, "$C", 1, 1], "beta": [1, "$C", 1, 1]},
    },
    "softmax_loss": {"forward": "softmax_loss", "returns": ["out", "grad"]},
    "dropout": {"pair": "dropout", "params": {"dropout_param": {"p": "$p", "mode": "$mode"}}},
}


def entry_for(layer: str, module: str) -> dict[str, Any]:
    """Return the case of a layer as a spec has it."""
    entry = dict(SPECS[layer])
    pair, forward = entry.pop("pair", None), entry.pop("forward", None)
    functions = {"forward": f"{module}.py:{forward or pair + '_forward'}"}
    if pair is not None:
        functions["backward"] = f"{module}.py:{pair}_backward"
    return {"functions": functions, "battery": layer, "reference": layer, **entry}


def results_of(layer: str, folder: Path, module: str, lines: tuple[tuple[str, str], ...] = ()) -> list[CaseResult]:
    """Return what is found about a layer in a file of its own in which lines are others."""
    source = SOURCE
    for right, wrong in lines:
        assert source.count(right) >= 1, f"there is no {right!r}"
        source = source.replace(right, wrong)
    (folder / f"{module}.py").write_text(source)
    return [verify(case) for case in cases(entry_for(layer, module), folder=folder)]


def bad_rows(results: list[CaseResult]) -> set[str]:
    """Return the rows that neither pass nor are skipped."""
    return {item.battery.row for item in results if item.battery and item.verdict not in {Verdict.PASS, Verdict.SKIP}}
