"""Finds and reads spec files: every problem of every file at once."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from gradverify.errors import SpecError, UsageError
from gradverify.problems import Problem, ProblemKind
from gradverify.spec.cases import FileContext, read_cases
from gradverify.spec.language import HEADER
from gradverify.spec.model import SHIMS, SPEC_SUFFIXES, Spec
from gradverify.spec.nodes import MappingNode, Node, Problems, SequenceNode, TooManyProblems, shortened
from gradverify.spec.parsing import read_document
from gradverify.spec.scalars import Called

__all__ = ["find_specs", "read_specs"]


def find_specs(names: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the spec files named: files as they are, folders searched recursively and sorted; no file twice.

    Raises
    ------
    UsageError
        A name is neither a file nor a folder.
    """
    found: dict[Path, Path] = {}
    for name in names:
        path = Path(name)
        if path.suffix.lower() == ".onnx" and os.path.isfile(name):  # noqa: PTH113  as below
            raise UsageError(f"'{name}' is a model, expected a spec: gradverify audit takes models (*.onnx)")
        if os.path.isdir(name):  # noqa: PTH112  false, and no exception, for a name that no file can have
            inner = sorted(file for file in path.rglob("*") if file.suffix in SPEC_SUFFIXES and file.is_file())
        elif os.path.exists(name):  # noqa: PTH110  as above
            inner = [path]
        else:
            raise UsageError(
                f"there is no file or folder '{name}', expected a spec (*.yaml, *.yml) or a folder of them"
            )
        for file in inner:
            found.setdefault(file.resolve(), file)
    return tuple(found.values())


def read_specs(paths: tuple[Path, ...]) -> tuple[Spec, ...]:
    """Read and validate spec files.

    Raises
    ------
    SpecError
        Something is wrong with at least one of them; carries every problem of all of them.
    """
    specs: list[Spec | None] = []
    problems: list[Problem] = []
    for path in paths:
        found = Problems(str(path))
        with suppress(TooManyProblems):
            specs.append(_read_spec(path, found))
        problems.extend(found.listed())
    if problems:
        raise SpecError(tuple(problems))
    return tuple(spec for spec in specs if spec is not None)


def _read_spec(path: Path, problems: Problems) -> Spec | None:
    root = read_document(path, problems)
    if root is None:
        return None
    if not isinstance(root, MappingNode):
        HEADER.read(root, problems)
        return None
    values = HEADER.read(root, problems)
    context = _context(path, values)
    _check_preload(root, context.preload, problems)
    _check_unique(root.get("cases"), problems)
    written = root.get("cases")
    nodes = written.items if isinstance(written, SequenceNode) else ()
    cases = tuple(case for node in nodes for case in read_cases(node, context, problems))
    return Spec(file=str(path), seed=values.get("seed", 0), cases=cases)


def _context(path: Path, values: dict[str, Any]) -> FileContext:
    folder = path.resolve().parent
    folders = (folder, *((folder / name).resolve() for name in values.get("pythonpath", ())))
    unique = dict.fromkeys(str(entry) for entry in folders)
    return FileContext(
        str(path), str(folder), values, tuple(unique), _preload(values, folder), values.get("absent", ())
    )


def _preload(values: dict[str, Any], folder: Path) -> tuple[str, ...]:
    """Return what is imported before user code, with files made absolute."""
    names = values.get("preload", ())
    return tuple(str(folder / name) if name.endswith(".py") else name for name in names)


def _check_preload(root: MappingNode, preload: tuple[str, ...], problems: Problems) -> None:
    """Record every name that is neither a shim, nor a file that exists, nor a module's, nor a call."""
    node = root.get("preload")
    places = node.items if isinstance(node, SequenceNode) and len(node.items) == len(preload) else ()
    for place, name in zip(places, preload, strict=False):
        if name.endswith(".py") and not os.path.isfile(name):  # noqa: PTH113  false, never an exception
            said = shortened(getattr(place, "text", name))
            problems.add(place.position, f"there is no file '{said}', expected one relative to the spec")
        elif ":" in name:
            Called("module:function or module:function(...), to be called").read(place, problems)
        elif not name.endswith(".py") and name not in SHIMS and not all(map(str.isidentifier, name.split("."))):
            message = f"'{shortened(name)}' is no module, expected a module, a .py file or a shim: {', '.join(SHIMS)}"
            problems.add(place.position, message)


def _check_unique(cases: Node | None, problems: Problems) -> None:
    """Record every name that an earlier case has already."""
    first: dict[str, int] = {}
    listed = cases.items if isinstance(cases, SequenceNode) else ()
    for case in (item for item in listed if isinstance(item, MappingNode)):
        name = case.get("name")
        text = getattr(name, "text", None)
        if name is None or text is None:
            continue
        if text in first:
            problems.add(
                name.position,
                f"the name '{shortened(text)}' stands twice, expected unique names (first on line {first[text]})",
                ProblemKind.REPEATED,
            )
        first.setdefault(text, name.position.line)
