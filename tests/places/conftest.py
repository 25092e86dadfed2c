"""What pre-commit needs, made once: a copy of this repository, and the hook that has to be installed."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import yaml
from scratch import Repository, copy_of_this

PRE_COMMIT = (sys.executable, "-m", "pre_commit")
OFFLINE = r"No matching distribution|Could not find a version|name resolution|Connection|Network is unreachable"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return an empty repository of a user."""
    (tmp_path / "user's $(touch x) repository").mkdir()
    made = Repository(tmp_path / "user's $(touch x) repository")
    made.commit()
    return made


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Return a copy of this repository."""
    return copy_of_this(tmp_path_factory.mktemp("shipped") / "gradverify")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where pre-commit keeps what it installs."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def installed(shipped: Repository, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let pre-commit install the hook that needs it, once for all tests."""
    first = Repository(tmp_path_factory.mktemp("first"))
    hook = {"repo": str(shipped.path), "rev": shipped.git("rev-parse", "HEAD"), "hooks": [{"id": "gradverify-audit"}]}
    first.write(".pre-commit-config.yaml", yaml.safe_dump({"repos": [hook]}))
    first.commit()
    done = first.start(*PRE_COMMIT, "install-hooks", PRE_COMMIT_HOME=str(home))
    if done.returncode and re.search(OFFLINE, done.stdout):
        pytest.skip("pre-commit installs hooks from a package index, and there is none to be reached")
    assert done.returncode == 0, done.stdout
    return home
