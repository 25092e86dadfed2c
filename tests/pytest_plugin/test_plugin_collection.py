"""Which files are specs, what their tests are called, and what an invalid one costs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from plugin_project import RELU, RIGHT, environment, summary

LOADED = (
    "import sys, pathlib\ndef pytest_unconfigure():\n    pathlib.Path('loaded').write_text(chr(10).join(sys.modules))\n"
)
HEAVY = {"numpy", "yaml", "click", "rich", "gradverify.cli", "gradverify.spec", "gradverify.errors"}

# Ids as people may write them; pytest takes every one of them back.
HOSTILE = [
    "plain",
    "-x",
    "with space, comma",
    "a[b]",
    "a]b",
    "torch::conv",
    "torch::pool",
    "torch::deep::conv[1::2]",
    "::",
    "::()::end",
    "end::",
    "a@b",
    "<&>\\\"'",
    "grün ✓ ∂x",
    "back\\\\slash/slash",
    "%s {0} ]]>",
    ".",
    "..",
]


def ids(ran):
    return [line for line in ran.stdout.splitlines() if "::" in line]


def test_specs_are_collected_by_their_suffix_and_nothing_else_is(project):
    for name in (
        "a.gradverify.yaml",
        "deep/b.gradverify.yml",
        "plain.yaml",
        "gradverify.yaml",
        "c.gradverify.yaml.bak",
    ):
        project.spec(f"name: one, {RELU}", name=name)
    assert ids(project.pytest("--collect-only", "-q")) == ["a.gradverify.yaml::one", "deep/b.gradverify.yml::one"]
    ran = project.pytest("plain.yaml")
    assert ran.code == 4
    assert "plain.yaml" in ran.stderr


@pytest.mark.parametrize(
    "globs",
    [
        "configs/*.yaml",
        "configs",
        "./configs/",
        "configs/**/*.yaml",
        "conf*/one.yaml other.yaml",
        "one.yaml",
        "**/one.yaml",
    ],
)
def test_the_configuration_names_other_specs(project, globs):
    project.write("pytest.ini", f"[pytest]\ngradverify_specs = {globs}\n")
    project.spec(f"name: one, {RELU}", name="configs/one.yaml")
    project.write("configs/notes.txt", "no spec")
    project.write("data.yaml", "no: spec")
    assert ids(project.pytest("--collect-only", "-q")) == ["configs/one.yaml::one"]


def test_a_toml_file_may_have_both_options(project):
    (project.path / "pytest.ini").unlink()
    project.write(
        "pyproject.toml", "[tool.pytest]\ngradverify_specs = ['one.yaml']\ngradverify_options = ['--seed', '7']\n"
    )
    project.spec("name: one, layer: conv2d, inputs: {x: [1, 1, 2, 2], w: [1, 1, 3, 3], b: [1]}", name="one.yaml")
    ran = project.pytest("-q")
    assert "reproduce: gradverify run one.yaml --case one --seed 7" in ran.stdout


def test_with_nothing_to_collect_nothing_is_loaded(project):
    project.write("conftest.py", LOADED)
    project.write("test_one.py", "def test_one():\n    pass\n")
    assert summary(project.pytest("-q", "--collect-only")) == "1 test collected"
    assert summary(project.pytest("-q")) == "1 passed"
    loaded = set((project.path / "loaded").read_text().split())
    assert {name for name in loaded if name.startswith("gradverify")} == {"gradverify", "gradverify.pytest_plugin"}
    assert not loaded & HEAVY


def test_collecting_starts_no_workers(project):
    project.write("conftest.py", LOADED)
    project.spec(f"name: one, {RIGHT}")
    assert summary(project.pytest("-q", "--collect-only")) == "1 test collected"
    loaded = set((project.path / "loaded").read_text().split())
    assert "gradverify.spec" in loaded
    assert not loaded & {"numpy", "rich", "layers", "gradverify.execution.processes"}


def test_without_the_plugin_nothing_is_collected(project):
    project.spec(f"name: one, {RELU}")
    ran = project.pytest("-p", "no:gradverify")
    assert (ran.code, summary(ran)) == (5, "no tests ran")


def test_the_plugin_can_be_named_where_none_is_loaded_by_itself(project):
    project.spec(f"name: one, {RELU}")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "gradverify.pytest_plugin"]
    env = environment() | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=project.path, env=env, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_every_problem_of_an_invalid_spec_is_told(project):
    project.spec(f"name: fine, {RELU}", name="fine.gradverify.yaml")
    project.spec("name: a, layer: convd, inputs: {x: [1]}", "name: b, layr: relu", name="wrong.gradverify.yaml")
    ran = project.pytest()
    assert (ran.code, summary(ran)) == (2, "1 error")
    assert "wrong.gradverify.yaml:2:22: 'convd' is not a built-in layer, did you mean 'conv2d'?" in ran.stdout
    assert "wrong.gradverify.yaml:3:15: unknown key 'layr' in a case, did you mean 'layer'?" in ran.stdout
    assert "ERROR wrong.gradverify.yaml - 'convd' is not a built-in layer, did you mean 'conv2d'?" in ran.stdout
    assert "Traceback" not in ran.stdout
    assert ".py:" not in ran.stdout
    assert summary(project.pytest("--continue-on-collection-errors")) == "1 passed, 1 error"


@pytest.mark.parametrize("content", ["", "- [", "\0", "cases: []", "!!python/object/apply:os.system ['false']"])
def test_a_file_that_is_no_spec_is_a_collection_error(project, content):
    project.write("odd.gradverify.yaml", content)
    ran = project.pytest()
    assert (ran.code, summary(ran)) == (2, "1 error")
    assert "INTERNALERROR" not in ran.stdout
    assert "Traceback" not in ran.stdout


def test_every_id_is_taken_back(project):
    project.spec(*[f'name: "{name}", {RELU}' for name in HOSTILE])
    found = ids(project.pytest("--collect-only", "-q"))
    names = [name.replace("\\\\", "\\").replace('\\"', '"') for name in HOSTILE]
    assert sorted(found) == sorted(f"layers.gradverify.yaml::{name}" for name in names)
    ran = project.pytest("-v", *found, "--junitxml=report.xml")
    assert summary(ran) == f"{len(HOSTILE)} passed"
    assert summary(project.pytest(found[5], found[-1])) == "2 passed"
    rest = project.pytest(*[f"--deselect={name}" for name in found[:4]])
    assert summary(rest) == f"{len(HOSTILE) - 4} passed, 4 deselected"


def test_the_marker_is_known(project):
    project.spec(f"name: one, {RELU}")
    project.write("test_one.py", "def test_one():\n    pass\n")
    assert summary(project.pytest("--strict-markers", "-m", "gradverify")) == "1 passed, 1 deselected"
    assert summary(project.pytest("--strict-markers", "-m", "not gradverify")) == "1 passed, 1 deselected"
    assert "@pytest.mark.gradverify: every case of a spec has it" in project.pytest("--markers").stdout


def test_layers_of_a_network_are_cases_as_in_a_run(project):
    layers = "[{layer: conv2d, out_channels: 2, kernel_size: 3, stride: 2}, {layer: maxpool2d, kernel_size: 2}]"
    project.spec(f"name: net, inputs: {{x: [1, 1, 8, 8]}}, network: {layers}")
    listed = project.run("run", "layers.gradverify.yaml", "--collect-only").stdout.split()
    assert len(listed) > 1
    assert [name.partition("::")[2] for name in ids(project.pytest("--collect-only", "-q"))] == listed
    assert summary(project.pytest()) == "2 passed"
