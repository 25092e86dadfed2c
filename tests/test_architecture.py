"""The promises about imports and start-up that the import contract cannot see."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from importlinter.cli import lint_imports
from workplace import ROOT

import gradverify

HEAVY = {"numpy", "rich", "yaml", "click"}
# What starts processes, writes files or compares: an audit of specs does none of it.
NEEDLESS = {"asyncio", "difflib", "multiprocessing", "pickle", "selectors", "socket", "subprocess", "tempfile"}

# Everything of gradverify that `audit` loads for a spec, by room; a new name here is a millisecond of every start.
AUDIT = {
    "gradverify": "checks cli errors exit_codes layers models numerics pipeline problems reporters results rules spec",
    "gradverify.checks": "geometry",
    "gradverify.cli": "audit completion main options outputs progress reproduction session",
    "gradverify.layers": "batteries registry",
    "gradverify.models": "placing",
    "gradverify.numerics": "geometry",
    "gradverify.numerics.geometry": "identity nearest suggestions window words",
    "gradverify.pipeline": "auditing modelling running selecting settling",
    "gradverify.reporters": "json whole",
    "gradverify.results": "findings networks report verdicts",
    "gradverify.rules": "naming table",
    "gradverify.spec": "calls cases code contract_table counterparts expansion files grammar implementations inputs "
    "language model network_language network_model nodes overriding parsing presets scalars shapes site sweeping "
    "target_model target_rules targets windows",
}
# The kinds of layers are part of the language; what walks through a network is loaded where there is one.
KINDS = {"gradverify.layers.network_kinds"}
NETWORK = {
    "gradverify.models": "channels decoders flow lanes network",
    "gradverify.numerics": "receptive_field",
    "gradverify.spec": "networks",
}

LOADED = "import sys, runpy; before = set(sys.modules); sys.argv = {arguments!r}\n"
LOADED += "try:\n runpy.run_module('gradverify', run_name='__main__')\nexcept SystemExit: pass\n"
LOADED += "print(sorted(set(sys.modules) - before), file=sys.stderr)"


def loaded_by(*arguments: str, **more: str) -> set[str]:
    """Return the modules that a command loads in the process that prints, beside what Python itself starts with."""
    script = LOADED.format(arguments=["gradverify", *arguments])
    command, env = [sys.executable, "-c", script], os.environ | more
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return set(eval(done.stderr.splitlines()[-1]))  # noqa: S307  a list that this test printed


def in_full(rooms: dict[str, str]) -> set[str]:
    """Return the names of modules that are listed by room."""
    return {f"{room}.{name}" for room, names in rooms.items() for name in names.split()}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), {"click"}),
        (("run", "--help"), {"click", "yaml"}),
        (("layers",), {"click"}),
        (("layers", "conv2d"), {"click", "numpy"}),
        (("explain", "GV203"), {"click"}),
        (("audit", "configs/alexnet-stem.yaml"), {"click", "yaml", "rich"}),
        (("audit", "configs/alexnet-stem.yaml", "--format", "json"), {"click", "yaml"}),
        (("run", "configs/activations.yaml", "--format", "json"), {"click", "yaml"}),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments, heavy):
    assert loaded_by(*arguments) & HEAVY <= heavy


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("gradverify sch", {"click"}),
        ("gradverify layers c", {"click"}),
        ("gradverify explain GV1", {"click"}),
        ("gradverify run configs/activations.yaml --case relu", {"click", "yaml"}),
        ("gradverify sweep configs/activations.yaml --set ", {"click", "yaml"}),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_loads_only_what_it_needs(shell, line, heavy):
    loaded = loaded_by(_GRADVERIFY_COMPLETE=f"{shell}_complete", COMP_LINE=line, COMP_BREAKS="=:")
    assert "gradverify.cli.shells" in loaded
    assert loaded & HEAVY == heavy


@pytest.mark.parametrize(
    ("spec", "own"),
    [
        ("configs/alexnet-stem.yaml", in_full(AUDIT) | KINDS),
        ("configs/networks.yaml", in_full(AUDIT) | KINDS | in_full(NETWORK)),
    ],
)
def test_an_audit_of_a_spec_loads_exactly_this(spec, own):
    loaded = loaded_by("audit", spec, "--format", "json")
    assert {name for name in loaded if name.startswith("gradverify.")} == own
    outside = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names - {"gradverify"}
    # Cython puts its own modules beside the C part of PyYAML.
    assert {name for name in outside if "cython" not in name} <= {"click", "yaml"}
    assert not loaded & NEEDLESS


def test_the_import_contract_is_kept(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0, capsys.readouterr().out


def test_public_names_are_sorted_and_exist():
    assert gradverify.__all__ == sorted(gradverify.__all__)
    assert all(hasattr(gradverify, name) for name in gradverify.__all__)
