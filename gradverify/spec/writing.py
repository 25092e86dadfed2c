"""A case as the text of a spec of its own: what :mod:`gradverify.spec.files` reads as the same case again.

PyYAML writes by YAML 1.1, and specs are read by YAML 1.2: text that would be read as a number, a truth value or
nothing is put in quotes here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from gradverify.spec.described import described
from gradverify.spec.nodes import escaped
from gradverify.spec.parsing import parse_scalar

if TYPE_CHECKING:
    from pathlib import Path

    from gradverify.spec.model import Case

__all__ = ["write_case"]

_TEXT = "tag:yaml.org,2002:str"


def write_case(case: Case, folder: Path, comments: tuple[str, ...] = ()) -> str:
    """Return a spec with one case and no sweep, for a file in a folder.

    Parameters
    ----------
    case
        The case, under its name: data are drawn from that.
    folder
        Where the spec will lie: files and folders are named from there, or by absolute paths where nothing but the
        root of the file system leads to both.
    comments
        Lines that stand above it.
    """
    head = "".join(f"# {escaped(line)}\n" for line in comments)
    return head + yaml.dump(
        described(case, folder.resolve()),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=None,
        width=float("inf"),
    )


class _Dumper(yaml.SafeDumper):
    """Writes plain values, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's signature
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TEXT, value, style=None if _reads_as_itself(value) else '"')


def _reads_as_itself(text: str) -> bool:
    try:
        return text.isprintable() and parse_scalar(text) == text
    except ValueError:  # too long for a number, or not finite
        return False


_Dumper.add_representer(str, _text)
