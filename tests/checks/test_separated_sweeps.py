"""Sweeps of layers that are wrong under one condition: the command names it, and says nothing about right ones."""

from __future__ import annotations

import json
from pathlib import Path

from separated import OWN_CONV


def _entry(name, **changes):
    functions = {"forward": "failing_layers:conv_forward", "backward": f"failing_layers:{name}"}
    sweep = {"conv_param.stride": [1, 2, 3], "conv_param.pad": [0, 1, 2], "K": [2, 3]}
    inputs = {"x": [2, 2, "H", "W"], "w": [2, 2, "K", "K"], "b": [2]}
    return OWN_CONV | {"name": name, "functions": functions, "inputs": inputs, "sweep": sweep} | changes


def _pool(name):
    return {
        "name": name,
        "functions": {"forward": "failing_layers:pool_forward", "backward": f"failing_layers:{name}"},
        "inputs": {"x": [2, 2, 12, 12]},
        "params": {"size": 2, "stride": 1},
        "geometry": {"input": "x", "kernel": "size", "stride": "stride"},
        "sweep": {"size": [2, 3, 4], "stride": [1, 2, 3, 4]},
    }


ENTRIES = [
    _entry("conv_backward"),
    _pool("pool_backward"),
    _entry("conv_backward_sliced"),
    _entry("conv_backward_broadcast"),
    _entry(
        "conv_backward_swapped",
        sweep={"H": [6, 7], "W": [6, 7], "conv_param.stride": [1, 2], "conv_param.pad": [0, 1]},
    ),
    _entry("conv_backward_misplaced"),
    _entry(
        "conv_backward_misplaced_and_unpadded",
        sweep={"conv_param.stride": [1, 2, 3, 4], "conv_param.pad": [0, 1, 2], "K": [2, 3, 4]},
    ),
    _pool("pool_backward_assigns"),
]
TWO = (
    "pad = 0 and the identity is violated; these cases do not tell this from: pad = 0 and data at the far end are "
    "unread, or the identity is violated and all padding at the far end is read"
)
SAID = {
    "conv_backward_sliced": ("fails exactly when pad = 0", 18),
    "conv_backward_broadcast": ("ends in an error exactly when pad = 0", 18),
    "conv_backward_swapped": ("fails exactly when H != W", 16),
    # With stride 1 every window fits: "stride > 1 and the identity is violated" would say no more.
    "conv_backward_misplaced": ("fails exactly when the identity is violated", 18),
    "conv_backward_misplaced_and_unpadded": (f"fails exactly when {TWO}", 36),
    "pool_backward_assigns": ("fails exactly when windows overlap", 12),
}


def _written(workplace):
    spec = {"pythonpath": [str(Path(__file__).parent)], "cases": ENTRIES}
    return workplace.write("mine.yaml", json.dumps(spec)).name


def test_wrong_layers_are_told_when_they_fail_and_right_ones_nothing(workplace):
    spec = _written(workplace)
    found = workplace.run("run", spec, "--format", "json").json["conditions"]
    assert {entry["name"]: (entry["text"], entry["cases"]) for entry in found} == SAID
    assert [entry["name"] for entry in found] == list(SAID)
    assert {entry["spec"] for entry in found} == {"mine.yaml"}


def test_the_terminal_says_so_between_the_failures_and_the_summary(workplace):
    spec = _written(workplace)
    lines = workplace.run("run", spec, "-q", "-k", "conv_backward_sliced").stdout.splitlines()
    assert lines[-4:-1] == ["", "conv_backward_sliced: fails exactly when pad = 0 (18 cases)", ""]
    assert lines[-1].startswith("FAIL: 12 pass, 6 fail")
    narrow = workplace.run("run", spec, "-q", "-k", "and_unpadded", COLUMNS="80").stdout.splitlines()
    assert max(len(line) for line in narrow if "gradverify run" not in line) <= 80
    assert "conv_backward_misplaced_and_unpadded: fails exactly when pad = 0 and the" in narrow


def test_an_audit_has_no_conditions(workplace):
    spec = _written(workplace)
    assert workplace.run("audit", spec, "--format", "json").json["conditions"] == []


def test_cases_whose_process_is_lost_have_a_geometry(workplace):
    workplace.write(
        "dies.py",
        """
        import os
        from failing_layers import conv_forward, conv_backward as right, _residual

        def conv_backward(dout, cache):
            if any(_residual(cache)):
                os._exit(1)
            return right(dout, cache)
        """,
    )
    entry = _entry("x", functions={"forward": "dies:conv_forward", "backward": "dies:conv_backward"})
    spec = {"pythonpath": [str(Path(__file__).parent)], "cases": [entry]}
    workplace.write("mine.yaml", json.dumps(spec))
    (found,) = workplace.run("run", "mine.yaml", "--format", "json").json["conditions"]
    assert found["text"] == "ends in an error exactly when the identity is violated"
