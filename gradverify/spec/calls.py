"""Calls as a spec writes them, ``layers:conv(x, w, stride=2)``: read into plain values, and never run here."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = [
    "NAME",
    "Argument",
    "Arguments",
    "Call",
    "Entries",
    "Items",
    "Literal",
    "Name",
    "made",
    "read_call",
    "write_call",
]

NAME = r"[^\W\d]\w*"
_HEAD = re.compile(r"(?:(?P<module>[^:()]+):)?(?P<path>[^:()]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Name:
    """An input, parameter or dim by its name; or, in the call of a method, an attribute as ``self.mask``."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, truth value or nothing."""

    value: Any


@dataclass(frozen=True, slots=True)
class Items:
    """A list, or a tuple."""

    values: tuple[Argument, ...]
    mutable: bool


@dataclass(frozen=True, slots=True)
class Entries:
    """A dictionary with text for keys."""

    pairs: tuple[tuple[str, Argument], ...]


Argument: TypeAlias = "Name | Literal | Items | Entries"
# Each with its keyword or None.
Arguments: TypeAlias = "tuple[tuple[str | None, Argument], ...]"


@dataclass(frozen=True, slots=True)
class Call:
    """What to call, and with what.

    Attributes
    ----------
    module
        Dotted name of a module, or the path of a ``.py`` file; empty for a method of an object.
    path
        Dotted name in it.
    arguments
        ``None`` leaves it to the target what is passed.
    written
        The path of the file as the spec has it, for people.
    """

    module: str
    path: str
    arguments: Arguments | None = None
    written: str = ""

    def __str__(self) -> str:
        return f"{self.written or self.module}:{self.path}" if self.module else self.path

    @property
    def is_file(self) -> bool:
        """Whether ``module`` is the path of a file."""
        return self.module.endswith(".py")

    @property
    def names(self) -> tuple[str, ...]:
        """Every name among the arguments, each once; of ``self.mask``, ``self``."""
        found = (name for _, value in self.arguments or () for name in _names(value))
        return tuple(dict.fromkeys(name.partition(".")[0] for name in found))

    def located(self, folder: str) -> Call:
        """Return the call with the path of its file made absolute."""
        if not self.is_file:
            return self
        path = Path(folder, self.module)
        if ".." in path.parts:  # no name of a package
            path = path.parent.resolve() / path.name
        return replace(self, module=str(path), written=self.module)

    def bound(self, lengths: Mapping[str, int]) -> Call:
        """Return the call with the names of dims replaced by their lengths."""
        if self.arguments is None:
            return self
        return replace(self, arguments=tuple((key, _bound(value, lengths)) for key, value in self.arguments))


def read_call(text: str) -> Call:
    """Read ``module:name``, ``file.py:name`` or ``name``, each with or without arguments in parentheses.

    Raises
    ------
    ValueError
        It is none of them; the message says what was expected.
    """
    head, parenthesis, rest = text.partition("(")
    match = _HEAD.fullmatch(head.strip())
    if match is None:
        raise ValueError("expected module:name or file.py:name, with or without (arguments)")
    module, path = (match["module"] or "").strip(), match["path"].strip()
    if not re.fullmatch(rf"{NAME}(\.{NAME})*", path):
        raise ValueError(f"'{path}' is no name, expected letters, digits, _ and dots")
    if module and not module.endswith(".py") and not re.fullmatch(rf"{NAME}(\.{NAME})*", module):
        raise ValueError(f"'{module}' is neither a module nor the path of a .py file")
    return Call(module, path, _arguments(parenthesis + rest) if parenthesis else None)


def write_call(call: Call) -> str:
    """Return the text that :func:`read_call` reads as this call; of a file, with the path that is its ``module``."""
    head = f"{call.module}:{call.path}" if call.module else call.path
    if call.arguments is None:
        return head
    listed = (_written(value) if key is None else f"{key}={_written(value)}" for key, value in call.arguments)
    return f"{head}({', '.join(listed)})"


def made(argument: Argument, look_up: Callable[[str], Any]) -> Any:
    """Return the value of an argument; ``look_up`` says what each name in it stands for."""
    if isinstance(argument, Literal):
        return argument.value
    if isinstance(argument, Items):
        values = [made(value, look_up) for value in argument.values]
        return values if argument.mutable else tuple(values)
    if isinstance(argument, Entries):
        return {key: made(value, look_up) for key, value in argument.pairs}
    return look_up(argument.text)


def _written(argument: Argument) -> str:
    if isinstance(argument, Name):
        return argument.text
    if isinstance(argument, Items):
        inner = ", ".join(_written(value) for value in argument.values)
        if argument.mutable:
            return f"[{inner}]"
        return f"({inner},)" if len(argument.values) == 1 else f"({inner})"
    if isinstance(argument, Entries):
        return "{" + ", ".join(f"{key!r}: {_written(value)}" for key, value in argument.pairs) + "}"
    return ast.unparse(ast.Constant(argument.value))  # also of infinity, which has no literal


def _arguments(text: str) -> Arguments:
    try:
        tree = ast.parse(f"_{text.strip()}", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        if text.count("(") > text.count(")"):
            said = "its parentheses are not closed; inside {...}, put the whole call in quotes"
        else:
            said = "its parentheses hold no arguments that Python could read"
        raise ValueError(said) from None
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise ValueError("expected one call and nothing behind it")  # noqa: TRY004  the text is wrong, no type
    listed: list[tuple[str | None, Argument]] = [(None, _argument(node)) for node in tree.args]
    for keyword in tree.keywords:
        if keyword.arg is None:
            raise ValueError("** is not read, expected name=value")
        listed.append((keyword.arg, _argument(keyword.value)))
    return tuple(listed)


def _argument(node: ast.expr) -> Argument:
    if isinstance(node, ast.Name):
        return Name(node.id)
    if isinstance(node, (ast.Attribute, ast.Subscript)) and ast.unparse(node).startswith("self."):
        return Name(ast.unparse(node))
    if isinstance(node, (ast.List, ast.Tuple)):
        return Items(tuple(_argument(item) for item in node.elts), mutable=isinstance(node, ast.List))
    if isinstance(node, ast.Dict):
        return Entries(tuple((_key(key), _argument(value)) for key, value in zip(node.keys, node.values, strict=True)))
    try:
        return Literal(ast.literal_eval(node))
    except (ValueError, TypeError):
        raise ValueError(f"'{ast.unparse(node)}' is neither a name nor a plain value") from None


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise ValueError("a key of a dictionary is no text, expected text in quotes")


def _names(argument: Argument) -> Iterator[str]:
    if isinstance(argument, Name):
        yield argument.text
    elif isinstance(argument, Items):
        for value in argument.values:
            yield from _names(value)
    elif isinstance(argument, Entries):
        for _, value in argument.pairs:
            yield from _names(value)


def _bound(argument: Argument, lengths: Mapping[str, int]) -> Argument:
    if isinstance(argument, Name):
        return Literal(lengths[argument.text]) if argument.text in lengths else argument
    if isinstance(argument, Items):
        return replace(argument, values=tuple(_bound(value, lengths) for value in argument.values))
    if isinstance(argument, Entries):
        return replace(argument, pairs=tuple((key, _bound(value, lengths)) for key, value in argument.pairs))
    return argument
