"""The table of docs/models.md: what the audit finds in the nine light models that come with onnx.

Run as a script, it prints the table.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

import onnx

from gradverify.models.onnx import read
from gradverify.models.requests import OnnxRequest
from gradverify.numerics.geometry import measure

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
FILES = sorted(LIGHT.glob("*.onnx"))
COLUMNS = (
    "model",
    "windowed nodes",
    "exact",
    "padding unread",
    "data lost",
    "rows lost, each way",
    "smallest input without data lost",
    "... with the identity everywhere",
)
ORDER = ("exact", "gap", "padding-unread", "data-lost", "impossible")
# How far beyond its own input a model is tried: none of the nine halves it more than five times.
FARTHEST = 32

severity_of = cache(lambda window: measure("", window))


def geometries(model):
    return [(site, [severity_of(window) for _, window in site.windows]) for site in model.sites]


def worst(found):
    return max((str(each.severity) for each in found), key=ORDER.index)


def resized(file, length):
    """Return what the audit finds once the model's input is so many rows high and wide."""
    model = onnx.load(file)
    weights = {tensor.name for tensor in model.graph.initializer}
    (data,) = [value for value in model.graph.input if value.name not in weights]
    for dim in data.type.tensor_type.shape.dim[2:]:
        dim.dim_value = length
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.onnx"
        copy.write_bytes(model.SerializeToString())
        return read(OnnxRequest(str(copy)))


def repairs(file, length):
    """Return the smallest inputs on which no data is lost, and on which the identity holds everywhere."""
    unlost = None
    for size in range(length, length + FARTHEST):
        found = geometries(resized(file, size))
        severities = {worst(each) if each else "impossible" for _, each in found}
        if severities <= {"exact", "gap", "padding-unread"}:
            unlost = unlost or size
        if severities <= {"exact", "gap"}:
            return unlost, size
    return unlost, f"none up to {length + FARTHEST - 1}"


def row(file):
    model = read(OnnxRequest(str(file)))
    found = geometries(model)
    counts = Counter(worst(each) for _, each in found)
    lost = [(site.op, each[0]) for site, each in found if worst(each) == "data-lost"]
    said = ", ".join(f"{geometry.unread_data} of {geometry.input} ({op})" for op, geometry in lost) or "none"
    numbers = [len(found), counts["exact"], counts["padding-unread"], counts["data-lost"]]
    cells = [file.stem.removeprefix("light_"), *numbers, said, *repairs(file, model.inputs[0][1][2])]
    return f"| {' | '.join(map(str, cells))} |"


def table():
    """Return the table as it stands in the page."""
    return "\n".join([f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|", *map(row, FILES)]) + "\n"


if __name__ == "__main__":
    print(table())  # noqa: T201  a script
