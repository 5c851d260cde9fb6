"""Fixtures shared by all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import media


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds at 10 fps, frames numbered 0 to 19 in their pixels."""
    return media.make(tmp_path / "clip.mp4")
