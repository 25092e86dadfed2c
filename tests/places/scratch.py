"""Repositories to try things in: a user's, and a copy of this one as users get it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from workplace import ROOT, Workplace, plain_environment

# A network that loses a row and a column at its stem.
LOSING = """
    cases:
      - name: net
        inputs: {image: [1, 3, 224, 224]}
        network: [{name: stem, layer: conv2d, out_channels: 8, kernel_size: 11, stride: 4}]
"""
PRE_COMMIT = (sys.executable, "-m", "pre_commit")
# What a user of this repository needs of it to install it, and what says how.
_SHIPPED = ("gradverify", "pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml", "action.yml", "templates")
_NOT_PASSED_ON = ("GIT_", "PRE_COMMIT")


def clean_environment(**more: str) -> dict[str, str]:
    """Return an environment in which no git, CI or hook around the tests is heard of, and gradverify is on the path."""
    environment = {name: value for name, value in plain_environment().items() if not name.startswith(_NOT_PASSED_ON)}
    return environment | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **{f"GIT_{who}_{what}": "nobody@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **more,
    }


@dataclass(frozen=True)
class Repository(Workplace):
    """A folder under git."""

    def git(self, *arguments: str) -> str:
        """Run git here, and return what it says."""
        done = subprocess.run(
            ["git", *arguments],  # noqa: S607  the git of the path, which pre-commit takes too
            cwd=self.path,
            env=clean_environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self) -> None:
        """Make the folder a repository where it is none, and commit all that is in it."""
        if not (self.path / ".git").exists():
            self.git("init", "--quiet", "--initial-branch", "main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "as it is")

    def start(self, *command: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        """Start any command here."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=clean_environment(**env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )


def copy_of_this(path: Path) -> Repository:
    """Return a repository with what this one ships, uncommitted changes included."""
    for name in _SHIPPED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            path.mkdir(exist_ok=True)
            shutil.copy(source, path / name)
    copied = Repository(path)
    copied.commit()
    return copied
