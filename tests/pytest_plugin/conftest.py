"""Fixtures for the tests of the pytest plugin."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_project import Project, made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project of a user."""
    return made(tmp_path)
