"""Finds what a spec or the command line names: in a module, or in a file whose name no import could hold."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gradverify.errors import TargetError, nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from gradverify.spec.calls import Call

__all__ = ["imported", "load_file", "load_function"]


def load_function(call: Call) -> Callable[..., Any]:
    """Return what ``module:name`` or ``file.py:name`` names, which can be called.

    Raises
    ------
    TargetError
        There is no such module or file, or nothing callable of that name in it.
    """
    found = imported(call)
    if not callable(found):
        raise TargetError(f"'{call}' is a {type(found).__name__}, expected a function")
    return found  # type: ignore[no-any-return]  # callable, as just checked


def imported(call: Call) -> Any:
    """Return what a call names, whatever it is.

    Raises
    ------
    TargetError
        There is no such module or file, or no such name in it. What a module raises on import is passed on as it is.
    """
    found: Any = load_file(call) if call.is_file else _module(call)
    for name in call.path.split("."):
        if not hasattr(found, name):
            hint = nearest_name(name, _own_names(found))
            raise TargetError(f"there is no '{name}' in {getattr(found, '__name__', found)}, {hint}")
        found = getattr(found, name)
    return found


def load_file(call: Call) -> ModuleType:
    """Import the file of a call: as the module of its package where it lies in one, by its path otherwise."""
    path = Path(call.module)
    package, names = _package(path)
    if package is not None:
        return _imported(".".join(names))
    try:
        return _executed(path)
    except ImportError as error:
        if "no known parent package" not in str(error) or not path.parent.name.isidentifier():
            raise
    # Files that import each other with dots, in a folder that says not that it is a package.
    _append(str(path.parent.parent))
    return _imported(f"{path.parent.name}.{path.stem}")


def _package(path: Path) -> tuple[Path | None, list[str]]:
    """Return the folder around the package of a file, and the names that lead from there; ``None`` outside of one."""
    names, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        names.insert(0, folder.name)
        folder = folder.parent
    return (folder if len(names) > 1 and path.stem.isidentifier() else None), names


def _append(folder: str) -> None:
    if folder not in sys.path:
        sys.path.append(folder)


def _module(call: Call) -> ModuleType:
    own = _shadowed(call.module)
    if own is not None:
        return _executed(own)
    try:
        return _imported(call.module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{call.module}.".startswith(f"{error.name}."):
            raise
        raise TargetError(
            f"there is no module '{error.name}' in the folders searched (a spec's own and its pythonpath), "
            f"expected one for '{call}'"
        ) from None


def _imported(name: str) -> ModuleType:
    """Import a module; of a package that raises on the way, nothing is left behind for another case to find."""
    before = set(sys.modules)
    try:
        return importlib.import_module(name)
    except BaseException:
        root = name.partition(".")[0]
        for module in set(sys.modules) - before:
            if module == root or module.startswith(f"{root}."):
                del sys.modules[module]
        raise


def _shadowed(module: str) -> Path | None:
    """Return the user's file where gradverify, or Python itself, has loaded another module of that name already."""
    loaded = sys.modules.get(module)
    if loaded is None or "." in module:
        return None
    files = (Path(folder, f"{module}.py") for folder in sys.path if folder)
    first = next((file for file in files if file.is_file()), None)
    there = getattr(loaded, "__file__", None)
    return first if first is not None and there is not None and not _same(first, Path(there)) else None


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _executed(path: Path) -> ModuleType:
    """Execute a file as a module of its own, once."""
    digest = hashlib.blake2b(str(path.resolve()).encode(), digest_size=4).hexdigest()
    stem = re.sub(r"\W", "_", path.stem)
    name = f"{stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"'{path}' cannot be imported, expected a Python file")
    module = importlib.util.module_from_spec(spec)
    _append(str(path.resolve().parent))  # what lies beside it
    sys.modules[name] = module  # what it defines can be pickled, and dataclasses look here
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _own_names(holder: Any) -> tuple[str, ...]:
    """Return the callables that a module or class defines itself, or else those it imported."""
    home = getattr(holder, "__name__" if isinstance(holder, ModuleType) else "__module__", None)
    public = {name: getattr(holder, name, None) for name in dir(holder) if not name.startswith("_")}
    usable = {name: value for name, value in public.items() if callable(value)}
    own = tuple(name for name, value in usable.items() if getattr(value, "__module__", None) == home)
    return own or tuple(usable)
