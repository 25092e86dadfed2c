"""YAML text into positioned nodes, by the scalar rules of YAML 1.2 and within fixed bounds.

Only this module and ``writing`` import yaml. Bounds are checked on the stream of events, before anything is composed,
so that alias bombs and absurd nesting cost neither time nor memory.

PyYAML's own loader is not used: it reads ``1e-6`` as text, ``no`` as a truth value, ``1:30`` as 90, ``017`` as 15,
and keeps the last of two equal keys without a word.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import yaml

from gradverify.problems import ProblemKind
from gradverify.spec.nodes import MappingNode, Node, Position, Problems, Scalar, ScalarNode, SequenceNode, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_KEY_LENGTH", "MAX_NODES", "parse_scalar", "read_document"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 250_000
MAX_KEY_LENGTH = 200
_MAX_NUMBER_LENGTH = 64
# The tag that marks a scalar as text, and nothing more.
_NON_SPECIFIC = "!"

_START = Position(1, 1)
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
# Looked for here, since the C reader counts bytes where the other counts characters.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # what the readers count as lines
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Stop(Exception):  # noqa: N818  ends the parsing of a file, its problem being recorded
    """The rest of the file cannot be read."""


def read_document(path: Path, problems: Problems) -> Node | None:
    """Read one YAML file.

    Parameters
    ----------
    path
        The file; UTF-8, at most 1 MiB.
    problems
        Receives what is wrong with it.

    Returns
    -------
    Node or None
        The root, or ``None`` when the file cannot be read at all. Problems of single values (duplicate keys, numbers
        that are not finite) are recorded and the rest of the tree is returned.
    """
    text = _read_text(path, problems)
    if text is None:
        return None
    end = _end_of(text.rstrip())
    try:
        return _Composer(problems, end).compose(text)
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Position(mark.line + 1, mark.column + 1) if mark else _START
        _refuse(problems, min(place, end), f"not valid YAML: {_said_by(error, text)}")
    return None


def _refuse(problems: Problems, place: Position, message: str) -> None:
    """Record what keeps a file, or a key of it, from being read at all."""
    problems.add(place, message, ProblemKind.UNREADABLE)


def _said_by(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    line = "".join(_BREAK.split(text)[mark.line : mark.line + 1]) if mark else ""  # empty behind the last line
    if mark and line[mark.column : mark.column + 1] == "\t":
        return "a tab stands here, expected spaces"
    return str(error.problem or error.context)


def _end_of(text: str) -> Position:
    lines = _BREAK.split(text)
    return Position(len(lines), len(lines[-1]) + 1)


def _read_text(path: Path, problems: Problems) -> str | None:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        _refuse(problems, _START, f"cannot be read: {error.strerror or error}")
        return None
    if len(data) > MAX_BYTES:
        message = "the file is larger than 1 MiB, expected a spec; put data into {file: data.npz:key}"
        _refuse(problems, _START, message)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, byte = error.object[: error.start].decode(), error.object[error.start]
        _refuse(problems, _end_of(before), f"byte 0x{byte:02x} is not UTF-8, expected UTF-8 text")
        return None
    forbidden = _FORBIDDEN.search(text)
    if forbidden is None:
        return text
    code = ord(forbidden.group())
    place = _end_of(text[: forbidden.start()])
    _refuse(problems, place, f"character U+{code:04X} is not allowed in YAML, expected text")
    return None


@dataclass(slots=True)
class _Composer:
    """Builds nodes from events; aliases share nodes, and their expanded size is counted."""

    problems: Problems
    end: Position
    anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    size: int = 0

    def compose(self, text: str) -> Node | None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        events = iter(yaml.parse(text, Loader=loader))
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            _refuse(self.problems, _START, "the file is empty, expected a mapping with the key 'cases'")
            raise _Stop
        root = self._node(next(events), events, 0)
        next(events)  # the end of the document
        following = next(events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._stop(following, "a second document begins here, expected one document per file")
        return root

    def _stop(self, event: yaml.Event, message: str) -> None:
        _refuse(self.problems, self._position(event), message)
        raise _Stop

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self.size
        self._grow(event, 1)
        if depth > MAX_DEPTH:
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels, expected a flat spec")
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        if tag is not None and tag != _NON_SPECIFIC:
            short = shortened(tag.replace("tag:yaml.org,2002:", "!!"))
            self._stop(event, f"the tag {short} is not accepted, expected plain values without tags")
        node = self._plain(event, events, depth)
        if anchor is not None:
            self.anchors[anchor] = (node, self.size - before)
        return node

    def _plain(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(events), yaml.SequenceEndEvent):
                items.append(self._node(inner, events, depth + 1))
            return SequenceNode(tuple(items), self._position(event))
        return self._mapping(event, events, depth)

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name = str(event.anchor)
        if name not in self.anchors:
            short = shortened(name)
            self._stop(event, f"the alias *{short} has no finished anchor before it, expected &{short} further up")
        node, size = self.anchors[name]
        self._grow(event, size)
        return node

    def _grow(self, event: yaml.Event, size: int) -> None:
        self.size += size
        if self.size > MAX_NODES:
            self._stop(
                event,
                f"more than {MAX_NODES} values with aliases expanded, expected fewer; use {{file: ...}}",
            )

    def _mapping(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> MappingNode:
        entries: dict[str, tuple[ScalarNode, Node]] = {}
        while not isinstance(inner := next(events), yaml.MappingEndEvent):
            key = self._node(inner, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, ScalarNode):
                _refuse(self.problems, key.position, "a key is a list or a mapping, expected a name")
            elif len(key.text) > MAX_KEY_LENGTH:
                message = f"a key of {len(key.text)} characters, expected at most {MAX_KEY_LENGTH}"
                _refuse(self.problems, key.position, message)
            elif key.text in entries:
                first = entries[key.text][0].position.line
                message = f"duplicate key '{key.text}', expected it once (first on line {first})"
                self.problems.add(key.position, message, ProblemKind.REPEATED)
            elif key.text == "<<":
                message = "merge keys are not part of YAML 1.2, expected the keys written out"
                _refuse(self.problems, key.position, message)
            else:
                entries[key.text] = (ScalarNode(key.text, key.text, key.position), value)
        return MappingNode(tuple(entries.values()), self._position(event))

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        text, position = event.value, self._position(event)
        if not event.implicit[0] or event.tag == _NON_SPECIFIC:
            return ScalarNode(text, text, position)
        try:
            value = parse_scalar(text)
        except ValueError as error:
            self.problems.add(position, str(error))
            value = math.nan  # rules pass it over: the problem is recorded
        return ScalarNode(value, text, position)

    def _position(self, event: yaml.Event) -> Position:
        """Return where an event begins; the C reader puts what ends with the text on a line behind it."""
        mark = event.start_mark
        return _START if mark is None else min(Position(mark.line + 1, mark.column + 1), self.end)


def parse_scalar(text: str) -> Scalar:
    """Resolve one unquoted scalar by the core schema of YAML 1.2.

    Raises
    ------
    ValueError
        The number is not finite, or longer than 64 characters.
    """
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not finite, expected a finite number")
    is_integer = _INTEGER.fullmatch(text) or _OCTAL.fullmatch(text) or _HEXADECIMAL.fullmatch(text)
    if not is_integer and not _REAL.fullmatch(text):
        return text
    if len(text) > _MAX_NUMBER_LENGTH:
        raise ValueError(
            f"a number of {len(text)} characters, expected at most {_MAX_NUMBER_LENGTH}; quote it if it is a text"
        )
    if is_integer:
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not finite in double precision, expected a finite number")
    return value
