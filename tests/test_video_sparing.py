"""Frames that are not sampled and that no other needs: not decoded, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cospal_cli.core.frames import FrameBatch, Timeline
from cospal_cli.settings import VideoConfig
from cospal_cli.video.reader import VideoReader
from cospal_cli.video.sampling import Grid
from cospal_cli.video.sparing import Sparing
from tests import media


def read(
    path: Path, monkeypatch: pytest.MonkeyPatch, spare: bool = True, **config: object
) -> tuple[list[FrameBatch], Timeline, int]:
    """Batches, the time line, and how many frames were left out."""
    count = 0
    own = Sparing.spares

    def counted(self: Sparing, *arguments: object) -> bool:
        nonlocal count
        found = spare and own(self, *arguments)  # type: ignore[arg-type]
        count += found
        return found

    with monkeypatch.context() as patch, VideoReader(path, VideoConfig(**config)) as reader:  # type: ignore[arg-type]
        patch.setattr(Sparing, "spares", counted)
        batches = list(reader.batches(4))
        return batches, reader.timeline, count


def same(first: tuple, second: tuple) -> None:
    for one, other in zip(first[0], second[0], strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        np.testing.assert_array_equal(one.indices, other.indices)
        np.testing.assert_array_equal(one.times_s, other.times_s)
    for name in ("indices", "pts", "times_s", "end_s", "warnings", "damaged", "rules"):
        np.testing.assert_array_equal(getattr(first[1], name), getattr(second[1], name))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames, 30 a second, about half of them B-frames that nothing refers to."""
    path = tmp_path_factory.mktemp("sparing") / "b.mp4"
    return media.make(path, 60, fps=30, options={"bf": "3", "b_strategy": "0"})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"fps": 7.0},
        {"start": "0.5s"},
        {"start": "0.7s", "end": "1.4s"},
        {"start": "13", "duration": "20"},
    ],
)
def test_pixels_and_times_are_the_same(
    clip: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, object]
) -> None:
    spared = read(clip, monkeypatch, **config)
    same(spared, read(clip, monkeypatch, spare=False, **config))
    assert spared[2] > 3


def test_about_a_third_is_left_out(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 15 <= read(clip, monkeypatch)[2] <= 30


@pytest.mark.parametrize("config", [{"fps": 60.0}, {"strict": True}])
def test_nothing_is_where_every_frame_counts(
    clip: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, object]
) -> None:
    assert read(clip, monkeypatch, **config)[2] == 0


def test_all_frames_come_where_all_are_asked_for(clip: Path) -> None:
    with VideoReader(clip, VideoConfig()) as reader:
        list(reader.batches(4))
        numbers = [media.number_of(frame.image) for frame in reader.frames()]
    assert numbers == list(range(60))


def test_a_frame_that_is_wanted_after_all_is_decoded_by_reading_again(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = read(clip, monkeypatch, spare=False)
    monkeypatch.setattr(Grid, "between", lambda *_: False)
    same(read(clip, monkeypatch), wanted)


@pytest.mark.parametrize("name", ["b.ts", "b.mkv", "b.avi"])
def test_other_containers_give_what_they_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = media.make(tmp_path / name, 60, fps=30)
    same(read(path, monkeypatch), read(path, monkeypatch, spare=False))
