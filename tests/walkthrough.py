"""Does what a page of the documents says: writes its files, types its commands, and compares what they print.

A block whose first line is a comment with nothing but a file's name is that file. A ``console`` block has commands
behind ``$`` and what they print below; ``...`` there stands for any text, as in doctest.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workplace import Workplace, plain_environment

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./-]*\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """What stands between two fences."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that it is, if it is one."""
        found = _FILE.match(self.text)
        return found.group(1) if found else None


def blocks_of(page: Path) -> tuple[Block, ...]:
    """Return the blocks of a page, in order."""
    return tuple(Block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8")))


def exchanges_in(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the commands of a console block, each with what it prints."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        yield command, printed


def walk(blocks: tuple[Block, ...], place: Workplace) -> int:
    """Do what blocks say, in order; returns how many commands were typed."""
    code = typed = 0
    for block in blocks:
        if block.file is not None:
            place.write(block.file, block.text)
        for command, printed in exchanges_in(block) if block.language == "console" else ():
            code, found = _typed(command, code, place)
            assert re.fullmatch(_pattern(printed), found), f"$ {command}\nexpected:\n{printed}\nfound:\n{found}"
            typed += 1
    return typed


def _typed(command: str, last: int, place: Workplace) -> tuple[int, str]:
    """Return the exit code of a command and all that it prints, for a reader with a terminal of 100 columns."""
    path = os.pathsep.join((f"{place.path}/.venv/bin", str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-c", f"(exit {last})\n{command}"],  # noqa: S607  the shell that readers have
        cwd=place.path,
        env={**plain_environment(), "PATH": path, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def _pattern(printed: str) -> re.Pattern[str]:
    parts = (re.escape(part) for part in printed.split("..."))
    return re.compile(".*?".join(parts), re.DOTALL)
