"""pytest's own ways to choose tests, to stop and to configure them hold for cases as well."""

from __future__ import annotations

import re

import pytest
from plugin_project import RELU, RIGHT, WRONG, own, summary

GRID = f"{RELU}, dims: {{N: 1, M: 1}}, sweep: {{N: [1, 2, 10], M: [3, 4]}}".replace("[3]}", "[N, M]}", 1)
# Leaves a file behind whenever it runs.
LEAVES = "\ndef leaves(x, name):\n    open(__file__ + '.' + name, 'w').close()\n    return forward(x)\n"


def leaving(name):
    return own("leaves", more=f"inputs: {{x: [3]}}, params: {{name: {name}}}")


def outcomes(ran):
    return re.findall(r"^(?:FAILED|PASSED|SKIPPED) \S+::(\S+)", ran.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("expression", "many"),
    [
        ("grid", 6),
        ("N:10", 2),
        ("N:1 and not N:10", 2),
        ("N:2 and M:3", 1),
        ("other", 1),
        ("layers.gradverify", 7),
        ("gradverify and not grid", 1),
    ],
)
def test_keywords(project, expression, many):
    project.spec(f"name: grid, {GRID}", f"name: other, {RELU}")
    left = f", {7 - many} deselected" if many < 7 else ""
    assert summary(project.pytest("-k", expression)) == f"{many} passed{left}"


def test_last_failed_first_failed_and_their_cache(project):
    project.spec(f"name: right, {RIGHT}", f"name: wrong, {WRONG}")
    project.spec(f"name: other, {RIGHT}", name="other.gradverify.yaml")
    assert summary(project.pytest()) == "1 failed, 2 passed"
    assert summary(project.pytest("--lf")) == "1 failed"  # of the other file nothing is even collected
    assert outcomes(project.pytest("--ff", "-rA"))[0] == "right"
    order = project.pytest("--ff", "-v").stdout
    assert order.index("::wrong FAILED") < order.index("::right")
    project.spec(f"name: right, {RIGHT}", f"name: wrong, {RIGHT}")
    assert summary(project.pytest("--lf")) == "1 passed"
    assert summary(project.pytest("-p", "no:cacheprovider")) == "3 passed"


def test_stopping_at_a_failure_abandons_what_runs_ahead(project):
    project.spec(
        f"name: right, {RIGHT}",
        f"name: wrong, {WRONG}",
        f"name: hangs, {own('hangs')}, timeout: 50",
        f"name: wrong-too, {WRONG}",
    )
    assert summary(project.pytest("-x")) == "1 failed, 1 passed"
    stopped = project.pytest("--maxfail=1", "-k", "wrong")
    assert summary(stopped) == "1 failed, 2 deselected"
    assert "stopping after 1 failures" in stopped.stdout


def test_a_mark_that_keeps_a_case_from_running_does(project):
    project.write("layers.py", (project.path / "layers.py").read_text() + LEAVES)
    project.write(
        "conftest.py",
        """\
        import pytest
        def pytest_collection_modifyitems(items):
            for item in items:
                if item.name == "skipped":
                    item.add_marker(pytest.mark.skip(reason="not today"))
                if item.name == "known":
                    item.add_marker(pytest.mark.xfail(reason="known", strict=True))
        """,
    )
    project.spec(
        f"name: first, {leaving('first')}",
        f"name: skipped, {leaving('skipped')}",
        f"name: last, {leaving('last')}",
        f"name: known, {WRONG}",
    )
    assert summary(project.pytest("-rA")) == "2 passed, 1 skipped, 1 xfailed"
    assert sorted(file.suffix for file in project.path.glob("layers.py.*")) == [".first", ".last"]


def test_cases_run_again_when_they_are_asked_for_again(project):
    project.write("layers.py", (project.path / "layers.py").read_text() + LEAVES)
    project.spec(f"name: one, {leaving('one')}", f"name: two, {leaving('two')}")
    project.write(
        "conftest.py",
        """\
        import pathlib
        from _pytest.runner import runtestprotocol
        def pytest_runtest_protocol(item, nextitem):
            runtestprotocol(item, nextitem=nextitem, log=False)
            pathlib.Path(f"layers.py.{item.name}").unlink()
            runtestprotocol(item, nextitem=nextitem)
            pathlib.Path(f"layers.py.{item.name}").unlink()
            return True
        """,
    )
    assert summary(project.pytest()) == "2 passed"


def test_specs_of_several_folders_and_ordinary_tests_in_any_order(project):
    for folder in ("a", "b", "c"):
        project.write(
            f"{folder}/layers.py",
            (project.path / "layers.py").read_text().replace("2 *", "2 *" if folder == "b" else ""),
        )
        project.spec(f"name: one, {WRONG}", f"name: two, {RIGHT}", name=f"{folder}/it.gradverify.yaml")
        project.write(f"{folder}/test_{folder}.py", "def test_it():\n    pass\n")
    project.write(
        "conftest.py",
        "def pytest_collection_modifyitems(items):\n    items.sort(key=lambda item: item.nodeid[::-1])\n",
    )
    ran = project.pytest("-o", "gradverify_options=--workers 1")
    assert summary(ran) == "1 failed, 8 passed"
    assert "FAILED b/it.gradverify.yaml::one" in ran.stdout


def test_options_of_a_run_hold_and_are_repeated(project):
    project.spec("name: conv, layer: conv2d, inputs: {x: [1, 1, 4, 4], w: [1, 1, 3, 3], b: [1]}, params: {stride: 2}")
    assert summary(project.pytest()) == "1 passed"
    ran = project.pytest("-o", "gradverify_options=--fail-on identity --workers 1 --strict")
    assert summary(ran) == "1 failed"
    assert "gradverify run layers.gradverify.yaml --case conv --fail-on identity --strict\n" in ran.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--strct", "'--strct' is no option for pytest's runs, did you mean '--strict'?"),
        ("--format json", "'--format' is no option for pytest's runs"),
        ("-k text", "'-k' is no option for pytest's runs"),
        ("--seed -1", "Invalid value for '--seed': -1 is not in the range"),
        ("--timeout", "Option '--timeout' requires an argument"),
        ("configs", "Got unexpected extra argument (configs)"),
    ],
)
def test_options_that_cannot_be_are_told(project, options, said):
    project.spec(f"name: right, {RIGHT}")
    ran = project.pytest("-o", f"gradverify_options={options}")
    assert (ran.code, summary(ran)) == (2, "1 error")
    assert f"gradverify_options: {said}" in ran.stdout
    assert "Traceback" not in ran.stdout


def test_the_same_with_another_way_to_import(project):
    project.spec(f"name: right, {RIGHT}", f"name: wrong, {WRONG}")
    assert (
        summary(project.pytest("--import-mode=importlib", "--strict-config", "--strict-markers"))
        == "1 failed, 1 passed"
    )


def test_a_folder_that_is_changed_while_collecting_does_no_harm(project):
    project.write("conftest.py", "import os\nos.makedirs('elsewhere', exist_ok=True)\nos.chdir('elsewhere')\n")
    project.spec(f"name: right, {RIGHT}", f"name: wrong, {WRONG}")
    ran = project.pytest()
    assert summary(ran) == "1 failed, 1 passed"
    assert f"reproduce: gradverify run {project.path}/layers.gradverify.yaml --case wrong" in ran.stdout
