"""Globs name files as people expect of globs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradverify.pytest_plugin.globs import is_named

ROOT = Path(os.sep, "home", "me")
NAMES = st.lists(st.text("abc.", min_size=1, max_size=3).filter(lambda name: name.strip(".")), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("glob", "file", "named"),
    [
        ("*.yaml", "a.yaml", True),
        ("*.yaml", "deep/a.yaml", True),
        ("*.yaml", "a.yml", False),
        ("./*.yaml", "deep/a.yaml", False),
        ("./*.yaml", "a.yaml", True),
        ("specs/*.yaml", "specs/a.yaml", True),
        ("specs/*.yaml", "specs/deep/a.yaml", False),
        ("specs/*.yaml", "other/specs/a.yaml", False),
        ("**/specs/*.yaml", "other/specs/a.yaml", True),
        ("specs/**/a.yaml", "specs/a.yaml", True),
        ("specs/**/a.yaml", "specs/x/y/a.yaml", True),
        ("specs", "specs/deep/a.yml", True),
        ("specs", "specs/notes.txt", False),
        ("specs/", "specs/a.yaml", True),
        ("other/specs/", "specs/a.yaml", False),
        ("specs/?.yaml", "specs/ab.yaml", False),
        ("specs/[ab].yaml", "specs/b.yaml", True),
        ("notes.txt", "notes.txt", True),
        ("../specs/*.yaml", "../specs/a.yaml", True),
        (".", "deep/a.yaml", True),
        (".", "deep/a.txt", False),
        (".", "a.yaml", True),
        ("specs/**", "specs/deep/a.yaml", True),
        ("specs/**", "specs/a.txt", False),
        ("*", "a.txt", True),
    ],
)
def test_a_glob_names_a_file(glob, file, named):
    assert is_named(Path(os.path.normpath(ROOT / file)), ROOT, [glob]) == named


@given(NAMES)
def test_a_file_is_named_by_its_path_its_name_and_every_folder_above(names):
    file = ROOT.joinpath(*names[:-1], f"{names[-1]}.yaml")
    assert is_named(file, ROOT, ["./" + "/".join([*names[:-1], file.name])])
    assert is_named(file, ROOT, [file.name])
    assert all(is_named(file, ROOT, ["./" + "/".join(names[:end])]) for end in range(1, len(names)))
    assert not is_named(file, ROOT, ["./" + "/".join([*names, "*"])])
