"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import media

if TYPE_CHECKING:
    from tests.fake_grounder import Fake

# Tiny networks gain nothing from a second thread, and two that wait for each other cost most where
# the machine has other work: 94 tests of the heads took 68 s of processor time, with one 15 s.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["COLUMNS"] = "80"  # what is printed must not depend on the terminal of whoever tests


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Two seconds at 10 fps, frames numbered 0 to 19 in their pixels."""
    return media.make(tmp_path / "clip.mp4")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fake:
    """Stages that watch nothing, and a working folder with a ``clip.mp4``."""
    from tests.fake_grounder import Fake

    stages = Fake()
    stages.install(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Path("clip.mp4").write_bytes(b"video")
    return stages


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny data set with its prepared features."""
    from tests.tiny_set import make_set

    return make_set(tmp_path_factory.mktemp("set") / "set")


@pytest.fixture(scope="module")
def heads(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tiny heads, untrained, for the features of ``data``."""
    from tests.tiny_set import make_heads

    return make_heads(tmp_path_factory.mktemp("heads"), data / "prepared")
