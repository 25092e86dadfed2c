"""The promises about imports and start-up that the import contract cannot see."""

from __future__ import annotations

import subprocess
import sys

import pytest
from importlinter.cli import lint_imports
from workplace import ROOT

import gradverify

HEAVY = {"numpy", "rich", "yaml", "click"}

LOADED = "import sys, runpy; sys.argv = {arguments!r}\ntry:\n runpy.run_module('gradverify', run_name='__main__')\n"
LOADED += "except SystemExit: pass\nprint(sorted(name for name in sys.modules if '.' not in name), file=sys.stderr)"


def loaded_by(*arguments: str) -> set[str]:
    """Return the top-level modules that a command loads in the process that prints."""
    script = LOADED.format(arguments=["gradverify", *arguments])
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(eval(done.stderr.splitlines()[-1]))  # noqa: S307  a list that this test printed


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), {"click"}),
        (("run", "--help"), {"click", "yaml"}),
        (("layers",), {"click"}),
        (("layers", "conv2d"), {"click", "numpy"}),
        (("audit", "configs/alexnet-stem.yaml"), {"click", "yaml", "rich"}),
        (("audit", "configs/alexnet-stem.yaml", "--format", "json"), {"click", "yaml"}),
        (("run", "configs/activations.yaml", "--format", "json"), {"click", "yaml"}),
    ],
)
def test_a_command_loads_only_what_it_needs(arguments, heavy):
    assert loaded_by(*arguments) & HEAVY <= heavy


def test_the_import_contract_is_kept(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0, capsys.readouterr().out


def test_public_names_are_sorted_and_exist():
    assert gradverify.__all__ == sorted(gradverify.__all__)
    assert all(hasattr(gradverify, name) for name in gradverify.__all__)
