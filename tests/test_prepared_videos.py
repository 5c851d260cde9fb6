"""Features on disk: what is written is read, in parts of the video too, and damage is named."""

import errno
import json
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import DeviceError, InputError
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.observation import FrameSpan, Observation
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.features.tubelets import select
from cospal_cli.prepared import texts as texts
from cospal_cli.prepared import videos as cache
from cospal_cli.prepared.videos import Searched, VideoFile, whole, write
from tests.test_language_phrases import Encoder

KEY = {"files": [[5, 6]], "settings": {"video": {"fps": 10.0}}}


def tubelet(number: int, first: int, observed: list[bool], rng: np.random.Generator) -> Tubelet:
    n, seen = len(observed), sum(observed)
    at = np.arange(first, first + n)
    return Tubelet(
        number, at, at / 10, rng.random((n, 4), np.float32), rng.random(n, np.float32),
        np.array(observed), rng.random(2, np.float32),
        colours=BoxColours(
            rng.integers(0, 255, (seen, 5, 20), np.uint8),
            rng.integers(0, 255, (seen, 12, 12), np.uint8),
        ),
        camera_xy=rng.random((n, 2), np.float32),
        track_ids=(number, number + 7),
        features=rng.random((seen, 6), np.float32).astype(np.float16),
    )  # fmt: skip


@pytest.fixture
def stored() -> Observation:
    """Three tubelets in 20 frames."""
    rng = np.random.default_rng(0)
    info = VideoInfo(
        "a/b.mp4", 64, 48, 90, Fraction(1, 1000), Fraction(30000, 1001), 7, 20, 2.0, 99, codec="x"
    )
    at = np.arange(20, dtype=np.int64)
    line = Timeline(at, at * 40, at / 10, 2.0, True, ("gray",), True)
    observed = [[True, False, True, True], [True] * 9, [True, True]]
    many = [tubelet(i, 4 * i, row, rng) for i, row in enumerate(observed)]
    return Observation(info, line, tuple(many), ("car", "person"))


def saved(path: Path, stored: Observation, *segments: FrameSpan | None) -> VideoFile:
    k = len(stored.tubelets)
    rng = np.random.default_rng(1)
    views = [
        Searched("", segment, rng.random((k, 4, 3), np.float32), np.ones((k, 4), bool))
        for segment in segments or (None,)
    ]
    spans = np.arange(8).reshape(4, 2) / 4
    clips = Clips(np.arange(8, dtype=np.float32).reshape(4, 2), spans)
    assert write(path, {"": stored}, views, clips, KEY) == path.stat().st_size
    return VideoFile(path)


def same(one: object, other: object) -> None:
    """Equal, field by field."""
    for field in fields(one):  # type: ignore[arg-type]
        mine, its = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, its)
            assert mine.dtype == its.dtype, field.name
        elif isinstance(mine, BoxColours):
            same(mine, its)
        else:
            assert mine == its, field.name


@pytest.mark.parametrize("kept", [3, 1, 0])
def test_what_is_written_is_read(tmp_path: Path, stored: Observation, kept: int) -> None:
    stored = replace(stored, tubelets=stored.tubelets[:kept])
    reader = saved(tmp_path / "v.safetensors", stored)
    found = reader.scene("")
    same(found.info, stored.info)
    same(found.timeline, stored.timeline)
    assert (found.classes, len(found.tubelets)) == (stored.classes, kept)
    for mine, its in zip(stored.tubelets, found.tubelets, strict=True):
        same(mine, its)
    vision = reader.vision("", None)
    assert vision.tubelets.shape == (kept, 4, 3)
    assert vision.tubelets.dtype == vision.clips.dtype == np.float32
    np.testing.assert_array_equal(vision.clips, np.arange(8).reshape(4, 2))
    assert reader.tubelets("", None) == kept
    assert reader.width == (6 if kept else None)
    assert whole(reader.path, KEY)
    assert not whole(reader.path, KEY | {"files": []})
    assert not whole(tmp_path / "none", KEY)


def test_tubelets_without_looks_or_camera(tmp_path: Path, stored: Observation) -> None:
    bare = [
        replace(one, colours=None, camera_xy=None, features=None, referral=one.scores[one.observed])
        for one in stored.tubelets
    ]
    found = saved(tmp_path / "v.safetensors", replace(stored, tubelets=bare)).scene("")
    for mine, its in zip(bare, found.tubelets, strict=True):
        same(mine, its)


def test_a_part_of_the_video(tmp_path: Path, stored: Observation) -> None:
    reader = saved(tmp_path / "v.safetensors", stored, FrameSpan(5, 10))
    part = reader.scene("").within(FrameSpan(5, 10))
    assert part.timeline.indices.tolist() == [5, 6, 7, 8, 9]
    assert part.timeline.end_s == 1.0
    first, second = part.tubelets
    assert [one.id for one in part.tubelets] == [1, 2]
    assert first.frame_indices.tolist() == [5, 6, 7, 8, 9]
    assert second.frame_indices.tolist() == [8, 9]
    source = stored.tubelets[1]
    np.testing.assert_array_equal(first.boxes_xyxy, source.boxes_xyxy[1:6])
    assert first.colours is not None
    assert source.colours is not None
    np.testing.assert_array_equal(first.colours.shares, source.colours.shares[1:6])
    np.testing.assert_array_equal(first.features, source.features[1:6])  # type: ignore[index]
    clips = reader.vision("", FrameSpan(5, 10)).clips
    np.testing.assert_array_equal(clips, [[2, 3]])  # of 0.5 s to 1 s: the one from 0.5 to 0.75
    with pytest.raises(InputError, match="no features for"):
        reader.vision("", None)


def test_a_part_begins_and_ends_with_observations(stored: Observation) -> None:
    part = stored.within(FrameSpan(1, 4))
    assert part.tubelets[0].frame_indices.tolist() == [2, 3]
    assert part.tubelets[0].colours is not None
    assert stored.tubelets[0].colours is not None
    np.testing.assert_array_equal(
        part.tubelets[0].colours.thumbs, stored.tubelets[0].colours.thumbs[1:]
    )
    assert [one.id for one in select(stored.tubelets, 1)] == [1]
    with pytest.raises(InputError, match="no frame of the annotated segment 30 to 40"):
        stored.within(FrameSpan(30, 40))


def test_damage_is_named(tmp_path: Path, stored: Observation) -> None:
    path = tmp_path / "v.safetensors"
    saved(path, stored)
    data = path.read_bytes()
    for broken in (data[:-3], b"", b"x" * 400, b"\xff" * 8 + data[8:], bytes(200)):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"v\.safetensors"):
            VideoFile(path)
        assert not whole(path, KEY)
    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(InputError, match="not a file of features"):
        VideoFile(path)
    save_file({"a": np.zeros(2)}, path, {"cospal": json.dumps({"format": "other"})})
    with pytest.raises(InputError, match="expected 'cospal/features@1'"):
        VideoFile(path)


def test_numbers_that_are_none(tmp_path: Path, stored: Observation) -> None:
    views = [Searched("", None, np.full((3, 4, 3), np.nan, np.float32), np.ones((3, 4), bool))]
    clips = Clips(np.zeros((1, 2), np.float32), np.zeros((1, 2)))
    write(tmp_path / "v.safetensors", {"": stored}, views, clips, KEY)
    with pytest.raises(InputError, match="not finite"):
        VideoFile(tmp_path / "v.safetensors").vision("", None)


def test_large_numbers_are_kept_finite(tmp_path: Path, stored: Observation) -> None:
    views = [Searched("", None, np.full((3, 4, 3), 1e9, np.float32), np.ones((3, 4), bool))]
    clips = Clips(np.full((1, 2), -1e9, np.float32), np.zeros((1, 2)))
    write(tmp_path / "v.safetensors", {"": stored}, views, clips, KEY)
    found = VideoFile(tmp_path / "v.safetensors").vision("", None)
    assert (found.tubelets.max(), found.clips.min()) == (65504, -65504)


def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, stored: Observation, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "v.safetensors"
    saved(path, stored)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DeviceError, match="no space left"):
        saved(path, stored)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_keys_change_with_the_files(tmp_path: Path) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(b"12345")
    first = cache.key(video, [], {"a": 1})
    assert cache.key(video, [], {"a": 1}) == first != cache.key(video, [], {"a": 2})
    assert cache.key(video, [video], {"a": 1}) != first
    video.write_bytes(b"123456")
    assert cache.key(video, [], {"a": 1}) != first
    with pytest.raises(InputError, match=r"none\.jsonl: No such file"):
        cache.key(video, [tmp_path / "none.jsonl"], {})


def test_texts_are_read_one_by_one(tmp_path: Path) -> None:
    path, encoder = tmp_path / "t.safetensors", Encoder()
    many = ["the man, in red", "", "naïve \U0001f600 words", "a\nb"]
    texts.write(path, many, encoder, KEY)
    reader = texts.TextsFile(path)
    assert (reader.dim, reader.key) == (3, KEY)
    for text in many:
        found, expected = reader.words(text), encoder.words(text)
        assert found.spans == expected.spans
        np.testing.assert_array_equal(found.vectors, expected.vectors.astype(np.float16))
    assert found.vectors.dtype == np.float32
    with pytest.raises(InputError, match="no vectors for the text 'other'"):
        reader.words("other")
    assert texts.whole(path, KEY)
    assert not texts.whole(path, {})


@pytest.mark.parametrize("many", [[], [""]])
def test_texts_without_words(tmp_path: Path, many: list[str]) -> None:
    texts.write(tmp_path / "t", many, Encoder(), KEY)
    assert texts.TextsFile(tmp_path / "t").dim == 3


def test_damaged_texts_are_named(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    texts.write(path, ["one two"], Encoder(), KEY)
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(InputError, match=r"t\.safetensors: damaged"):
        texts.TextsFile(path)
    save_file({"vectors": np.zeros((2, 2))}, path, {"cospal": "{}"})
    with pytest.raises(InputError, match="not a file of texts"):
        texts.TextsFile(path)
