"""Where reports go: one format to stdout, the others into files, each as a whole or not at all."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gradverify.errors import UsageError
from gradverify.reporters import Reporter, reporter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.reporters import Appearance

__all__ = ["Outputs"]

# What GitHub shows of one step's summary.
_SUMMARY_BYTES = 2**20
_SUMMARY_FORMAT = "markdown"
# Names of what is open already; opened again, a file behind it would be overwritten from its beginning.
_OPEN = {"/dev/stdout": lambda: sys.stdout, "/dev/stderr": lambda: sys.stderr}


class Outputs:
    """The formats of a command and what they write.

    Parameters
    ----------
    formats
        Name and file of each; ``None`` for stdout. Without any, ``terminal`` to stdout.
    summary
        File that GitHub shows beside the annotations of a step, where it is set.

    Raises
    ------
    UsageError, click.UsageError
        Two formats for one place, or a file in no folder.
    """

    def __init__(self, formats: tuple[tuple[str, str | None], ...], summary: str | None) -> None:
        self._formats = formats or (("terminal", None),)
        self._summary = summary if summary and any(name == "github" for name, _ in self._formats) else None
        self._written: dict[str, TextIO] = {}
        self._summed = io.StringIO()
        _check(self._formats)

    @property
    def near(self) -> bool:
        """Whether some format shows findings from near by, which costs passes of their own."""
        return any(name == "html" for name, _ in self._formats)

    def reporters(self, appearance: Appearance) -> tuple[Reporter, ...]:
        """Return a reporter for every format."""
        return self._made(appearance, {name: sys.stdout for name, _ in self._formats})

    def refusers(self, appearance: Appearance) -> tuple[Reporter, ...]:
        """Return the reporters of what was refused: stdout stays empty, and GitHub reads stderr as well."""
        return self._made(appearance, {"github": sys.stderr})

    def _made(self, appearance: Appearance, stdout: Mapping[str, TextIO]) -> tuple[Reporter, ...]:
        streams = [(name, stdout.get(name) if file is None else self._stream(file)) for name, file in self._formats]
        made = [reporter(name, stream, appearance) for name, stream in streams if stream is not None]
        if self._summary is not None:
            made.append(reporter(_SUMMARY_FORMAT, self._summed, replace(appearance, most_bytes=_SUMMARY_BYTES)))
        return tuple(made)

    def close(self) -> None:
        """Put files in their places; what was written is lost by no error of another."""
        for name, stream in self._written.items():
            if isinstance(stream, io.StringIO):
                _replace(Path(name), stream.getvalue())
            else:
                with suppress(BrokenPipeError):
                    stream.close()
        if self._summary is not None and self._summed.getvalue():
            with Path(self._summary).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(self._summed.getvalue())

    def _stream(self, file: str) -> TextIO:
        """Return what a format writes to: a device or pipe at once, a file when all is done."""
        if file in _OPEN:
            return _OPEN[file]()
        path = Path(file)
        device = path.is_absolute() and path.parts[1] in {"dev", "proc"}  # what it leads to may be a file of others
        if device or (path.exists() and not path.is_file()):
            self._written[file] = path.open("a", encoding="utf-8", errors="backslashreplace")
        else:
            self._written[file] = io.StringIO()
        return self._written[file]


def _check(formats: tuple[tuple[str, str | None], ...]) -> None:
    if sum(file is None for _, file in formats) > 1:
        raise click.UsageError("two formats for stdout, expected one; give the others a file: --format NAME=FILE")
    files = [file for _, file in formats if file]
    if len({Path(file).resolve() for file in files}) < len(files):
        raise click.UsageError("two formats for one file, expected a file for each")
    for file in files:
        if Path(file).is_dir() or not Path(file).resolve().parent.is_dir():
            raise UsageError(f"--format: '{file}' is a folder, or in none, expected a file in an existing folder")


def _replace(path: Path, text: str) -> None:
    """Write a file as a whole or not at all; nothing where nothing was reported."""
    if text:
        from gradverify.cli.replacing import replace_file  # noqa: PLC0415  most reports go to stdout

        replace_file(path.resolve(), text.encode("utf-8", "backslashreplace"))
