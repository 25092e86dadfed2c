"""The page of conventions: every pair of files on it passes as it stands, and fails with a mistake in the Python."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from workplace import ROOT, Workplace

from gradverify.spec.presets import PRESETS

PAGE = (ROOT / "docs/conventions.md").read_text()
FILES = dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL))
SPECS = sorted(name for name in FILES if name.endswith(".yaml"))

INPUT_FIRST = "        input_gradient = self.weights.T @ output_gradient"
UPDATE = "        self.weights -= learning_rate * output_gradient @ self.input.T"

# What the page is warned of: gradients that add up, and losses that overflow on the edge.
WARNINGS = {"lazy.yaml": {"backward-twice"}, "tape.yaml": {"backward-twice"}, "losses.yaml": {"finite"}}

# For each spec: what to change in which file, and the cases that must then fail, with the inputs to blame.
MISTAKES = {
    "cached.yaml": ("cached.py", "dout.sum(axis=0)", "dout.mean(axis=0)", {"affine": {"b"}}),
    "loss.yaml": ("loss.py", "dx / len(x)", "dx", {"softmax-loss": {"x"}}),
    "lstm.yaml": ("lstm.py", "dc = dc + dh", "dc = dh", {"lstm-step": {"x", "h", "c", "wx", "wh", "b"}}),
    "called.yaml": ("called.py", "(dout * x).sum", "dout.sum", {"scale": {"gamma"}}),
    "activations.yaml": ("activations.py", "(1 - ", "(2 - ", {"sigmoid": {"x"}, "of-the-output": {"x"}}),
    "dense.yaml": ("layers/2-dense.py", "dz @ w.T", "-dz @ w.T", {"dense": {"a_prev"}}),
    "affine.yaml": ("affine.py", "self.x.T @ dout", "2 * self.x.T @ dout", {"affine": {"W"}}),
    "attributes.yaml": ("attributes.py", "dvalues.sum(", "dvalues.mean(", {"dense": {"biases"}}),
    "containers.yaml": (
        "containers.py",
        "self.x.T @ dout",
        "self.x.T @ dout * 1.001",
        {"lists": {"W"}, "pairs": {"w"}, "returned": {"weights"}, "said": {"w"}},
    ),
    "windows.yaml": ("windows.py", "dx[window] +=", "dx[window] =", {"conv/stride=1,pad=0": {"x"}}),
    "lazy.yaml": ("lazy.py", "dLdy @ self", "dLdy @ -self", {"lazy": {"X"}}),
    "built.yaml": (
        "built.py",
        "grad.sum(axis=0)]",
        "grad[0]]",
        {"built": {"bias"}, "by-preset": {"bias"}, "connected": {"bias"}},
    ),
    "updating.yaml": (
        "updating.py",
        f"{INPUT_FIRST}\n{UPDATE}",
        f"{UPDATE}\n{INPUT_FIRST}",
        {"dense": {"input"}, "said": {"input"}},
    ),
    "tape.yaml": ("tape.py", "lambda g: g * self.data", "lambda g: g * other.data", {"tape": {"w"}}),
    "losses.yaml": (
        "losses.py",
        "(1 - ",
        "(1 + ",
        {"sigmoid": {"x"}, "network": {"W1"}},
    ),
}


@pytest.fixture
def page(tmp_path):
    place = Workplace(tmp_path)
    for name, text in FILES.items():
        place.write(name, text)
    return place


def test_every_spec_of_the_page_has_a_mistake():
    assert set(MISTAKES) == set(SPECS)
    assert len(SPECS) >= 14


@pytest.mark.parametrize("spec", SPECS)
def test_a_convention_passes_as_it_stands(page, spec):
    ran = page.run("run", spec, "--format", "json")
    assert (ran.code, ran.json["counts"]["pass"]) == (0, len(ran.json["cases"])), ran.stdout + ran.stderr
    broken = {part["code"] for case in ran.json["cases"] for part in case["contracts"] if part["verdict"] != "pass"}
    assert broken == WARNINGS.get(spec, set())


@pytest.mark.parametrize("spec", SPECS)
def test_a_convention_fails_with_a_mistake_in_it(page, spec):
    file, right, wrong, blamed = MISTAKES[spec]
    assert right in FILES[file]
    page.write(file, FILES[file].replace(right, wrong))
    ran = page.run("run", spec, "--format", "json")
    found = {
        case["id"]: {part["input"] for part in case["gradients"] if part["verdict"] == "fail"}
        for case in ran.json["cases"]
    }
    assert ran.code == 1, ran.stdout
    assert {name: found[name] for name in blamed} == blamed


def test_the_test_file_of_the_page_passes(page):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_layers.py"],
        cwd=page.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout


def test_every_preset_is_in_the_table():
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*) \|$", PAGE, re.MULTILINE))
    assert rows == {name: preset.about for name, preset in PRESETS.items()}
