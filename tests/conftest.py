"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from workplace import Workplace

# Machines are shared: how long an example takes says nothing.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """Return an empty folder of a user."""
    return Workplace(tmp_path)
