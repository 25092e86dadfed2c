"""Names that commands take: patterns stand for files, and nothing to judge may be as good as a pass."""

from __future__ import annotations

import pytest

CASE = "cases: [{{name: {name}, layer: {layer}, inputs: {{x: [2, 1, 4, 4]}}{more}}}]"
POOL = ", params: {kernel_size: 2}"


@pytest.fixture
def several(workplace):
    for name in ("b.gradverify.yaml", "deep/er/a.gradverify.yaml", ".hidden/c.gradverify.yaml", "other.yaml"):
        stem = name.rsplit("/", 1)[-1].split(".")[0]
        workplace.write(name, CASE.format(name=stem, layer="maxpool2d", more=POOL))
    return workplace


@pytest.mark.parametrize("command", ["run", "audit", "sweep"])
def test_a_pattern_stands_for_the_files_that_match_but_for_hidden_folders(several, command):
    ran = several.run(command, "**/*.gradverify.yaml", "--collect-only")
    assert (ran.code, ran.stdout) == (0, "b\na\n")


def test_a_file_that_is_called_like_a_pattern_is_itself(several):
    several.write("[ab].gradverify.yaml", CASE.format(name="odd", layer="maxpool2d", more=POOL))
    assert several.run("audit", "[ab].gradverify.yaml", "--collect-only").stdout == "odd\n"


def test_a_pattern_that_nothing_matches_is_wrong_usage(several):
    ran = several.run("audit", "nets/*.yaml")
    assert (ran.code, ran.stdout) == (2, "")
    reason = "* and ** look into no folder that begins with a dot"
    assert ran.stderr == f"Error: no file matches 'nets/*.yaml', expected at least one; {reason}\n"


def test_patterns_find_models(several):
    several.write("deep/net.onnx", "no model")
    ran = several.run("audit", "**/*.onnx")
    assert ran.code == 2
    assert "deep/net.onnx" in ran.stderr


def test_nothing_to_judge_passes_where_that_is_asked_for(workplace):
    workplace.write("a.yaml", CASE.format(name="a", layer="relu", more=""))
    assert workplace.run("audit", "a.yaml").code == 5
    ran = workplace.run("audit", "a.yaml", "--allow-empty", "--format", "json")
    assert (ran.code, ran.json["exit_code"], ran.json["verdict"]) == (0, 0, "empty")
    assert workplace.run("run", "a.yaml", "-k", "b", "--collect-only", "--allow-empty").code == 0


def test_what_is_judged_fails_all_the_same(workplace):
    workplace.write("a.yaml", CASE.format(name="a", layer="maxpool2d", more=", params: {kernel_size: 3}"))
    assert workplace.run("audit", "a.yaml", "--allow-empty").code == 1
