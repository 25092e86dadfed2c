"""The code that a case names: where it is searched, what stands in its calls, and what else it imports."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gradverify.spec.calls import Call
from gradverify.spec.model import IMPORT
from gradverify.spec.nodes import MappingNode, Node, Problems, SequenceNode, shortened
from gradverify.spec.scalars import Called
from gradverify.spec.target_model import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_imports", "search_path", "with_lengths"]

AnyTarget = TypeVar("AnyTarget", bound=Target)


def check_imports(node: Node, folder: str, problems: Problems) -> None:
    """Record what is wrong with every ``{import: module:name}`` among the parameters of a case."""
    if not isinstance(node, MappingNode):
        for item in node.items if isinstance(node, SequenceNode) else ():
            check_imports(item, folder, problems)
        return
    for key, value in node.entries:
        if key.text != IMPORT or len(node.entries) > 1:
            check_imports(value, folder, problems)
            continue
        call = Called("module:name or file.py:name, with or without arguments").read(value, problems)
        if isinstance(call, Call) and call.is_file and not os.path.isfile(call.located(folder).module):  # noqa: PTH113  false, never an exception
            problems.add(
                value.position, f"there is no file '{shortened(call.module)}', expected one relative to the spec"
            )
        if isinstance(call, Call) and call.names:
            problems.add(
                value.position, f"'{call.names[0]}' is a name, expected plain values as arguments of an import"
            )


def search_path(target: Target, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the folders searched for the code of a target: those of the files it names first.

    What lies beside a file is found from it; a file inside a package is found from the folder around the package.
    """
    own = (_root(Path(call.module).parent) for call in _calls(target) if call.is_file)
    return tuple(dict.fromkeys((*own, *folders)))


def _root(folder: Path) -> str:
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        folder = folder.parent
    return str(folder.resolve())


def _calls(target: Target) -> Iterator[Call]:
    """Yield every call of a target."""
    for item in fields(target):
        value = getattr(target, item.name)
        yield from (call for call in (value if isinstance(value, tuple) else (value,)) if isinstance(call, Call))


def with_lengths(target: AnyTarget, dims: Mapping[str, int]) -> AnyTarget:
    """Return a target whose calls have the lengths of dims in place of their names."""
    changed: dict[str, Any] = {}
    for item in fields(target):
        value = getattr(target, item.name)
        if isinstance(value, Call):
            changed[item.name] = value.bound(dims)
        elif isinstance(value, tuple) and any(isinstance(call, Call) for call in value):
            changed[item.name] = tuple(call.bound(dims) for call in value)
    return replace(target, **changed) if changed else target
