"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from workplace import Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """Return an empty folder of a user."""
    return Workplace(tmp_path)
