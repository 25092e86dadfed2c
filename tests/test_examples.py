"""Examples on packages of others: valid without them; with them, they find what the page of findings says."""

from __future__ import annotations

import re
import subprocess
import sys
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec

import pytest
from workplace import ROOT, run_command

from gradverify.results import Verdict
from gradverify.spec.expansion import expand
from gradverify.spec.files import read_specs

EXAMPLES = ROOT / "examples"
SPECS = sorted(EXAMPLES.glob("*.yaml"))
PAGE = (ROOT / "docs/findings.md").read_text()

PACKAGES = {"npdl": "npdl", "numpy-ml": "numpy_ml", "neuralnetlib": "neuralnetlib"}
RAISING = ("npdl", "numpy-ml")
NONE = -1.0  # where backward left no gradient


def needs(*names):
    """Skip where a package of others is not installed; numpy-ml cannot be imported to find out."""
    missing = [name for name in names if find_spec(PACKAGES[name]) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed, see examples/README.md")


def rows(name):
    """Return the cases of a package's table, each with what is wrong: error by gradient, or of all of them."""
    section = PAGE.split(f"\n## {name} ")[1].split("\n## ")[0]
    table = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", section, re.MULTILINE)
    return {case: dict(re.findall(r"`?(\w+)`? ([\d.e-]+|none)", wrong)) for case, wrong in table}


@cache
def ran(spec):
    return run_command("run", f"examples/{spec}.yaml", "--format", "json")


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_examples_are_valid_without_the_packages(spec):
    assert spec.read_text().startswith("# yaml-language-server: $schema=../gradverify/spec/spec.schema.json\n")
    assert expand(read_specs((spec,))[0])


def test_examples_can_be_audited_without_the_packages():
    done = run_command("audit", "examples/")
    assert (done.code, done.stderr) == (1, "")  # the strides that do not divide, which are there on purpose
    assert "conv" in done.stdout
    assert "pool" in done.stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_what_is_expected_to_fail_is_on_the_page_and_nothing_else(name):
    (spec,) = read_specs((EXAMPLES / f"{name}.yaml",))
    caught = [case.id for case in expand(spec) if case.expect is Verdict.FAIL]
    listed = rows(name)
    assert [case for case in caught if sum(fnmatchcase(case, row) for row in listed) != 1] == []
    assert [row for row in listed if not any(fnmatchcase(case, row) for case in caught)] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_an_example_passes_as_written(name):
    needs(name)
    done = ran(name)
    assert (done.code, done.json["counts"]["pass"]) == (0, len(done.json["cases"])), done.stdout


@pytest.mark.parametrize("name", PACKAGES)
def test_warnings_are_about_data_on_the_edge_and_no_others(name):
    needs(name)
    found = [part for case in ran(name).json["cases"] for part in case["contracts"] if part["severity"] == "warning"]
    assert {part["code"] for part in found if part["verdict"] == "fail"} <= {"finite"}


@pytest.mark.parametrize("name", PACKAGES)
def test_gradients_are_as_wrong_as_the_page_says(name):
    needs(name)
    listed = rows(name)
    for case in ran(name).json["cases"]:
        row = next((row for row in listed if case["expect"] == "fail" and fnmatchcase(case["id"], row)), None)
        wrong = [part for part in case["gradients"] if part["verdict"] != "pass"]
        failed = {
            part["input"]: NONE if part["max_relative_error"] is None else part["max_relative_error"] for part in wrong
        }
        if row is not None and "all" in listed[row]:
            assert len(failed) == len(case["gradients"])
            failed = {"all": max(failed.values())}
        expected = {} if row is None else {key: _number(value) for key, value in listed[row].items()}
        assert failed == pytest.approx(expected, rel=0.1), case["id"]


def _number(text):
    return NONE if text == "none" else float(text)


def test_what_raises_is_an_error_that_the_page_lists():
    needs(*RAISING)
    done = ran("raising")
    assert (done.code, done.json["counts"]["error"]) == (3, len(done.json["cases"]))
    section = PAGE.split("\n## What raises")[1].split("\n## ")[0]
    listed = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)))
    assert listed == [case["id"] for case in done.json["cases"]]


@pytest.mark.parametrize("name", PACKAGES)
def test_findings_are_confirmed_without_gradverify(name):
    needs(name)
    script = EXAMPLES / "confirm" / f"{PACKAGES[name]}_findings.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    listed, confirmed = rows(name), set()
    for case, gradient, coarse, fine, *corrected in (line.split() for line in done.stdout.splitlines()[1:]):
        confirmed.add(case)
        is_wrong = gradient in listed[case] or "all" in listed[case]
        assert not is_wrong or min(float(coarse), float(fine)) > 1e-7, (case, gradient)
        assert all(float(value) < 1e-5 for value in corrected), (case, gradient)
    same = {row for row in listed if re.search(rf"^\| `{re.escape(row)}` .*\| the same \|$", PAGE, re.MULTILINE)}
    assert set(listed) - same <= confirmed


def columns(page, *names):
    """Return some columns of the table that has all of them, by the first."""
    lines = (ROOT / page).read_text().splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    start = next(place for place, row in enumerate(table) if set(names) <= set(row))
    chosen = [table[start].index(name) for name in names]
    width = len(table[start])
    rows_below = [row for row in table[start + 1 :] if len(row) == width]
    return {row[chosen[0]]: [row[place] for place in chosen[1:]] for row in rows_below}


def test_models_that_drop_rows_are_those_of_the_page_on_models():
    names = ("model", "rows lost, each way", "smallest input without data lost")
    every = columns("docs/models.md", *names)
    losing = {model: found for model, found in every.items() if found[0] != "none"}
    assert len(every) == 9
    assert {model: columns("docs/findings.md", *names)[model] for model in losing} == losing
    assert "Five of the nine drop rows" in PAGE
    assert len(losing) == 5
    exact = columns("docs/models.md", "model", "windowed nodes", "exact")
    assert [model for model, (nodes, right) in exact.items() if nodes == right] == ["vgg19"]
    unread = columns("docs/models.md", "model", "padding unread")
    assert {model for model, (count,) in unread.items() if count != "0"} == {
        "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet"
    }  # fmt: skip
    assert max(int(count) for (count,) in unread.values()) == 8
