"""The page of networks: its tables are those of the code, and its numbers those of the spec on it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from workplace import ROOT

from gradverify.layers.network_kinds import ROWS
from gradverify.models.network import chain, resized
from gradverify.models.solving import smallest_exact
from gradverify.numerics.geometry import measure
from gradverify.spec.expansion import expand
from gradverify.spec.files import read_specs

PAGE = (ROOT / "docs/networks.md").read_text()
SPECS = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))


def rows_below(header):
    """Return the cells of the table below a header."""
    table = PAGE[PAGE.index(header) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def words(cell):
    return re.findall(r"`([\w.]+)`", cell)


def shown(default):
    if default is None:
        return ""
    return f"`{default}`" if isinstance(default, str) else str(default).lower()


def test_the_kinds_are_those_of_the_code():
    written = [
        (words(names), words(keys), re.findall(r"\*\*`(\w+)`", keys)) for names, keys in rows_below("| `layer` |")
    ]
    assert written == [
        (list(row.names), [key.name for key in row.keys], [key.name for key in row.keys if key.required])
        for row in ROWS
    ]


def test_the_keys_are_those_of_the_code():
    written = [tuple(cells) for cells in rows_below("| key | meaning | what it may be")]
    known = {
        (f"`{key.name}`", key.about, key.value.value, shown(key.default)): None for row in ROWS for key in row.keys
    }
    assert written == list(known)


def test_the_words_of_padding_are_those_of_the_code():
    written = {words(cells[0])[0] if words(cells[0]) else cells[0].strip("`") for cells in rows_below("| word |")}
    assert written == {"valid", "same", "same-lower", "causal"}


@pytest.fixture
def alexnet(tmp_path):
    (tmp_path / "alexnet.yaml").write_text(SPECS["alexnet.yaml"])
    (case,) = expand(read_specs((tmp_path / "alexnet.yaml",))[0])
    return case


def test_the_table_of_a_change_is_what_the_chain_says(alexnet):
    found = []
    for before, after in zip(chain(alexnet).sites, chain(resized(alexnet, {"SIZE": 227})).sites, strict=True):
        if before.windows:
            sides = [
                cell
                for site in (before, after)
                for cell in (str(site.output_shape[2]), measure(*site.windows[0]).severity.value)
            ]
            numbers = (before.receptive_field[0], before.total_stride[0], before.offset[0])
            found.append([f"`{before.name}`", *sides, *map(str, numbers)])
    assert rows_below("| layer | output on 224") == found
    assert chain(alexnet).sites[-1].problem == "6400 features come in, expected 9216 as in_features says"
    assert smallest_exact(alexnet).found == (("SIZE", 227),)


def test_sentences_on_the_page_are_those_of_the_code(alexnet):
    down = {"name": "down1", "layer": "conv2d", "kernel_size": 3, "stride": 2, "padding": 1}
    up = {"name": "up", "layer": "conv_transpose2d", "kernel_size": 3, "stride": 2, "padding": 1}
    layers = tuple(
        replace(alexnet.target.layers[0], name=item["name"], kind=item["layer"], options=dict(list(item.items())[2:]))
        for item in (down, up)
    )
    case = replace(alexnet, target=replace(alexnet.target, layers=layers))
    (_, note), _ = chain(case).sites[1].notes
    assert f"`{note}`" in " ".join(PAGE.split())
