"""The page of batteries: every spec on it passes as it stands, and fails with a mistake in the Python."""

from __future__ import annotations

import re

import pytest
from workplace import ROOT, Workplace

from gradverify.layers.batteries import BATTERIES, battery_of

PAGE = (ROOT / "docs/batteries.md").read_text()
FILES = dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
SPECS = sorted(name for name in FILES if name.endswith(".yaml"))

# For each spec: what to change in which file, and rows that must then fail, beside some that must not.
MISTAKES = {
    "conv.yaml": ("mylayers.py", "pad : pad + rows, pad : pad + columns]", "pad:-pad, pad:-pad]", "no-padding", "same"),
    "fixed.yaml": ("mylayers.py", "dxp[window] +=", "dxp[window] =", "stride-2-padding-1", None),
    "last.yaml": ("last.py", "np.add.at(dx, (samples, k * step + row, l * step + column, channels), dout[:, k, l])",
                  "dx[samples, k * step + row, l * step + column, channels] = dout[:, k, l]", "overlap", "halves"),
    "objects.yaml": ("objects.py", "grouped = x.reshape(n, self.groups, -1)",
                     "grouped = x.reshape(n, -1, self.groups).transpose(0, 2, 1)", "usual", "one-group"),
}  # fmt: skip


@pytest.fixture
def page(tmp_path):
    place = Workplace(tmp_path)
    for name, text in FILES.items():
        place.write(name, text)
    return place


def verdicts(ran):
    return {case["battery"]["row"]: case["verdict"] for case in ran.json["cases"]}


def test_every_spec_of_the_page_has_a_mistake():
    assert set(MISTAKES) == set(SPECS)


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_passes_as_it_stands(page, spec):
    ran = page.run("run", spec, "--format", "json")
    assert ran.code == 0, ran.stdout + ran.stderr
    assert set(verdicts(ran).values()) == {"pass"}


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_fails_with_a_mistake(page, spec):
    file, right, wrong, failing, passing = MISTAKES[spec]
    assert right in FILES[file]
    page.write(file, FILES[file].replace(right, wrong))
    found = verdicts(page.run("run", spec, "--format", "json"))
    assert found[failing] == "fail"
    assert passing is None or found[passing] == "pass"


def test_the_page_names_every_battery_and_what_its_names_stand_for():
    assert [name for name in BATTERIES if f"`{name}`" not in PAGE] == []
    names = {name for layer in BATTERIES for name in battery_of(layer).names}
    whole = [name for name in names if not name.endswith(("_h", "_w"))]
    assert [name for name in sorted(whole) if f"`${name}`" not in PAGE] == []
