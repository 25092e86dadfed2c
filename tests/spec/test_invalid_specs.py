"""Every kind of mistake: what is said about it, in full. One file for each in ``invalid/``."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gradverify.errors import SpecError
from gradverify.rules import RULES, rule_of_problem
from gradverify.spec.expansion import expand_specs
from gradverify.spec.files import read_specs
from gradverify.spec.nodes import MAX_PROBLEMS
from gradverify.spec.overriding import Overrides

if TYPE_CHECKING:
    from gradverify.problems import Problem

FOLDER = Path(__file__).parent / "invalid"
FILES = sorted(FOLDER.glob("*.yaml"))
EXPECTED = re.compile(r"^# expect: (GV3\d\d) (.*)$", re.MULTILINE)
# What a message says when it is of a rule; ``conv2d slides along 2 spatial axes`` hints at a layer that there is.
SAYS = {
    "GV301": re.compile(r"YAML|nested deeper|tag|alias|document|is empty|a key (of|is)"),
    "GV302": re.compile(r"unknown|is (not|no|neither)\b|is the name of no|there is no|has no (input|parameter)"),
    "GV304": re.compile(r"stands (twice|in the case and in)|duplicate|is a parameter and one of dims"),
    "GV305": re.compile(r"is missing|needs|there are no inputs|has (no|neither)|no input stands for"),
}

Problems = "Callable[[str | bytes], list[str]]"


def _found_in(file: Path) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        expand_specs(read_specs((file,)), Overrides())
    return caught.value.problems


def _problems_in(file: Path) -> list[str]:
    return list(map(str, _found_in(file)))


def test_there_are_examples() -> None:
    assert len(FILES) >= 130


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_problem_is_reported(file: Path) -> None:
    expected = EXPECTED.findall(file.read_text(encoding="utf-8"))
    assert expected, "the file says nothing of what is expected"
    found = [(rule_of_problem(problem), str(problem)) for problem in _found_in(file)]
    assert found == [(rule, f"{file}:{line}") for rule, line in expected]


def test_every_rule_of_a_spec_has_an_example() -> None:
    named = {rule for file in FILES for rule, _ in EXPECTED.findall(file.read_text(encoding="utf-8"))}
    assert named == {rule for rule in RULES if rule.startswith("GV3")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_message_says_what_its_rule_is_about(file: Path) -> None:
    for problem in _found_in(file):
        said, rule = problem.message.partition(" (in ")[0], rule_of_problem(problem)
        assert rule == "GV303" or SAYS[rule].search(said), (rule, said)
        assert rule == "GV302" or "did you mean" not in said or "slides along" in said, (rule, said)
        assert rule == "GV304" or not re.search(r"stands twice|duplicate", said), (rule, said)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_messages_are_usable(file: Path) -> None:
    """One printable line each, sorted by position, inside the file, no problem twice."""
    lines = [line.removeprefix(f"{file}:") for line in _problems_in(file)]
    places = [tuple(int(part) for part in line.split(":", 2)[:2]) for line in lines]
    assert all(line.isprintable() and len(line) < 300 for line in lines)
    assert len(set(lines)) == len(lines)
    assert places == sorted(places)
    written = file.read_text(encoding="utf-8").splitlines() or [""]
    assert all(1 <= row <= len(written) and 1 <= column <= len(written[row - 1]) + 1 for row, column in places)


def test_every_file_is_reported_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("sed: 1\ncases: []\n", encoding="utf-8")
    files = (tmp_path / "b.yaml", tmp_path / "a.yaml")
    with pytest.raises(SpecError) as caught:
        read_specs(files)
    said = (
        "1:1: unknown key 'sed' in a spec, did you mean 'seed'?",
        "2:8: got a list of 0, expected a list of cases, at least 1",
    )
    assert str(caught.value).splitlines() == [f"{file}:{line}" for file in files for line in said]


BYTES = {
    "utf-16": ("cases: []".encode("utf-16-le"), "1:2: character U+0000 is not allowed in YAML, expected text"),
    "utf-16-bom": ("cases: []".encode("utf-16"), "1:1: byte 0xff is not UTF-8, expected UTF-8 text"),
    "latin-1": ("# größe\n# é ü\ncases: é".encode("latin-1"), "1:5: byte 0xf6 is not UTF-8, expected UTF-8 text"),
    "behind-characters": ("# é\n# éé ".encode() + b"\xff", "2:6: byte 0xff is not UTF-8, expected UTF-8 text"),
    "behind-a-mark": (b"\xef\xbb\xbfcases: \xfe", "1:8: byte 0xfe is not UTF-8, expected UTF-8 text"),
    "cut-off": (b"cases: \xc3", "1:8: byte 0xc3 is not UTF-8, expected UTF-8 text"),
    "nul": (b"cases:\n  \x00", "2:3: character U+0000 is not allowed in YAML, expected text"),
}


@pytest.mark.parametrize(("data", "expected"), BYTES.values(), ids=BYTES)
def test_encoding(data: bytes, expected: str, problems_of: Problems) -> None:
    assert problems_of(data) == [expected]


def test_a_byte_order_mark_in_front_is_fine(problems_of: Problems) -> None:
    assert problems_of(b"\xef\xbb\xbfseed: -1\ncases: []")[0].startswith("1:7: got the number -1")


@pytest.mark.parametrize("extra", [0, 1])
def test_a_file_over_one_mebibyte(extra: int, problems_of: Problems) -> None:
    text = "seed: -1\ncases: []\n#"
    found = problems_of(text + "x" * ((1 << 20) - len(text) + extra))
    if extra:
        assert found == ["1:1: the file is larger than 1 MiB, expected a spec; put data into {file: data.npz:key}"]
    else:
        assert len(found) == 2


def test_a_folder_or_missing_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read_specs((tmp_path, tmp_path / "none.yaml"))
    assert tuple(map(str, caught.value.problems)) == (
        f"{tmp_path}:1:1: cannot be read: Is a directory",
        f"{tmp_path / 'none.yaml'}:1:1: cannot be read: No such file or directory",
    )


MANY = {
    "values": "cases:\n- {name: a, layer: relu, inputs: {x: {values: [" + "a, " * 20_000 + "]}}}",
    "keys": "cases:\n" + "\n".join(f"key{number}: 1" for number in range(20_000)),
    "duplicates": "a: 1\n" * 20_000,
    "cases": "cases:\n" + "- {nam: 1}\n" * 20_000,
}


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_thousands_of_problems_end_the_search(text: str, problems_of: Problems) -> None:
    found = problems_of(text)
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == f" {MAX_PROBLEMS} problems, more are not looked for"


HOSTILE = {
    "lists": "[" * 500_000,
    "block-lists": "- " * 400_000,
    "keys": "? " * 400_000,
    "mappings": "{" * 500_000,
    "quotes": "'" * 1_000_000,
    "escapes": '"' + "\\x41" * 200_000,
    "tags": "!" * 1_000_000,
    "anchors": "&a " * 300_000,
    "tabs": "\t" * 1_000_000,
    "documents": "---\n" * 200_000,
    "long-text": "cases: " + "a" * 1_000_000,
    "long-key": "a" * 1_000_000 + ": 1",
    "digits": "seed: " + "1" * 1_000_000,
    "exponents": "seed: 1e" + "1" * 1_000_000,
    "anchored-values": "cases: [" + "&a 1, *a, " * 90_000 + "]",
    "lines": "\n" * 1_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_soon_and_briefly(text: str, problems_of: Problems) -> None:
    assert all(len(line) < 300 for line in problems_of(text))


def test_problems_survive_json(problems_of: Problems) -> None:
    """Strange characters are shown, not sent to the terminal."""
    (first, *_) = problems_of('"\\u2028\\x9b31m\\t": 1\ncases: []')
    assert first.startswith("1:1: unknown key '\\u2028\\x9b31m\\t' in a spec")
    assert json.dumps(first, ensure_ascii=False).isprintable()
