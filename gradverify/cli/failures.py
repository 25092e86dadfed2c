"""``--save-failures``: for every case that does not pass, a spec of its own and the arrays it was found with."""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gradverify.cli.replacing import replace_file
from gradverify.errors import SpecError, UsageError
from gradverify.results import NOT_PASSED
from gradverify.spec.expansion import expand
from gradverify.spec.files import read_specs
from gradverify.spec.model import ArrayFile, Case, Fill, InputSpec
from gradverify.spec.writing import write_case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradverify.results import CaseResult, Plan, Report

__all__ = ["SavedFailures", "file_stem"]

_LONGEST_NAME = 100
# Of all archives alike, so that the same arrays make the same file.
_EPOCH = (1980, 1, 1, 0, 0, 0)


class SavedFailures:
    """Listens, and saves every failure when it is heard of: an interrupted run keeps those that it found.

    Parameters
    ----------
    folder
        Where they go; made when it is missing.
    cases
        Those that run.

    Raises
    ------
    UsageError
        The folder cannot be made, or nothing can be written into it.
    """

    def __init__(self, folder: Path, cases: tuple[Case, ...]) -> None:
        self._folder = folder
        self._cases = {(case.spec, case.id): case for case in cases}
        self._specs: set[Path] = set()
        _check_writable(folder)

    def start(self, plan: Plan) -> None:
        """Nothing has failed yet."""

    def case(self, result: CaseResult) -> None:
        """Save a case that did not pass; a layer of a network has no arrays, and its spec is at hand."""
        if result.verdict not in NOT_PASSED or result.network is not None:
            return
        try:
            self._save(self._cases[result.spec, result.id], result)
        except (OSError, SpecError) as error:
            click.echo(f"{result.id} is not saved in {self._folder}: {error}", err=True)

    def finish(self, report: Report) -> None:  # noqa: ARG002  a listener's signature
        """Say where they are."""
        saved = sum(spec.is_file() for spec in self._specs)
        if saved:
            failures = "1 failure" if saved == 1 else f"{saved} failures"
            click.echo(f"saved {failures} in {self._folder}", err=True)

    def _save(self, case: Case, result: CaseResult) -> None:
        stem = file_stem(case, self._folder)
        archive, spec = (self._folder / f"{stem}{suffix}" for suffix in (".npz", ".yaml"))
        if result.arrays:
            replace_file(archive, _archive(result.arrays))
            case = _from_archive(case, str(archive.resolve()), result.arrays)
        found = f"{result.verdict} {case.id} ({case.spec}:{case.line}, {case.target})"
        comments = (found, f"gradverify run {spec.name}")
        self._specs.add(spec)  # before it is there: an interrupt may come between the two
        try:
            replace_file(spec, write_case(case, self._folder, comments).encode())
            expand(*read_specs((spec,)))  # what cannot be read again helps nobody
        except (OSError, SpecError):
            self._specs.discard(spec)
            raise


def file_stem(case: Case, folder: Path) -> str:
    """Return a name for the files of a case: its id as far as every file system has its signs, and a digest.

    The digest keeps ids apart that read alike then, or come from different specs. It depends on the id and on the way
    from the folder to the spec, and on nothing else.
    """
    spec = os.path.relpath(Path(case.spec).resolve(), folder.resolve()) if _one_drive(case, folder) else case.spec
    digest = hashlib.blake2b(f"{Path(spec).as_posix()}\0{case.id}".encode("utf-8", "surrogatepass"), digest_size=4)
    readable = re.sub(r"[^A-Za-z0-9_=,.+-]+", "-", case.id)[:_LONGEST_NAME].strip("-.")
    return f"{readable}-{digest.hexdigest()}".lstrip("-")


def _one_drive(case: Case, folder: Path) -> bool:
    return Path(case.spec).resolve().drive == folder.resolve().drive


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"--save-failures: '{folder}' cannot be written: {said}; expected a folder") from None


def _archive(arrays: Mapping[str, bytes]) -> bytes:
    """Return an ``.npz`` file with these arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in arrays.items():
            file.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _from_archive(case: Case, file: str, arrays: Mapping[str, bytes]) -> Case:
    """Return a case with the inputs that an archive holds, and its cotangents, unless a word says them all."""
    inputs = (
        _in_archive(item, file, f"inputs/{item.name}") if f"inputs/{item.name}" in arrays else item
        for item in case.inputs
    )
    drawn = case.cotangent is None or case.cotangent == "random"
    weights = tuple(ArrayFile(file, name) for name in arrays if name.startswith("cotangent"))
    return replace(case, inputs=tuple(inputs), cotangent=(drawn and weights) or case.cotangent)


def _in_archive(item: InputSpec, file: str, key: str) -> InputSpec:
    """Return an input with its data in a file; what is a constant stays one."""
    grad = item.grad if item.differentiable else False
    return replace(item, shape=None, fill=Fill.FILE, options={}, values=None, file=file, key=key, grad=grad)
