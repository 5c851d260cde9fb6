"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import media

# Tiny networks gain nothing from a second thread, and two that wait for each other cost most where
# the machine has other work: 94 tests of the heads took 68 s of processor time, with one 15 s.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["COLUMNS"] = "80"  # what is printed must not depend on the terminal of whoever tests


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds at 10 fps, frames numbered 0 to 19 in their pixels."""
    return media.make(tmp_path / "clip.mp4")
