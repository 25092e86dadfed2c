"""README and docs say what is true: links lead somewhere, specs are valid, commands are those of the gate."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import fields

import pytest
from workplace import ROOT, run_command

from gradverify.cli.main import _COMMANDS, commands
from gradverify.exit_codes import ExitCode
from gradverify.numerics.comparison import TOLERANCES
from gradverify.results import EVIDENCE, CaseResult, Contract, Geometry, GradientCheck
from gradverify.spec.contract_table import CONTRACTS
from gradverify.spec.expansion import expand
from gradverify.spec.files import read_specs
from gradverify.spec.grammar import Section
from gradverify.spec.language import CASE, SPEC
from gradverify.spec.target_rules import TARGET_FIELDS

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_headings_lead_to_one(page):
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text()):
        if not target.startswith("http"):
            there = page.parent / target if target else page
            assert anchor in anchors_of(there), f"{page.name} links to {target}#{anchor}"


def anchors_of(page):
    """Return what headings of a page are called in links, as GitHub and GitLab have it."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    names = []
    for heading in re.findall(r"^#+ +(.*?) *$", prose, re.MULTILINE):
        words = re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower()
        names.append(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    before = [names[:place].count(name) for place, name in enumerate(names)]
    return [f"{name}-{number}" if number else name for name, number in zip(names, before, strict=True)]


def test_anchors_are_those_of_the_headings(tmp_path):
    (page := tmp_path / "page.md").write_text(
        "# Of `--set`, [a](b.md)\n```\n# no heading\n```\n## 1. A_b\n## 1. A_b\n# 1. a_b\n"
    )
    assert anchors_of(page) == ["of---set-a", "1-a_b", "1-a_b-1", "1-a_b-2"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_specs_in_the_documents_are_valid(page, tmp_path):
    for name, code in re.findall(r"```python\n# (\S+)\n(.*?)```", page.read_text(), re.DOTALL):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
        if "cases:" in block:
            file = tmp_path / f"{number}.yaml"
            file.write_text(block)
            assert expand(read_specs((file,))[0])


def test_the_two_commands_of_the_readme_are_those_of_the_gate():
    commands = re.search(r"```bash\n(.*?)\n(.*?)\n```", README).groups()
    gate = (ROOT / ".ci/run").read_text()
    install, verify = commands[0].rsplit(" && ", 1)
    words = [word for word in shlex.split(install) if word != "&&"]
    assert all(word in gate for word in words)
    assert f" {verify}\n" in gate
    assert f" {commands[1]}\n" in gate


def test_the_test_file_of_the_readme_passes(tmp_path):
    (block,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (tmp_path / "test_mine.py").write_text(block)
    layers = "import numpy as np\ndef relu_forward(x):\n    return np.maximum(0, x), x\n"
    (tmp_path / "mylayers.py").write_text(f"{layers}def relu_backward(dout, x):\n    return dout * (x > 0)\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_every_command_and_option_is_in_the_documents():
    text = (ROOT / "docs/commands.md").read_text()
    shared = [option for name in ("run", "audit", "sweep") for option in commands.get_command(None, name).params]
    options = [name for option in shared for name in option.opts]
    wanted = [f"gradverify {name}" for name in _COMMANDS] + [name for name in options if name.startswith("-")]
    assert [name for name in wanted if name not in text] == []


def test_every_key_of_the_spec_is_in_the_documents():
    text = (ROOT / "docs/spec.md").read_text()
    inner = [rule for target in TARGET_FIELDS.values() for rule in sections_of(target.rule)]
    names = {name for section in (SPEC, CASE, *inner) for name in section.fields}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def sections_of(rule):
    if isinstance(rule, Section):
        return [rule]
    return [section for inner in getattr(rule, "rules", ()) for section in sections_of(inner)]


def test_every_field_of_the_report_is_in_the_documents():
    text = (ROOT / "docs/commands.md").read_text()
    found = [field for part in (CaseResult, Contract, Geometry, GradientCheck) for field in fields(part)]
    names = {field.name for field in found if EVIDENCE not in field.metadata}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


def test_the_table_of_tolerances_is_the_one_of_the_code():
    text = (ROOT / "docs/tolerances.md").read_text()
    left = dict(TOLERANCES)
    for row in re.findall(r"^\| (`float.*?) \| (\S+) \| (\S+) \|$", text, re.MULTILINE):
        for dtype in re.findall(r"`(\w+)`", row[0]):
            assert left.pop(dtype) == (float(row[1]), float(row[2]))
    assert left == {}


def test_the_table_of_contracts_is_the_one_of_the_code():
    text = (ROOT / "docs/contracts.md").read_text()
    written = re.findall(r"^\| `([\w-]+)` \| (.*) \| (failure|warning) \| (.*) \|$", text, re.MULTILINE)
    rows = []
    for code, promise in CONTRACTS.items():
        rows.append((code, promise.text, promise.severity.value, promise.why))
        if promise.milder:
            what, _, why = promise.milder.partition(": ")
            rows.append((code, what, "warning", why))
    assert written == rows


def test_the_exit_codes_are_those_of_the_code():
    text = (ROOT / "docs/commands.md").read_text()
    (table,) = re.findall(r"## Exit codes\n(.*?)\n## ", text, re.DOTALL)
    assert sorted(map(int, re.findall(r"^\| (\d+) \|", table, re.MULTILINE))) == sorted(ExitCode)


def test_every_shipped_config_passes():
    ran = run_command("run", "configs/", "--format", "json")
    assert ran.code == 0, ran.stdout
    report = ran.json
    assert {case["spec"] for case in report["cases"]} == {
        str(path.relative_to(ROOT)) for path in (ROOT / "configs").glob("*.yaml")
    }
    assert report["counts"]["pass"] == len(report["cases"])


@pytest.mark.parametrize("config", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_configs_carry_the_modeline(config):
    first = config.read_text().splitlines()[0]
    schema = re.fullmatch(r"# yaml-language-server: \$schema=(.*)", first).group(1)
    assert (config.parent / schema).is_file()
