"""The page of formats: it knows every format, and its examples are what the command writes."""

from __future__ import annotations

import re

import pytest
from workplace import ROOT, Workplace

from gradverify.reporters import REPORTERS

PAGE = (ROOT / "docs/formats.md").read_text()
SECTIONS = dict(re.findall(r"^## ([a-z]+)\n(.*?)(?=^## [a-z]|\Z)", PAGE, re.MULTILINE | re.DOTALL))
FORMATS = sorted(set(SECTIONS) & set(REPORTERS))


def test_every_format_is_in_the_table_and_what_machines_read_has_a_section():
    rows = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert set(REPORTERS) <= rows
    assert FORMATS == ["github", "gitlab", "jsonl", "junit", "markdown", "sarif"]


@pytest.fixture(scope="module")
def stem(tmp_path_factory):
    (spec,) = re.findall(r"```yaml\n(# stem\.yaml\n.*?)```", PAGE, re.DOTALL)
    place = Workplace(tmp_path_factory.mktemp("stem"))
    place.write("stem.yaml", spec)
    files = [part for name in FORMATS for part in ("--format", f"{name}={name}")]
    outside = {"GITHUB_STEP_SUMMARY": "", "GITHUB_WORKSPACE": "", "CI_PROJECT_DIR": ""}
    assert place.run("audit", "stem.yaml", *files, **outside).code == 1
    return place.path


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_of_a_format_is_what_it_writes(stem, name):
    example = re.search(r"```\w*\n(.*?)```", SECTIONS[name], re.DOTALL).group(1)
    wanted = ".*?".join(re.escape(part) for part in example.rstrip("\n").split("..."))
    assert re.search(wanted, (stem / name).read_text(), re.DOTALL), (stem / name).read_text()
