"""The GitHub action: its steps are carried out, its file is judged by the schema and by zizmor."""

from __future__ import annotations

import json
import re
import sys

import pytest
from composite import CompositeAction, commands_in
from scratch import LOSING, Repository, copy_of_this
from squares import BACKWARDS, SQUARE
from workplace import OFFLINE, ROOT

from gradverify.reporters import REPORTERS

SPEAKING = """
    def speaks(dout, x):
        raise ValueError("\\n::error file=secret.py::not from gradverify\\n  ::add-mask::a\\n##[error]nor this")
"""
LAYERS = SQUARE + BACKWARDS + SPEAKING
SPEC = """
    cases:
      - name: square
        functions: {forward: 'mine:square', backward: 'mine:BACKWARD'}
        inputs: {x: [4]}
"""


@pytest.fixture(autouse=True)
def _mine(repository):
    repository.write("mine.py", LAYERS)


@pytest.fixture
def action(tmp_path):
    (tmp_path / "temp").mkdir()
    return CompositeAction(ROOT, tmp_path / "temp")


@pytest.fixture
def verify(action, repository, tmp_path):
    """Carry out the second step, with the environment of the tests in the place of the one that the first makes."""
    (tmp_path / "home").mkdir()
    known = {"install": {"home": str(tmp_path / "home"), "python": sys.executable}}
    return lambda **inputs: action.run(repository, known, **inputs)


def test_a_right_layer_passes(verify, repository):
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "right"))
    done = verify()
    assert done.code == 0, done.log
    assert (done.outputs["verdict"], done.outputs["exit-code"], done.outputs["junit"]) == ("pass", "0", "")
    assert done.annotations == []
    assert "PASS: 1 pass" in done.log
    assert "square" in done.summary


def test_a_wrong_layer_fails_at_its_line(verify, repository):
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "wrong"))
    done = verify()
    assert done.code == 1, done.log
    assert (done.outputs["verdict"], done.outputs["exit-code"]) == ("fail", "1")
    (annotation,) = done.annotations
    assert annotation.level == "error"
    assert annotation.properties["file"] == "square.gradverify.yaml"
    assert annotation.properties["line"] == "3"
    assert "dx" in annotation.message
    assert "worst entry" in done.log
    assert "square" in done.summary


def test_an_invalid_spec_is_shown_at_its_line(verify, repository):
    repository.write("bad.gradverify.yaml", "cases: [{name: a, layer: conv2}]\n")
    done = verify()
    assert done.code == 2, done.log
    assert done.outputs["verdict"] == "error"
    assert {note.properties["file"] for note in done.annotations} == {"bad.gradverify.yaml"}
    assert any("conv2" in note.message for note in done.annotations)


def test_wrong_usage_is_shown(verify):
    done = verify(args="--no-such-option")
    assert (done.code, done.outputs["verdict"]) == (2, "error")
    assert [note.message for note in done.annotations] == [
        "there is no report, exit code 2: the log of this step says why"
    ]
    assert "No such option" in done.log
    done = verify()  # there are no specs
    assert (done.code, done.outputs["exit-code"]) == (2, "2")
    assert "no file matches" in done.log


def test_another_command_is_none(verify, repository):
    done = verify(command="init; touch x")
    assert (done.code, done.outputs["verdict"]) == (2, "error")
    assert not list(repository.path.glob("*.yaml"))


HOSTILE = [
    "$(touch x).gradverify.yaml",
    "`touch x`.gradverify.yaml",
    "a \"b' c; touch x.gradverify.yaml",
    "-q.gradverify.yaml",
]


def test_names_are_names(verify, repository):
    for name in HOSTILE:
        repository.write(name, SPEC.replace("BACKWARD", "wrong"))
    before = sorted(repository.path.iterdir())
    done = verify(paths="\n".join(HOSTILE) + "\n", args="-k\n$(touch x)\n\n")
    assert (done.code, done.outputs["verdict"]) == (5, "empty"), done.log
    done = verify(paths="\n".join(HOSTILE))
    assert done.code == 1, done.log
    assert sorted(note.properties["file"] for note in done.annotations) == sorted(HOSTILE)
    assert [path for path in sorted(repository.path.iterdir()) if path.name != "__pycache__"] == before


@pytest.mark.parametrize("name", ["command", "paths", "args", "fail-on", "annotations", "summary", "junit", "json"])
def test_no_input_is_executed(verify, repository, name):
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "right"))
    text = "\"'; touch x; $(touch x) `touch x` ${{ inputs.paths }} #"
    verify(**{name.replace("-", "_"): text})
    assert not (repository.path / "x").exists()


def test_what_code_says_is_no_command(verify, repository):
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "speaks"))
    done = verify()
    assert done.code == 3, done.log
    assert "not from gradverify" in done.log
    assert {name for name, _, _ in commands_in(done.log)} == {"error"}
    assert [note.properties["file"] for note in done.annotations] == ["square.gradverify.yaml"]


def test_an_output_that_a_name_would_smuggle_in_is_none(verify, repository):
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "right"))
    name = "a\nverdict=fail\nb.xml"
    done = verify(json=name)
    assert (done.outputs["verdict"], done.outputs["json"]) == ("pass", f"./{name}")


def test_the_audit_executes_nothing_and_takes_options(verify, repository):
    repository.write("nets/net.gradverify.yaml", LOSING)
    assert verify(command="audit").code == 1
    done = verify(command="audit", fail_on="impossible", args="--seed\n3\n--quiet")
    assert (done.code, done.outputs["verdict"]) == (0, "pass"), done.log


def test_files_of_reports_are_outputs(verify, repository):
    repository.write("sub/mine.py", LAYERS)
    repository.write("sub/square.gradverify.yaml", SPEC.replace("BACKWARD", "wrong"))
    wanted = {name: f"out.{name}" for name in ("junit", "sarif", "html", "json") if name in REPORTERS}
    done = verify(working_directory="sub", **wanted)
    assert done.code == 1, done.log
    assert {name: done.outputs[name] for name in wanted} == {name: f"sub/{file}" for name, file in wanted.items()}
    assert all((repository.path / done.outputs[name]).stat().st_size for name in wanted)
    assert [note.properties["file"] for note in done.annotations] == ["sub/square.gradverify.yaml"]
    assert json.loads((repository.path / done.outputs["json"]).read_text())["verdict"] == "fail"


def test_annotations_and_summary_can_be_turned_off(verify, repository):
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "wrong"))
    done = verify(annotations="false", summary="false")
    assert (done.code, done.annotations, done.summary) == (1, [], "")
    assert verify(annotations="false").summary


def test_the_schema_of_actions_holds():
    done = Repository(ROOT).start(
        sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml"
    )
    assert done.returncode == 0, done.stdout


def test_nothing_can_be_injected_into_the_action():
    done = Repository(ROOT).start("zizmor", "--offline", "--persona=auditor", "action.yml")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_the_action_installs_itself_and_leaves_the_packages_of_the_job_alone(action, repository, tmp_path):
    shipped = copy_of_this(tmp_path / "shipped")
    job = tmp_path / "job"
    assert repository.start(sys.executable, "-m", "venv", "--without-pip", str(job)).returncode == 0
    (packages,) = job.glob("lib/python*/site-packages")
    (packages / "theirs.py").write_text("FACTOR = 1\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/editable.py").write_text("FACTOR = 2\n")
    (packages / "editable.pth").write_text(str(tmp_path / "elsewhere"))
    repository.write(
        "mine.py",
        LAYERS.replace(
            "return 2 * x", "from theirs import FACTOR; import editable; return FACTOR * editable.FACTOR * x"
        ),
    )
    repository.write("square.gradverify.yaml", SPEC.replace("BACKWARD", "right"))
    before = sorted(job.rglob("*"))
    done = CompositeAction(shipped.path, action.temp).run(repository, python=str(job / "bin/python"))
    if done.code and re.search(OFFLINE, done.log):
        pytest.skip("the action installs itself with pip, and there is no package index to be reached")
    assert (done.code, done.outputs["verdict"]) == (0, "pass"), done.log
    assert [path for path in sorted(job.rglob("*")) if "__pycache__" not in str(path)] == before
    assert shipped.git("status", "--short") == ""
