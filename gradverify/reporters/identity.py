"""What consumers know findings by from one run to the next: paths in the project, and fingerprints."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from typing import TYPE_CHECKING

from gradverify.reporters.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gradverify.reporters.findings import Finding

__all__ = ["fingerprinted", "project_path"]


def project_path(file: str, root: str | None) -> str:
    """Return the path of a file as CI systems show it: with forward slashes, relative to the project.

    Parameters
    ----------
    file
        As the user named it.
    root
        The folder of the project; ``None`` for the one that the command was started in.

    Returns
    -------
    str
        The path without ``./``; as the user named it where the file lies outside the project.
    """
    if not file:
        return ""
    # Text alone is looked at: links stay what the project calls them, and what a factory is called is no file.
    inside = os.path.relpath(os.path.abspath(file), os.path.abspath(root or os.curdir))  # noqa: PTH100  as said above
    outside = inside.split(os.sep, 1)[0] == os.pardir
    return printable((os.path.normpath(file) if outside else inside).replace(os.sep, "/")).replace("\n", " ")


def fingerprinted(findings: Iterable[Finding], root: str | None) -> Iterator[tuple[Finding, str]]:
    """Yield every finding with what tells it from all others, and stays when lines move or numbers change.

    Parameters
    ----------
    findings
        In the order of the report.
    root
        The folder of the project.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for found in findings:
        file, *others = found.key
        key = (project_path(file, root), *others)
        seen[key] += 1
        again = (str(seen[key]),) if seen[key] > 1 else ()
        yield found, hashlib.sha256(json.dumps([*key, *again]).encode()).hexdigest()[:32]
