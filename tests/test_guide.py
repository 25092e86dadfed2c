"""The guide does what it says, and every page with commands too."""

from __future__ import annotations

import re
import shutil

import pytest
from walkthrough import blocks_of, walk
from workplace import ROOT, Workplace

OTHERS = {"pytest"}  # its commands need a project of their own: tests/pytest_plugin/test_plugin_page.py
CONSOLE = [page for page in sorted(ROOT.glob("docs/**/*.md")) if any(b.language == "console" for b in blocks_of(page))]
PAGES = [page for page in CONSOLE if page.stem not in OTHERS]
GUIDE = blocks_of(ROOT / "docs/guide.md")
OFFLINE = r"No matching distribution|Could not find a version|name resolution|Connection|Network is unreachable"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_print_what_stands_below_them(page, tmp_path):
    blocks = blocks_of(page)
    assert walk(blocks[1:] if blocks == GUIDE else blocks, Workplace(tmp_path)) > 0


def test_nothing_on_the_guide_is_left_untried():
    assert [block.text for block in GUIDE if block.language != "console" and block.file is None] == []
    assert "pip install" in GUIDE[0].text


def test_what_a_page_does_not_print_is_noticed(tmp_path):
    (page := tmp_path / "page.md").write_text("```console\n$ echo one; exit 3\n...e\n$ echo $?\n3\n```\n")
    assert walk(blocks_of(page), Workplace(tmp_path)) == 2
    page.write_text("```console\n$ echo one\ntwo\n```\n")
    with pytest.raises(AssertionError, match="found:\none"):
        walk(blocks_of(page), Workplace(tmp_path))


@pytest.mark.slow
def test_the_guide_from_its_first_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_QUIET", "1")  # with the guide's own: what pip warns of is the machine's affair
    shutil.copytree(
        ROOT / "gradverify", tmp_path / "gradverify/gradverify", ignore=shutil.ignore_patterns("__pycache__")
    )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "gradverify" / name)
    project = Workplace(tmp_path / "project")
    project.write("empty", "")
    try:
        walk(GUIDE, project)
    except AssertionError as error:
        if re.search(OFFLINE, str(error)):
            pytest.skip("the guide installs with pip, and there is no package index to be reached")
        raise
    assert (project.path / ".venv/bin/gradverify").exists()
