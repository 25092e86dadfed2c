"""What the documents tell people to put into their CI: valid by the schemas of each, safe, and doing what it says."""

from __future__ import annotations

import os
import re
import sys

import pytest
import yaml
from composite import CompositeAction
from scratch import LOSING, PRE_COMMIT, Repository
from walkthrough import blocks_of
from workplace import ROOT

PAGES = ("ci", "guide")
BLOCKS = [
    pytest.param(block, id=f"{page}-{number}-{block.file}")
    for page in PAGES
    for number, block in enumerate(blocks_of(ROOT / f"docs/{page}.md"))
    if block.language == "yaml" and not block.file.endswith(".gradverify.yaml")
]
SCHEMAS = {
    ".github/workflows": "vendor.github-workflows",
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    ".circleci": "vendor.circle-ci",
    "azure-pipelines.yml": "vendor.azure-pipelines",
}
ZIZMOR = 'rules: {unpinned-uses: {config: {policies: {"*": ref-pin}}}}'  # which commit is the reader's to say
ACTION, HOOKS = "OWNER/gradverify@v0.1.0", "https://github.com/OWNER/gradverify"

WRONG = """
    cases:
      - {name: square, functions: {forward: 'mine:square', backward: 'mine:grad'}, inputs: {x: [4]}}
"""
MINE = """
    def square(x):
        return x * x, x

    def grad(dout, x):
        return x * dout
"""


@pytest.fixture(autouse=True)
def _content(repository):
    """Put a wrong layer and a network that loses rows into the user's repository."""
    repository.write("mine.py", MINE)
    repository.write("square.gradverify.yaml", WRONG)
    repository.write("nets/net.gradverify.yaml", LOSING)
    onnx = pytest.importorskip("onnx", reason="models are made with onnx")
    node = onnx.helper.make_node("MaxPool", ["x"], ["y"], name="pool", kernel_shape=[3, 3], strides=[2, 2])
    sizes = (("x", [1, 3, "height", "width"]), ("y", None))
    values = [onnx.helper.make_tensor_value_info(name, 1, shape) for name, shape in sizes]
    (repository.path / "models").mkdir()
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "net", values[:1], values[1:]))
    (repository.path / "models/pool.onnx").write_bytes(model.SerializeToString())
    for name in ("audit-baseline.json",):
        repository.write(name, '{"version": 1, "accepted": []}')


@pytest.fixture
def pip_alone(tmp_path):
    """Return a path in front of which pip installs nothing, and writes down what it was asked for."""
    folder = tmp_path / "bin"
    folder.mkdir()
    scripts = {
        "pip": 'echo "$@" >> "$0.log"',
        "python": f'if [ "$2" = pip ]; then shift 2; exec "${{0%python}}pip" "$@"; fi; exec {sys.executable} "$@"',
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return f"{folder}{os.pathsep}{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"  # noqa: PTH120  text


def named(*names):
    return [param for param in BLOCKS if param.values[0].file.startswith(names)]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_snippet_is_valid(block, repository):
    file = repository.write(block.file, block.text)
    if block.file == ".pre-commit-config.yaml":
        done = repository.start(*PRE_COMMIT, "validate-config", file)
    else:
        (schema,) = (schema for name, schema in SCHEMAS.items() if block.file.startswith(name))
        done = repository.start(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", named(".github"))
def test_a_workflow_is_safe(block, repository):
    repository.write(block.file, block.text)
    config = repository.write("zizmor.yml", ZIZMOR)
    done = repository.start("zizmor", "--offline", "--persona=pedantic", "--config", str(config), ".")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", named(".github"))
def test_the_action_takes_what_a_workflow_gives_it(block, repository, tmp_path):
    (tmp_path / "temp").mkdir()
    action = CompositeAction(ROOT, tmp_path / "temp")
    (job,) = yaml.safe_load(block.text)["jobs"].values()
    steps = [step for step in job["steps"] if step.get("uses") == ACTION]
    assert steps
    for number, step in enumerate(steps):
        (tmp_path / str(number)).mkdir()
        known = {"install": {"home": str(tmp_path / str(number)), "python": sys.executable}}
        given = {name.replace("-", "_"): value for name, value in step.get("with", {}).items()}
        if "models" in given.get("paths", ""):
            given["args"] += "--input-shape\n1,3,8,8\n"
        done = action.run(repository, known, **given)
        assert done.code == 1, done.log
        assert done.annotations
        later = {name for part in job["steps"] for name in re.findall(r"gradverify\.outputs\.(\w+)", str(part))}
        assert all((repository.path / done.outputs[name]).is_file() for name in later)


def jobs_of(block):
    """Return the job of a GitLab file, with what it extends."""
    config = yaml.safe_load(block.text)
    template = yaml.safe_load((ROOT / "templates/gradverify.yml").read_text())
    for name, job in config.items():
        if name != "include":
            base = template.get(job.get("extends"), {})
            yield base | job | {"variables": base.get("variables", {}) | job.get("variables", {})}


@pytest.mark.parametrize("block", named(".gitlab"))
def test_a_job_of_gitlab_fails_and_leaves_its_reports(block, repository, pip_alone):
    repository.write("requirements.txt", "")
    (job,) = jobs_of(block)
    variables = dict(job["variables"])
    if "models" in variables.get("GRADVERIFY_PATHS", ""):
        variables["GRADVERIFY_ARGS"] += "--input-shape\n1,3,8,8\n"
    done = repository.start("sh", "-ec", "\n".join(job["script"]), **variables, PATH=pip_alone)
    assert done.returncode == 1, done.stdout
    assert "FAIL: " in done.stdout
    assert all((repository.path / file).stat().st_size for file in job["artifacts"]["reports"].values())


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_the_template_takes_names_as_they_are(shell, repository, pip_alone):
    template = yaml.safe_load((ROOT / "templates/gradverify.yml").read_text())[".gradverify"]
    names = ["a $(touch y) b.yaml", "-q;touch y.yaml"]
    for name in names:
        repository.write(name, LOSING)
    given = {"GRADVERIFY_COMMAND": "audit", "GRADVERIFY_PATHS": "\n".join(names), "GRADVERIFY_ARGS": "-k\n`touch y`"}
    for args, code in (("", 1), (given["GRADVERIFY_ARGS"], 5)):
        variables = template["variables"] | given | {"GRADVERIFY_ARGS": args, "PATH": pip_alone}
        done = repository.start(shell, "-ec", "\n".join(template["script"]), **variables)
        assert done.returncode == code, done.stdout
    assert not (repository.path / "y").exists()


@pytest.mark.parametrize("block", named(".circleci", "azure"))
def test_a_job_elsewhere_fails_and_leaves_its_report(block, repository, pip_alone):
    config = yaml.safe_load(block.text)
    steps = config["steps"] if "steps" in config else config["jobs"]["gradients"]["steps"]
    scripts = [text for step in steps if isinstance(step, dict) for text in map(step.get, ("run", "script")) if text]
    codes = [repository.start("bash", "-eo", "pipefail", "-c", text, PATH=pip_alone).returncode for text in scripts]
    assert codes == [0, 1]
    assert len(list(repository.path.rglob("gradverify.xml"))) == 1


def test_the_template_is_valid():
    command = (sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci")
    done = Repository(ROOT).start(*command, "templates/gradverify.yml")
    assert done.returncode == 0, done.stdout


def test_the_table_of_inputs_is_the_one_of_the_action():
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    page = (ROOT / "docs/ci.md").read_text()
    table = page[page.index("| input |") :].split("\n\n")[0].splitlines()[2:]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table]
    assert [name for row in rows for name in re.findall(r"`([\w-]+)`", row[0])] == list(inputs)
    for names, _, default in rows:
        for name in re.findall(r"`([\w-]+)`", names):
            said = default.strip("`") if default.startswith("`") else ""
            assert said == inputs[name]["default"]


@pytest.mark.slow
@pytest.mark.parametrize("block", named(".pre-commit"))
def test_the_hooks_do_what_their_configuration_says(block, repository, shipped, installed):
    (entry,) = (config := yaml.safe_load(block.text))["repos"]
    assert entry["repo"] == HOOKS
    entry |= {"repo": str(shipped.path), "rev": shipped.git("rev-parse", "HEAD")}
    repository.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    repository.write("layers/specs/square.yaml", WRONG.replace("mine:", "../../mine.py:"))
    repository.commit()
    done = repository.start(*PRE_COMMIT, "run", "--all-files", PRE_COMMIT_HOME=str(installed))
    assert done.returncode == 1, done.stdout
    found = dict(re.findall(r"^(gradverify .*?)\.{2,}.*?(Passed|Failed|Skipped)$", done.stdout, re.MULTILINE))
    assert list(found.values()) == ["Failed"] * len(entry["hooks"]), done.stdout
    assert "worst entry" in done.stdout
    assert "net/stem" in done.stdout
