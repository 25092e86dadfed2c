"""YAML text into nodes: the scalars of YAML 1.2, positions, and the bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gradverify.spec.nodes import MappingNode, Node, Position, Problems, ScalarNode, SequenceNode, escaped, kind_of
from gradverify.spec.parsing import MAX_DEPTH, parse_scalar, read_document

if TYPE_CHECKING:
    from pathlib import Path

SCALARS = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None, "nUll": "nUll",
    "true": True, "True": True, "TRUE": True, "tRUE": "tRUE", "false": False,
    "no": "no", "No": "No", "yes": "yes", "on": "on", "off": "off", "y": "y", "n": "n",
    "0": 0, "-0": 0, "+7": 7, "017": 17, "08": 8, "0o17": 15, "0o8": "0o8", "-0o17": "-0o17", "0O17": "0O17",
    "0x1F": 31, "0xg": "0xg", "-0x1": "-0x1", "0b11": "0b11", "1_000": "1_000", "1,000": "1,000", "1:30": "1:30",
    "1e-6": 1e-6, "1E5": 1e5, "1.5e3": 1500.0, "1e+3": 1000.0, ".5": 0.5, "5.": 5.0, "-.5": -0.5, "+1.0": 1.0,
    "1e": "1e", "e5": "e5", ".": ".", "..": "..", "-": "-", "1.2.3": "1.2.3", "1e5.5": "1e5.5", "1e-400": 0.0,
    "inf": "inf", "nan": "nan", "2024-01-02": "2024-01-02", "١": "١", "²": "²", "1 ": "1 ",
    "9" * 64: int("9" * 64),
}  # fmt: skip

REFUSED = {
    ".inf": ".inf is not finite, expected a finite number",
    "-.INF": "-.INF is not finite, expected a finite number",
    ".NaN": ".NaN is not finite, expected a finite number",
    "1e309": "1e309 is not finite in double precision, expected a finite number",
    "9" * 65: "a number of 65 characters, expected at most 64; quote it if it is a text",
    "9" * 5000: "a number of 5000 characters, expected at most 64; quote it if it is a text",
    "0x" + "f" * 63: "a number of 65 characters, expected at most 64; quote it if it is a text",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalars(text: str, value: Any) -> None:
    found = parse_scalar(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("text", "message"), REFUSED.items(), ids=lambda text: text[:12])
def test_numbers_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_scalar(text)
    assert str(caught.value) == message


def _read(folder: Path, text: str) -> tuple[Node | None, list[str]]:
    file = folder / "a.yaml"
    file.write_bytes(text.encode())
    problems = Problems("a")
    return read_document(file, problems), list(map(str, problems.listed()))


def _plain(node: Node | None) -> Any:
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.items]
    assert isinstance(node, MappingNode)
    return {key.value: _plain(value) for key, value in node.entries}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, 'b': '1', 3: ! 4, null: ! '5'}", {"a": 1, "b": "1", "3": "4", "null": "5"}),
        ("no: on\non: no", {"no": "on", "on": "no"}),
        ('- |\n  1\n- >-\n  2\n- "\\x41"', ["1\n", "2", "A"]),
        ("[&a [1, &b 2], *a, *b]", [[1, 2], [1, 2], 2]),
        ("[&a 1, &a 2, *a]", [1, 2, 2]),
        ("&k key: *k", {"key": "key"}),
        ("a: &a 1\n*a : 2", {"a": 1, "1": 2}),
        ("%YAML 1.1\n---\n017\n...\n", 17),
    ],
)
def test_documents(text: str, value: Any, tmp_path: Path) -> None:
    node, problems = _read(tmp_path, text)
    assert problems == []
    assert _plain(node) == value


def test_positions_count_characters_from_one(tmp_path: Path) -> None:
    node, _ = _read(tmp_path, "# é\r\né: {é: é, ü: [1,\n  zwei]}\n")
    assert isinstance(node, MappingNode)
    inner = node.get("é")
    assert isinstance(inner, MappingNode)
    listed = inner.get("ü")
    assert isinstance(listed, SequenceNode)
    assert [key.position for key, _ in inner.entries] == [Position(2, 5), Position(2, 11)]
    assert [item.position for item in listed.items] == [Position(2, 15), Position(3, 3)]


@pytest.mark.parametrize("extra", [0, 1])
def test_depth(extra: int, tmp_path: Path) -> None:
    node, problems = _read(tmp_path, "[" * (MAX_DEPTH + extra) + "1" + "]" * (MAX_DEPTH + extra))
    assert (node is None) == bool(extra)
    assert problems == (["a:1:34: nested deeper than 32 levels, expected a flat spec"] if extra else [])


def test_a_value_with_a_problem_leaves_the_rest(tmp_path: Path) -> None:
    node, problems = _read(tmp_path, "a: .inf\nb: 1\nb: 2\n<<: {}\n")
    assert isinstance(node, MappingNode)
    assert [key.value for key, _ in node.entries] == ["a", "b"]
    assert problems == [
        "a:1:4: .inf is not finite, expected a finite number",
        "a:3:1: duplicate key 'b', expected it once (first on line 2)",
        "a:4:1: merge keys are not part of YAML 1.2, expected the keys written out",
    ]


def test_the_same_without_the_c_half(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    texts = [
        "\ta",
        "a: \x00",
        "*x",
        "[[" * 40,
        "? [a]\n: b",
        "a: 1\na: 2",
        "--- 1\n--- 2",
        "!!str 1",
        "é: \ufeff",
    ]
    with_c = [_read(tmp_path, text) for text in texts]
    monkeypatch.delattr("yaml.CSafeLoader")
    for text, (node, problems) in zip(texts, with_c, strict=True):
        without, said = _read(tmp_path, text)
        assert without == node
        # The halves word what is no YAML differently.
        assert [line.split("not valid YAML")[0] for line in said] == [
            line.split("not valid YAML")[0] for line in problems
        ]


@pytest.mark.parametrize("c_half", [True, False])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_what_ends_with_the_text_is_placed_at_its_end(
    end: str, *, c_half: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not on a line behind the last one."""
    if not c_half:
        monkeypatch.delattr("yaml.CSafeLoader")
    _, problems = _read(tmp_path, f"a: 1\nb: [1{end}")
    assert [line.split(": not")[0] for line in problems] == ["a:2:6"]
    node, _ = _read(tmp_path, f"---{end}")
    assert node is not None
    assert node.position == Position(1, 4)


def test_words_for_nodes() -> None:
    place = Position(1, 1)
    nodes = [
        MappingNode((), place), SequenceNode((), place), ScalarNode(None, "~", place), ScalarNode(True, "True", place),
        ScalarNode(1e5, "1E5", place), ScalarNode("a" * 41, "a" * 41, place), ScalarNode("a" * 40, "a" * 40, place),
    ]  # fmt: skip
    assert [kind_of(node) for node in nodes] == [
        "a mapping", "a list", "nothing", "the truth value True", "the number 1E5", f"the text '{'a' * 37}...'",
        f"the text '{'a' * 40}'",
    ]  # fmt: skip


def test_escaped() -> None:
    assert escaped("grün [x] 日本") == "grün [x] 日本"
    assert escaped("a\nb\x1b[0m\u2028\ud800") == "a\\nb\\x1b[0m\\u2028\\ud800"


def test_problems_are_sorted_and_unique() -> None:
    problems = Problems("f")
    assert not problems
    problems.add(Position(2, 1), "b")
    problems.add(Position(1, 9), "a")
    problems.add(Position(2, 1), "b")
    problems.add(Position(2, 1), "a")
    assert tuple(map(str, problems.listed())) == ("f:1:9: a", "f:2:1: b", "f:2:1: a")
    assert problems
