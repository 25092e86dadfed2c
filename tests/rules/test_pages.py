"""Every rule has a page, and the example on it is run: it triggers that rule alone, and prints what the page shows."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from workplace import ROOT

from gradverify.rules import RULES
from gradverify.rules.pages import page, readable_page

SECTIONS = ["What it means", "Why it matters", "Usual causes", "What to do", "Where it is meant", "Example"]
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
# Not a finding: built-in layers agree, and the table of them is not the user's.
WITHOUT_FINDING = {"GV406"}


def blocks_of(rule: str, *kinds: str) -> list[str]:
    return [block for kind, block in BLOCK.findall(page(rule)) if kind in kinds]


def flat(text: str) -> str:
    """Return a text without its line ends and indents, which depend on the width of the page."""
    return " ".join(text.split())


def rules_in(value) -> set[str]:
    """Return the rules of everything in a JSON report."""
    if isinstance(value, list):
        return {rule for item in value for rule in rules_in(item)}
    if not isinstance(value, dict):
        return set()
    own = {value["rule"]} if value.get("rule") else set()
    return own | {rule for item in value.values() for rule in rules_in(item)}


@pytest.mark.parametrize("rule", RULES)
def test_a_page_has_its_parts_and_no_long_lines(rule):
    text = page(rule)
    title = RULES[rule].title
    assert text.startswith(f"# {rule} {RULES[rule].name}\n\n")
    assert flat(text.split("\n\n")[1]) == f"{title[0].upper()}{title[1:]}."
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == SECTIONS
    assert all(len(line) <= 80 for line in text.splitlines() if "](" not in line)


@pytest.mark.parametrize("rule", RULES)
def test_an_example_triggers_its_rule_alone_and_prints_what_the_page_shows(rule, workplace):
    for block in blocks_of(rule, "python", "yaml", "text"):
        name = re.match(r"# (\S+)\n", block).group(1)
        workplace.write(name, block)
    (shown,) = blocks_of(rule, "console")
    command, _, output = shown.partition("\n")
    assert command.startswith("$ gradverify ")
    ran = workplace.run(*shlex.split(command)[2:], "--format", "terminal", "--format", "json=report.json")
    report = json.loads((workplace.path / "report.json").read_text(encoding="utf-8"))
    assert rules_in(report) == set() if rule in WITHOUT_FINDING else {rule}
    printed = flat((ran.stdout + ran.stderr).replace(str(workplace.path), "..."))
    for part in re.split(r"^\.\.\.$", output, flags=re.MULTILINE):
        place = printed.find(flat(part))
        assert place >= 0, f"{flat(part)!r} is not in {printed!r}"
        printed = printed[place + len(flat(part)) :]


def test_every_rule_has_a_page_and_no_page_is_left_over():
    pages = {file.stem for file in (ROOT / "gradverify/rules/pages").iterdir()}
    assert pages == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_links_of_a_page_lead_into_the_guide(rule):
    for target in re.findall(r"\]\(([^)#]+)", page(rule)):
        assert (ROOT / "gradverify/rules/pages" / target).is_file(), target
    for target in re.findall(r"\((docs/[^)]+)\)$", readable_page(rule), re.MULTILINE):
        assert (ROOT / target).is_file(), target
    assert "](" not in readable_page(rule)


@pytest.mark.parametrize("rule", RULES)
def test_rules_that_a_page_names_exist(rule):
    assert set(re.findall(r"GV\d+", page(rule))) <= set(RULES)


def test_the_index_lists_every_rule_with_its_page():
    text = (ROOT / "docs/rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(GV\d+)\]\((\S+)\) \| `(\S+)` \| (.*) \|$", text, re.MULTILINE)
    wanted = [(rule.id, f"../gradverify/rules/pages/{rule.id}.md", rule.name, rule.title) for rule in RULES.values()]
    assert rows == wanted
