"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import media

os.environ["COLUMNS"] = "80"  # what is printed must not depend on the terminal of whoever tests


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds at 10 fps, frames numbered 0 to 19 in their pixels."""
    return media.make(tmp_path / "clip.mp4")
