"""How tests start the command as a user does, and where: a folder with specs and modules of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
_SURROUNDINGS = re.compile(r"(PYTEST_|GITHUB_|CI_)|(CI|BUILD_NUMBER|COLUMNS|NO_COLOR|FORCE_COLOR)$")
# What pip says where there is no package index to be reached.
OFFLINE = r"No matching distribution|Could not find a version|name resolution|Connection|Network is unreachable"


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """The one strict JSON document on stdout."""
        return json.loads(self.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not strict JSON"))


def plain_environment() -> dict[str, str]:
    """Return an environment that knows nothing of a terminal, of the pytest around the tests, or of CI."""
    return {name: text for name, text in os.environ.items() if _SURROUNDINGS.match(name) is None}


def run_command(*arguments: str, cwd: Path = ROOT, env: dict[str, str] | None = None, workers: int = 1) -> Ran:
    """Start gradverify as a user does, in a process of its own."""
    shared = ["--workers", str(workers)] if arguments and arguments[0] in {"run", "sweep"} else []
    done = subprocess.run(
        [sys.executable, "-m", "gradverify", *arguments, *shared],
        cwd=cwd,
        env=plain_environment() | (env or {}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Workplace:
    """An empty folder of a user, with files and the command."""

    path: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file; the text may be indented."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text), encoding="utf-8")
        return file

    def run(self, *arguments: str, **env: str) -> Ran:
        """Start gradverify here."""
        return run_command(*arguments, cwd=self.path, env=env)
