"""Where reports go: one format to stdout, the others into files, each as a whole or not at all."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from gradverify.errors import UsageError
from gradverify.exit_codes import ExitCode
from gradverify.reporters import Reporter, reporter
from gradverify.spec.model import SPEC_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gradverify.reporters import Appearance
    from gradverify.results import CaseResult, Plan, Report

__all__ = ["Outputs"]

_STDOUT = "stdout"
# What the system shows as files although it hands on what is written: /dev/stderr is a file where a shell makes it one.
_HANDED_ON = ("/dev/", "/proc/")
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
    read
        Names of what the command reads: no report replaces it.

    Raises
    ------
    UsageError, click.UsageError
        Two formats for one place, a file in no folder, or one that is read.
    """

    def __init__(self, formats: tuple[tuple[str, str | None], ...], summary: str | None, read: tuple[str, ...]) -> None:
        self._formats = formats or (("terminal", None),)
        self._summary = summary if summary and any(name == "github" for name, _ in self._formats) else None
        self._written: dict[str, TextIO] = {}
        self._summed = io.StringIO()
        self._lost: dict[str, OSError] = {}
        _check(self._formats)
        _keep_apart(self._formats, read)

    @property
    def near(self) -> bool:
        """Whether some format shows findings from near by, which costs passes of their own."""
        return any(name == "html" for name, _ in self._formats)

    def reporters(self, appearance: Appearance) -> tuple[Reporter, ...]:
        """Return a reporter for every format."""
        return self._made(appearance, {name: sys.stdout for name, _ in self._formats})

    @property
    def exit_code(self) -> ExitCode:
        """What a run exits with in which all passes: not 0 where a report could not be written."""
        unwritten = any(not isinstance(error, BrokenPipeError) for error in self._lost.values())
        return ExitCode.UNWRITTEN if unwritten else ExitCode.PASS

    def refusers(self, appearance: Appearance) -> tuple[Reporter, ...]:
        """Return the reporters of what was refused: stdout stays empty, and GitHub reads stderr as well."""
        return self._made(appearance, {"github": sys.stderr})

    def _made(self, appearance: Appearance, stdout: Mapping[str, TextIO]) -> tuple[Reporter, ...]:
        made: list[Reporter] = []
        for name, file in self._formats:
            stream = stdout.get(name) if file is None else self._stream(file)
            if stream is not None:
                ends = len(self._formats) == 1 and file is None
                made.append(_Guarded(reporter(name, stream, appearance), file or _STDOUT, self._lost, ends))
        if self._summary is not None:
            room = max(0, _SUMMARY_BYTES - _size(self._summary))
            made.append(reporter(_SUMMARY_FORMAT, self._summed, replace(appearance, most_bytes=room)))
        return tuple(made)

    def close(self) -> None:
        """Put files in their places; what was written is lost by no error of another.

        Raises
        ------
        BrokenPipeError
            Whoever read stdout left.
        """
        for name, stream in self._written.items():
            self._try(name, partial(_finish, name, stream))
        if self._summary is not None and self._summed.getvalue():
            self._try(self._summary, partial(_append, self._summary, self._summed.getvalue()))
        self._try(_STDOUT, sys.stdout.flush)
        self._complain()

    def _try(self, name: str, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self._lost.setdefault(name, error)

    def _complain(self) -> None:
        """Say on stderr what could not be written; who left a pipe has seen enough."""
        for name, error in self._lost.items():
            if not isinstance(error, BrokenPipeError):
                what = name if name == _STDOUT else f"--format: '{name}'"
                click.echo(f"Error: {what} could not be written: {error.strerror or error}", err=True)
        if isinstance(self._lost.get(_STDOUT), BrokenPipeError):
            raise self._lost[_STDOUT]
        if _STDOUT in self._lost:  # the interpreter would try again while it ends, and complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _stream(self, file: str) -> TextIO:
        """Return what a format writes to: a device or pipe at once, a file when all is done."""
        if file in _OPEN:
            return _OPEN[file]()
        path = Path(file)
        if path.exists() and (not path.is_file() or str(path.absolute()).startswith(_HANDED_ON)):
            try:
                self._written[file] = path.open("a", encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise UsageError(f"--format: '{file}' cannot be written: {error.strerror or error}") from None
        else:
            self._written[file] = io.StringIO()
        return self._written[file]


@dataclass(frozen=True, slots=True)
class _Guarded:
    """A reporter whose stream may fail without the run and the other reporters: what fails is kept for the end.

    Where nobody else reads, ``ends`` says that the run is over when its reader leaves.
    """

    inner: Reporter
    name: str
    lost: dict[str, OSError]
    ends: bool

    def start(self, plan: Plan) -> None:
        self._unless_lost(lambda: self.inner.start(plan))

    def case(self, result: CaseResult) -> None:
        self._unless_lost(lambda: self.inner.case(result))

    def finish(self, report: Report) -> None:
        self._unless_lost(lambda: self.inner.finish(report))

    def _unless_lost(self, tell: Callable[[], None]) -> None:
        if self.name not in self.lost:
            try:
                tell()
            except OSError as error:
                if self.ends and isinstance(error, BrokenPipeError):
                    raise
                self.lost[self.name] = error


def _check(formats: tuple[tuple[str, str | None], ...]) -> None:
    if sum(file is None for _, file in formats) > 1:
        raise click.UsageError("two formats for stdout, expected one; give the others a file: --format NAME=FILE")
    files = [file for _, file in formats if file]
    places = [os.path.realpath(file) for file in files]
    for file, place in zip(files, places, strict=True):
        if places.count(place) > 1:
            raise click.UsageError(f"two formats for one file, '{file}', expected a file for each")
        if os.path.isdir(place):  # noqa: PTH112  false, and no exception, for a name that no file can have
            raise UsageError(f"--format: '{file}' is a folder, expected a file")
        if not os.path.isdir(os.path.dirname(place)):  # noqa: PTH112, PTH120  as above
            raise UsageError(f"--format: '{file}' is in no folder, expected a file in an existing folder")


def _keep_apart(formats: tuple[tuple[str, str | None], ...], read: tuple[str, ...]) -> None:
    """Refuse a report in the place of what the command reads, or where the next one would take it for a spec."""
    taken = [os.path.realpath(name) for name in read]
    folders = [Path(name) for name in taken if os.path.isdir(name)]  # noqa: PTH112  as above
    for file in (file for _, file in formats if file):
        place = Path(os.path.realpath(file))
        inside = place.suffix in SPEC_SUFFIXES and any(place.is_relative_to(folder) for folder in folders)
        if inside or str(place) in taken:
            raise UsageError(f"--format: '{file}' is what this command reads, expected another file for the report")


def _finish(name: str, stream: TextIO) -> None:
    """Write a file as a whole or not at all, nothing where nothing was reported; or end what was written at once."""
    if not isinstance(stream, io.StringIO):
        stream.close()
    elif stream.getvalue():
        from gradverify.cli.replacing import replace_file  # noqa: PLC0415  most reports go to stdout

        replace_file(Path(name).resolve(), stream.getvalue().encode("utf-8", "backslashreplace"))


def _append(name: str, text: str) -> None:
    with Path(name).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def _size(name: str) -> int:
    """Return how much is in a file already; 0 where there is none."""
    with suppress(OSError):
        return Path(name).stat().st_size
    return 0
