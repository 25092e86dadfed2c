"""Which files a list of globs names."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gradverify.spec.model import SPEC_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["is_named"]


def is_named(file: Path, root: Path, globs: Sequence[str]) -> bool:
    """Return whether some glob names a file, or a folder around it where the file may be a spec.

    Parameters
    ----------
    file
        An absolute path.
    root
        What globs are relative to.
    globs
        ``*`` and ``?`` stay within a name, ``**`` stands for any folders; one without a slash names files and folders
        anywhere.
    """
    try:
        parts = os.path.relpath(file, root).replace(os.sep, "/").split("/")
    except ValueError:  # on another drive
        return False
    folders = [parts[:end] for end in range(len(parts))] if file.suffix in SPEC_SUFFIXES else []
    return any(_names_one(_names(glob), parts, folders) for glob in globs)


def _names_one(names: Sequence[str], file: Sequence[str], folders: Sequence[Sequence[str]]) -> bool:
    """Return whether a glob names a file or one of the folders around it; ``**`` at its end stands for folders."""
    return (names[-1] != "**" and _matches(file, names)) or any(_matches(folder, names) for folder in folders)


def _names(glob: str) -> list[str]:
    names = [name for name in glob.split("/") if name not in {"", "."}]
    return names if "/" in glob.rstrip("/") else ["**", *names]


def _matches(parts: Sequence[str], names: Sequence[str]) -> bool:
    if not names:
        return not parts
    if names[0] == "**":
        return any(_matches(parts[first:], names[1:]) for first in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], names[0]) and _matches(parts[1:], names[1:])
