"""The pre-commit hooks, run by pre-commit in a scratch repository: what fails a commit, and what does not."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from scratch import Repository
from workplace import ROOT

HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
PRE_COMMIT = (sys.executable, "-m", "pre_commit")

NETWORK = """
    cases:
      - name: net
        inputs: {image: [1, 3, SIZE, SIZE]}
        network: [{name: stem, layer: conv2d, out_channels: 8, kernel_size: 11, stride: 4}]
"""
EXACT, LOSING = NETWORK.replace("SIZE", "227"), NETWORK.replace("SIZE", "224")
SPEC = """
    cases:
      - {name: square, functions: {forward: 'mine:square', backward: 'mine:grad'}, inputs: {x: [4]}}
"""
RIGHT = """
    def square(x):
        return x * x, x

    def grad(dout, x):
        return 2 * x * dout
"""
WRONG = RIGHT.replace("2 * x", "x")


def configure(repository, shipped, *hooks):
    """Write the configuration that a user of these hooks would."""
    config = {"repos": [{"repo": str(shipped.path), "rev": shipped.git("rev-parse", "HEAD"), "hooks": list(hooks)}]}
    repository.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    repository.commit()


def run(repository, home, *arguments):
    return repository.start(*PRE_COMMIT, "run", *arguments, PRE_COMMIT_HOME=str(home))


def test_the_manifest_is_one():
    done = Repository(ROOT).start(*PRE_COMMIT, "validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


def test_the_audit_reads_models_with_what_the_extra_names():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["onnx"]
    assert HOOKS["gradverify-audit"]["additional_dependencies"] == extra


@pytest.mark.parametrize(
    ("name", "audited", "ran"),
    [
        ("gradverify.yaml", True, True),
        ("nets/stem.gradverify.yml", True, True),
        ("nets/stem.onnx", True, False),
        ("layers/conv.py", False, True),
        ("nets/stem.yaml", False, False),
        ("notgradverify.yaml", False, False),
        (".github/workflows/ci.yml", False, False),
    ],
)
def test_which_files_the_hooks_look_at(name, audited, ran):
    assert bool(re.search(HOOKS["gradverify-audit"]["files"], name)) == audited
    assert bool(re.search(HOOKS["gradverify-run"]["files"], name)) == ran


def test_run_fails_on_a_wrong_gradient_whose_spec_did_not_change(repository, shipped, home):
    configure(repository, shipped, {"id": "gradverify-run"})
    repository.write("layers/square.gradverify.yaml", SPEC)
    repository.write("layers/mine.py", RIGHT)
    repository.commit()
    done = run(repository, home, "--all-files")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout

    repository.write("layers/mine.py", WRONG)
    repository.git("add", "--all")
    done = run(repository, home)  # of the commit to be: mine.py alone
    assert done.returncode == 1, done.stdout
    assert "worst entry" in done.stdout
    assert "gradverify run layers/square.gradverify.yaml --case square" in done.stdout


def test_run_takes_other_specs_from_args(repository, shipped, home):
    configure(repository, shipped, {"id": "gradverify-run", "args": ["specs/", "--seed", "3"]})
    repository.write("specs/square.yaml", SPEC)
    repository.write("specs/mine.py", WRONG)
    repository.commit()
    done = run(repository, home, "--all-files")
    assert done.returncode == 1, done.stdout
    assert "specs/square.yaml --case square --seed 3" in done.stdout


def test_run_without_specs_says_what_it_looked_for(repository, shipped, home):
    configure(repository, shipped, {"id": "gradverify-run"})
    repository.write("mine.py", RIGHT)
    repository.commit()
    done = run(repository, home, "--all-files")
    assert done.returncode == 1, done.stdout
    assert "no file matches '**/*gradverify.y*ml'" in done.stdout


@pytest.mark.slow
def test_the_audit_fails_on_rows_that_are_lost(repository, shipped, installed):
    configure(repository, shipped, {"id": "gradverify-audit"})
    repository.write("nets/my 'net' $(touch x).gradverify.yaml", EXACT)
    repository.commit()
    done = run(repository, installed, "--all-files")
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout

    repository.write("nets/my 'net' $(touch x).gradverify.yaml", LOSING)
    repository.git("add", "--all")
    done = run(repository, installed)
    assert done.returncode == 1, done.stdout
    assert "FAIL: 1 fail" in done.stdout
    assert "rows never read: 1 of data at the far end" in done.stdout
    assert not (repository.path / "x").exists()


@pytest.mark.slow
def test_the_audit_reads_models(repository, shipped, installed):
    onnx = pytest.importorskip("onnx", reason="models are made with onnx")
    nodes = [onnx.helper.make_node("MaxPool", ["x"], ["y"], name="pool", kernel_shape=[3, 3], strides=[2, 2])]
    shapes = [[1, 1, 8, 8], [1, 1, 3, 3]]
    values = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in zip("xy", shapes, strict=True)]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "net", values[:1], values[1:]))
    (repository.path / "net.onnx").write_bytes(model.SerializeToString())
    configure(repository, shipped, {"id": "gradverify-audit"})
    done = run(repository, installed, "--all-files")
    assert done.returncode == 1, done.stdout
    assert "net.onnx" in done.stdout


@pytest.mark.slow
def test_a_commit_that_removes_or_renames_specs_and_one_without_windows_pass(repository, shipped, installed):
    configure(repository, shipped, {"id": "gradverify-audit"})
    for name in ("gone", "old"):
        repository.write(f"{name}.gradverify.yaml", EXACT)
    repository.commit()
    repository.git("rm", "--quiet", "gone.gradverify.yaml")
    done = run(repository, installed)
    assert (done.returncode, "Skipped" in done.stdout) == (0, True), done.stdout
    repository.git("mv", "old.gradverify.yaml", "new.gradverify.yaml")
    repository.write("plain.gradverify.yaml", "cases: [{name: a, layer: relu, inputs: {x: [3]}}]")
    repository.git("add", "--all")
    done = run(repository, installed)
    assert (done.returncode, "Passed" in done.stdout) == (0, True), done.stdout


@pytest.mark.slow
def test_many_specs_fail_for_the_one_that_is_wrong(repository, shipped, installed):
    configure(repository, shipped, {"id": "gradverify-audit"})
    folder = "a-folder-with-a-name-that-is-long-enough-to-need-several-command-lines-" + "x" * 100
    for number in range(2000):
        text = LOSING if number == 1000 else EXACT
        (repository.path / folder).mkdir(exist_ok=True)
        repository.write(f"{folder}/{number:04}.gradverify.yaml", text)
    repository.commit()
    done = run(repository, installed, "--all-files")
    assert done.returncode == 1, done.stdout[-2000:]
    assert "1000.gradverify.yaml" in done.stdout
    assert "0999.gradverify.yaml" not in done.stdout


@pytest.mark.slow
def test_run_works_in_an_environment_of_the_hook(repository, shipped, installed):
    """Where nothing but numpy and what is listed is needed, pre-commit can make the environment."""
    hook = {"id": "gradverify-run", "language": "python", "additional_dependencies": []}
    configure(repository, shipped, hook)
    repository.write("square.gradverify.yaml", SPEC)
    repository.write("mine.py", WRONG)
    repository.commit()
    nowhere = str(Path(installed) / "no-gradverify-here")
    done = repository.start(*PRE_COMMIT, "run", "--all-files", PRE_COMMIT_HOME=str(installed), PYTHONPATH=nowhere)
    assert done.returncode == 1, done.stdout
    assert "worst entry" in done.stdout


@pytest.mark.slow
def test_try_repo_shows_the_hook_to_who_has_not_decided_yet(repository, shipped, installed):
    repository.write("stem.gradverify.yaml", LOSING)
    repository.commit()
    command = [*PRE_COMMIT, "try-repo", str(shipped.path), "gradverify-audit", "--all-files"]
    done = repository.start(*command, PRE_COMMIT_HOME=str(installed))
    assert done.returncode == 1, done.stdout
    assert "stem.gradverify.yaml" in done.stdout
