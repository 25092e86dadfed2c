"""The page of the size identity: every table of windows on it, and every sentence it quotes, computed."""

from __future__ import annotations

import re

import pytest
from workplace import ROOT

from gradverify.numerics.geometry import Gradient, PadMode, Rounding, Window, describe_backward, measure
from gradverify.results import GeometrySeverity

PAGE = (ROOT / "docs/geometry.md").read_text()
GIVEN = {"H": "input", "HH": "kernel", "S": "stride", "output_padding": "output_padding"}
FOUND = {
    "H'": "output",
    "dV~": "dilated_cotangent",
    "(H'-1)S+K": "reconstructed",
    "(H-1)S+K": "reconstructed",
    "H+2P": "padded",
    "H'+2P": "padded",
    "overhang": "overhang",
    "r": "residual",
    "severity": "severity",
}
ALEXNET, RESNET = Window(224, 11, 4), Window(224, 7, 2, (3, 3))


def tables() -> list[list[list[str]]]:
    """Return the tables of the page, cell by cell and without backquotes; the line below the heads left out."""
    found = re.findall(r"(?:^\|.*\|\n)+", PAGE, re.MULTILINE)
    rows = ([line.strip("|").split("|") for line in table.splitlines()] for table in found)
    return [[[cell.strip().strip("`") for cell in row] for row in table if "---" not in row[0]] for table in rows]


WINDOWS = [
    dict(zip(table[0], row, strict=True)) for table in tables() if "severity" in table[0][1:] for row in table[1:]
]


def window_of(row: dict[str, str]) -> Window:
    near, _, far = row["P"].partition("+")
    numbers = {name: int(row[letter]) for letter, name in GIVEN.items() if letter in row}
    return Window(
        **numbers,
        padding=(int(near), int(far or near)),
        mode=PadMode(row["mode"]) if "mode" in row else None,
        rounding=Rounding(row.get("rounding", "floor")),
        transposed="transposed" in row,
    )


def test_the_page_has_its_windows():
    assert len(WINDOWS) == 21
    assert {row.get("rounding") for row in WINDOWS} >= set(Rounding)
    assert {row.get("mode") for row in WINDOWS} >= set(PadMode)
    assert sum("transposed" in row for row in WINDOWS) == 5


@pytest.mark.parametrize("row", WINDOWS, ids=lambda row: " ".join(row.values()))
def test_a_row_of_the_page(row):
    found = measure("H", window_of(row))
    said = {name: row[column] for column, name in FOUND.items() if column in row}
    assert said == {name: str(getattr(found, name)) for name in said}
    near, far = found.padding
    assert row["P"] == (str(near) if near == far else f"{near}+{far}")


def test_a_decoder_of_the_page_restores_its_encoder():
    encoder = measure("H", RESNET)
    decoders = [row for row in WINDOWS if row.get("transposed", "").startswith("the same, to the size")]
    assert [(row["H'"], row["output_padding"]) for row in decoders] == [(str(encoder.input), str(encoder.residual))]


def test_sentences_of_the_page():
    quoted = [block.strip().splitlines() for block in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)]
    parts = (Gradient.INPUT, Gradient.KERNEL)
    said = [
        [text for part in parts for text in describe_backward(measure("H", given), part)] for given in (ALEXNET, RESNET)
    ]
    assert quoted == said


def test_suggestions_of_the_page():
    (table,) = [table for table in tables() if any("output 54" in row[0] for row in table)]
    columns = [[row[place] for row in table[1:] if row[place]] for place in (0, 1)]
    assert columns == [list(measure("H", given).suggestions) for given in (ALEXNET, RESNET)]


def test_names_of_modes_roundings_and_severities_are_on_the_page():

    names = [*PadMode, *Rounding, *GeometrySeverity]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
