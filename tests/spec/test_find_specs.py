"""Names on the command line into files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from gradverify.errors import UsageError
from gradverify.spec.files import find_specs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("c.yaml", "a.yml", "b.yaml", "sub/z.yml", "sub/deeper/y.yaml", "aa/x.yaml", "notes.txt", "d.YAML.bak"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("cases: []", encoding="utf-8")
    (tmp_path / "folder.yaml").mkdir()
    return tmp_path


ORDER = ["a.yml", "aa/x.yaml", "b.yaml", "c.yaml", "sub/deeper/y.yaml", "sub/z.yml"]


def _names(folder: Path, *names: str) -> list[str]:
    return [os.path.relpath(file, folder) for file in find_specs(tuple(str(folder / name) for name in names))]


def test_folders_are_searched_in_one_sorted_order(folder: Path) -> None:
    assert _names(folder, "") == ORDER


def test_names_keep_their_order(folder: Path) -> None:
    assert _names(folder, "sub", "c.yaml", "aa") == ["sub/deeper/y.yaml", "sub/z.yml", "c.yaml", "aa/x.yaml"]


def test_no_file_twice(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder / "b.yaml")
    assert _names(folder, "c.yaml", "", "sub/../c.yaml", "sub", "link.yaml") == [
        "c.yaml", *[name for name in ORDER if name != "c.yaml"]
    ]  # fmt: skip


def test_a_file_needs_no_suffix_when_it_is_named(folder: Path) -> None:
    assert _names(folder, "notes.txt") == ["notes.txt"]


def test_names_stay_as_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert [str(file) for file in find_specs(("sub", "./b.yaml"))] == ["sub/deeper/y.yaml", "sub/z.yml", "b.yaml"]


def test_a_folder_without_specs_is_no_mistake(folder: Path) -> None:
    assert _names(folder, "folder.yaml") == []


@pytest.mark.parametrize("name", ["net.onnx", "NET.ONNX"])
def test_a_model_is_no_spec(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        find_specs((str(folder / name),))
    assert str(caught.value) == (
        f"'{folder / name}' is a model, expected a spec: gradverify audit takes models (*.onnx)"
    )


@pytest.mark.parametrize("name", ["none.yaml", "x" * 5000, "notes.txt/inner.yaml", "*.yaml", "a\0b"])
def test_missing_names(folder: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_specs((str(folder), name))
    assert str(caught.value) == (
        f"there is no file or folder '{name}', expected a spec (*.yaml, *.yml) or a folder of them"
    )
