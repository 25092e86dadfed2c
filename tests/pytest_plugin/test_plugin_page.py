"""The page on pytest says what happens: its files as they stand, its commands in their order."""

from __future__ import annotations

import re
import shlex

import pytest
from workplace import ROOT

from gradverify.pytest_plugin.options import _PYTESTS, run

PAGE = (ROOT / "docs/pytest.md").read_text()
FILES = re.findall(r"```(?:python|yaml|ini)\n(# (\S+)\n.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"```console\n\$ pytest (.*)\n((?:.*\n)*?)```", PAGE)


def told_before(project, command):
    """Write the files that stand above a command."""
    for text, name in FILES:
        if PAGE.index(text) < PAGE.index(f"$ pytest {command}"):
            project.write(name, text)
    project.write("pytest.ini", "[pytest]\npythonpath = .\n")
    return project


def pattern(expected):
    """Return a pattern for what a command prints: ``...`` stands for lines, and times are what they are."""
    lines = [re.escape(line) for line in re.sub(r" in [\d.]+s", " in TIME", expected).splitlines()]
    text = "\n".join(".*" if line == r"\.\.\." else line for line in lines)
    return text.replace("TIME", r"[\d.]+s") + r"\n"


def test_the_page_has_commands():
    assert len(COMMANDS) >= 4


@pytest.mark.parametrize(("command", "expected"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_a_command_prints_what_the_page_says(project, command, expected):
    ran = told_before(project, command).pytest(*shlex.split(command), columns="80")
    assert re.fullmatch(pattern(expected), ran.stdout, re.DOTALL), ran.stdout


@pytest.mark.parametrize("settings", [text for text, name in FILES if name == "pytest.ini"])
def test_a_configuration_is_taken(project, settings):
    told_before(project, COMMANDS[-1][0]).write("pytest.ini", settings)
    assert project.pytest("--strict-config", "-q", "-k", "relu").code == 0


@pytest.mark.parametrize("words", re.findall(r"^\| `pytest (\S.*?)`(?: \||, `)", PAGE, re.MULTILINE))
def test_a_way_to_choose_is_taken(project, words):
    told_before(project, COMMANDS[0][0])
    assert project.pytest(*shlex.split(words), "--collect-only").code in {0, 5}


def test_every_option_of_a_run_is_named():
    section = PAGE[PAGE.index("They are") : PAGE.index("## Where the code runs")]
    named = set(re.findall(r"`(--[a-z-]+)`", section))
    assert named == {option.opts[0] for option in run.params if option.name not in _PYTESTS}
