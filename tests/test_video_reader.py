"""Reading: frames by number, true times, turns, ranges, pixel formats, bounded memory."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.settings import VideoConfig
from cospal_cli.video.ranges import Mark, parse_mark
from cospal_cli.video.reader import VideoReader
from cospal_cli.video.timing import StreamClock
from tests import media


def read(path: Path, **settings: object) -> tuple[VideoReader, list[int]]:
    """The reader after a whole pass, and the numbers that its full-size frames show."""
    with VideoReader(path, VideoConfig(**settings)) as reader:
        return reader, [media.number_of(frame.image) for frame in reader.frames()]


def sample(
    path: Path, size: int = 4, **settings: object
) -> tuple[list[int], list[int], list[float]]:
    """Numbers shown, ordinals and times of the sampled frames."""
    with VideoReader(path, VideoConfig(**settings)) as reader:
        batches = list(reader.batches(size))
        assert all(len(batch) == size for batch in batches[:-1])
        shown = [media.number_of(image) for batch in batches for image in batch.images]
        indices = [int(i) for batch in batches for i in batch.indices]
        return shown, indices, [float(t) for batch in batches for t in batch.times_s]


def test_every_frame_in_order(clip: Path) -> None:
    reader, numbers = read(clip)
    assert numbers == list(range(20))
    assert reader.timeline.indices.tolist() == list(range(20))
    assert reader.timeline.times_s == pytest.approx(np.arange(20) / 10)
    assert reader.timeline.end_s == pytest.approx(2.0)
    assert not reader.timeline.vfr
    assert reader.warnings == []
    info = reader.info
    assert (info.width, info.height, info.rotation, info.avg_fps) == (64, 48, 0, 10)
    assert (info.frames_declared, info.duration_s, info.bytes) == (20, 2.0, clip.stat().st_size)


def test_a_second_pass_starts_again(clip: Path) -> None:
    with VideoReader(clip, VideoConfig()) as reader:
        half = [frame.index for frame, _ in zip(reader.frames(), range(7), strict=False)]
        again = [media.number_of(frame.image) for frame in reader.frames()]
    assert half == list(range(7))
    assert again == list(range(20))


@pytest.mark.parametrize(
    ("fps", "want"),
    [
        (10.0, list(range(0, 30, 3))),
        (30.0, list(range(30))),
        (60.0, list(range(30))),  # never more frames than there are
        (7.5, list(range(0, 30, 4))),
        (1.0, [0]),
    ],
)
def test_sampling_by_time(tmp_path: Path, fps: float, want: list[int]) -> None:
    path = media.make(tmp_path / "a.mp4", 30, fps=30)
    shown, indices, times = sample(path, fps=fps)
    assert shown == indices == want
    assert times == pytest.approx([number / 30 for number in want])
    with VideoReader(path, VideoConfig(fps=fps)) as reader:
        assert reader.expected_samples == pytest.approx(len(want), abs=1)


def test_ntsc_sampling_does_not_drift(tmp_path: Path) -> None:
    path = media.make(tmp_path / "a.mp4", 120, fps=Fraction(30000, 1001), lossless=False)
    shown, indices, _ = sample(path)
    assert shown == indices
    assert set(np.diff(indices)) == {3}
    assert len(indices) == 40


def test_variable_rate_is_sampled_by_time(tmp_path: Path) -> None:
    # a second at 20 fps, a gap of a second, then a second at 10 fps, in milliseconds
    pts = [*range(0, 1000, 50), *range(2000, 3000, 100)]
    path = media.make(
        tmp_path / "v.mkv", 30, fps=30, codec="mpeg4", pts=pts, time_base=Fraction(1, 1000)
    )
    reader, numbers = read(path)
    assert numbers == list(range(30))
    assert reader.timeline.pts.tolist() == pts
    assert reader.timeline.vfr
    shown, indices, times = sample(path, fps=5.0)
    assert shown == indices
    assert times == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 2.0, 2.2, 2.4, 2.6, 2.8])


def test_images_are_reduced_never_enlarged(tmp_path: Path) -> None:
    path = media.make(tmp_path / "a.mp4", 3, size=(320, 180))
    with VideoReader(path, VideoConfig(work_side=160)) as reader:
        (batch,) = reader.batches(8)
        assert batch.images.shape == (3, 90, 160, 3)
        assert batch.size == (320, 180)
        assert [media.number_of(image) for image in batch.images] == [0, 1, 2]
        assert next(reader.frames()).image.shape == (180, 320, 3)
    with VideoReader(path, VideoConfig(work_side=640)) as reader:
        (batch,) = reader.batches(8)
        assert batch.images.shape == (3, 180, 320, 3)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("turn", "clockwise"),
    [
        ((90, False, False), 270),
        ((180, False, False), 180),
        ((270, False, False), 90),
        ((0, True, False), 0),
        ((0, False, True), 180),
        ((90, True, False), 270),
    ],
)
def test_display_matrix(
    tmp_path: Path, suffix: str, turn: tuple[int, bool, bool], clockwise: int
) -> None:
    """The stored frame is the upright one turned back, so what is read must be upright."""
    degrees, hflip, vflip = turn

    def stored(number: int, size: tuple[int, int]) -> np.ndarray:
        crossed = degrees in (90, 270)
        upright = media.numbered(number, size[::-1] if crossed else size)
        image = upright[:, ::-1] if hflip else upright  # libav flips after it has turned
        image = image[::-1] if vflip else image
        return np.ascontiguousarray(np.rot90(image, -degrees // 90))  # it turns counter-clockwise

    path = media.make(tmp_path / f"r.{suffix}", 3, size=(128, 64), turn=turn, picture=stored)
    with VideoReader(path, VideoConfig()) as reader:
        images = [frame.image for frame in reader.frames()]
        (batch,) = reader.batches(4)
    shape = (128, 64, 3) if degrees in (90, 270) else (64, 128, 3)
    for image in (images[2], batch.images[2]):
        assert image.shape == shape
        assert media.number_of(image) == 2
        assert media.tint(image, 0.25, 0.75) == "red"
        assert media.tint(image, 0.75, 0.75) == "blue"
    assert (reader.info.height, reader.info.width) == shape[:2]
    assert reader.info.rotation == clockwise


def test_start_time_is_not_zero(tmp_path: Path) -> None:
    pts = list(range(5000, 5000 + 20 * 100, 100))
    path = media.make(tmp_path / "s.mkv", codec="mpeg4", pts=pts, time_base=Fraction(1, 1000))
    reader, numbers = read(path)
    assert numbers == list(range(20))
    assert reader.info.start_pts == 5000
    assert reader.timeline.pts.tolist() == pts
    assert reader.timeline.times_s[0] == 0
    assert reader.timeline.times_s[-1] == pytest.approx(1.9)


def test_negative_decoding_times(tmp_path: Path) -> None:
    path = media.make(
        tmp_path / "b.mp4", 20, options={"bf": "3", "x264-params": "b-adapt=0:bframes=3"}
    )
    with av.open(str(path)) as container:
        assert min(p.dts for p in container.demux(video=0) if p.dts is not None) < 0
    reader, numbers = read(path)
    assert numbers == list(range(20))
    assert reader.timeline.times_s == pytest.approx(np.arange(20) / 10)


def test_duplicate_and_backward_stamps_are_estimated(tmp_path: Path) -> None:
    good = media.make(
        tmp_path / "g.mkv",
        10,
        codec="mpeg4",
        fps=10,
        time_base=Fraction(1, 1000),
        pts=list(range(0, 1000, 100)),
    )
    pts = [0, 100, 100, 300, 400, 250, 600, 700, 800, 900]
    bad = media.restamped(good, tmp_path / "bad.mkv", pts, list(range(-20, -10)))
    reader, numbers = read(bad)
    assert numbers == list(range(10))
    times = reader.timeline.times_s
    assert (np.diff(times) > 0).all()
    trusted = [0, 1, 3, 6, 7, 8, 9]
    assert times[trusted] == pytest.approx(np.array(pts)[trusted] / 1000)
    assert any("time stamp" in text for text in reader.warnings)
    with pytest.raises(InputError, match="time stamp"):
        read(bad, strict=True)


def test_missing_stamps_follow_the_declared_rate(tmp_path: Path) -> None:
    path = media.make(tmp_path / "raw.h264", 10, fps=25, format="h264", options={"bf": "0"})
    reader, numbers = read(path)
    assert numbers == list(range(10))
    assert reader.timeline.times_s == pytest.approx(np.arange(10) / 25)


@pytest.mark.parametrize(
    ("stamps", "want"),
    [
        ([0, 10, 20, 30], [0, 10, 20, 30]),
        ([None, None, 20, 30], [0, 10, 20, 30]),
        ([0, None, None, 30], [0, 10, 20, 30]),
        ([0, 10, 10, 20], [0, 10, 15, 20]),
        ([0, 10, 10_000, 30], [0, 10, 20, 30]),  # one stamp far ahead
        ([50, 60, 70, 0, 10, 20], [50, 60, 70, 80, 90, 100]),  # stamps start again
        ([-20, -10, 0, 10], [-20, -10, 0, 10]),
        ([0, 0, 0, 0], [0, 10, 20, 30]),
    ],
)
def test_clock(stamps: list[int | None], want: list[int]) -> None:
    clock = StreamClock(10)
    following = [*stamps[1:], None]
    assert [clock.place(a, b) for a, b in zip(stamps, following, strict=True)] == want
    changed = sum(a != b for a, b in zip(stamps, want, strict=True))
    assert clock.estimated == changed * (clock.tally.count("joined") == 0)


@pytest.mark.parametrize(
    ("settings", "want"),
    [
        ({"start": "5"}, range(5, 20)),
        ({"start": "5", "end": "8"}, range(5, 8)),
        ({"start": "0.5s", "end": "00:00:01.200"}, range(5, 12)),
        ({"start": "0:01", "duration": "0.3s"}, range(10, 13)),
        ({"duration": "4"}, range(4)),
        ({"start": "3", "duration": "0.25s"}, range(3, 6)),
        ({"end": "99s"}, range(20)),
    ],
)
def test_ranges(clip: Path, settings: dict[str, str], want: range) -> None:
    reader, numbers = read(clip, **settings)
    assert numbers == reader.timeline.indices.tolist() == list(want)
    assert reader.timeline.times_s == pytest.approx(np.array(want) / 10)  # still the video's own
    assert reader.timeline.end_s == pytest.approx(want.stop / 10)
    assert reader.expected_samples == pytest.approx(len(want), abs=1)
    assert reader.warnings == []
    shown, _, _ = sample(clip, fps=5.0, **settings)
    assert shown == list(want)[::2]


def test_range_mistakes(clip: Path) -> None:
    assert parse_mark("1:02:03.5", "end") == Mark(seconds=3723.5)
    for settings in (
        {"start": "soon"},
        {"start": "1:75"},
        {"end": "1s", "duration": "1s"},
        {"start": "9", "end": "9"},
        {"duration": "0"},
    ):
        with pytest.raises(UsageError):
            VideoReader(clip, VideoConfig(**settings))
    with pytest.raises(InputError, match="range"):
        read(clip, start="50s")


@pytest.mark.parametrize("size", [(63, 47), (16, 16), (65, 64), (64, 65)])
def test_small_and_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = media.make(tmp_path / "o.mkv", 3, size=size, codec="ffv1", pix_fmt="yuv444p")
    reader, numbers = read(path)
    assert numbers == [0, 1, 2]
    assert (reader.info.width, reader.info.height) == size


def test_too_many_pixels_are_refused_before_decoding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = media.make(tmp_path / "big.mp4", 2, size=(640, 480))
    monkeypatch.setattr(VideoReader, "_decoded", lambda self: pytest.fail("decoded"))
    with pytest.raises(InputError, match="640x480") as caught:
        VideoReader(path, VideoConfig(max_pixels=100_000))
    assert "--max-pixels" in caught.value.hint


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "suffix", "tags"),
    [
        ("libx264", "yuv420p10le", "mp4", {}),
        ("libx264", "yuv420p", "mp4", {"color_range": 2}),
        ("libx264", "yuv420p", "mp4", {"color_range": 1}),
        ("libx264", "yuv444p", "mp4", {}),
        ("libx264", "gray", "mkv", {"color_range": 2}),
        ("ffv1", "gray16le", "mkv", {}),
        ("ffv1", "bgra", "mkv", {}),
        ("ffv1", "yuva420p", "mkv", {}),
        ("mjpeg", "yuvj420p", "avi", {}),
        ("gif", "rgb8", "gif", {}),
    ],
)
def test_pixel_formats(
    tmp_path: Path, codec: str, pix_fmt: str, suffix: str, tags: dict[str, int]
) -> None:
    path = media.make(tmp_path / f"p.{suffix}", 6, codec=codec, pix_fmt=pix_fmt, tags=tags, fps=10)
    with VideoReader(path, VideoConfig()) as reader:
        images = [frame.image for frame in reader.frames()]
    assert [media.number_of(image) for image in images] == list(range(6))
    want = media.numbered(5).astype(int)
    if pix_fmt.startswith("gray"):
        assert int(np.ptp(images[5].astype(int), axis=-1).max()) <= 2
        want = np.repeat((want @ [0.299, 0.587, 0.114])[..., None], 3, axis=-1)
    inner = np.s_[4:20, 1:7], np.s_[4:20, 9:15], np.s_[30:44, 4:28], np.s_[30:44, 36:60]
    tolerance = 16 if codec == "gif" else 5  # a GIF dithers few colours
    for patch in inner:
        difference = images[5][patch].mean(axis=(0, 1)) - want[patch].mean(axis=(0, 1))
        assert np.abs(difference).max() <= tolerance


def test_hdr_is_told(tmp_path: Path) -> None:
    path = media.make(
        tmp_path / "h.mp4",
        3,
        pix_fmt="yuv420p10le",
        tags={"color_trc": 16, "color_primaries": 9, "colorspace": 9},
    )
    reader, numbers = read(path)
    assert numbers == [0, 1, 2]
    assert any("HDR (PQ)" in text for text in reader.warnings)


def test_size_change_is_scaled_and_told(tmp_path: Path) -> None:
    first = media.make(tmp_path / "a.ts", 10, options={"bf": "0"})
    second = media.make(tmp_path / "b.ts", 10, size=(128, 96), options={"bf": "0"})
    joined = tmp_path / "c.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with VideoReader(joined, VideoConfig()) as reader:
        images = [frame.image for frame in reader.frames()]
    assert {image.shape for image in images} == {(48, 64, 3)}
    numbers = [media.number_of(image) for image in images]
    assert numbers[:9] == list(range(9))
    assert numbers[-9:] == list(range(1, 10))
    assert any("128x96" in text for text in reader.warnings)
    assert (np.diff(reader.timeline.times_s) > 0).all()


def test_one_frame(tmp_path: Path) -> None:
    reader, numbers = read(media.make(tmp_path / "one.mp4", 1))
    assert numbers == [0]
    assert reader.timeline.end_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    "name",
    [
        b"caf\xe9\xff.mp4",
        b"line\nbreak.mp4",
        b"-o.mp4",
        b"a:b.mp4",
        b"concat:x|y.mp4",
        b"%03d.mp4",
        b"n" * 250 + b".mp4",
    ],
)
def test_odd_names(clip: Path, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip.with_name(os.fsdecode(name))
    clip.rename(path)
    assert read(path)[1] == list(range(20))
    monkeypatch.chdir(path.parent)
    assert read(Path(path.name))[1] == list(range(20))


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Peak memory of a process that reads a quarter of an hour is that of reading a minute."""
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from cospal_cli.settings import VideoConfig\n"
        "from cospal_cli.video.reader import VideoReader\n"
        "with VideoReader(Path(sys.argv[1]), VideoConfig()) as reader:\n"
        "    count = sum(len(batch) for batch in reader.batches(4))\n"
        "print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    peaks = []
    for minutes in (1, 15):
        path = media.make(
            tmp_path / f"{minutes}.mp4",
            minutes * 600,
            size=(64, 48),
            codec="mpeg4",
            picture=lambda number, size: np.full((*size[::-1], 3), number % 256, np.uint8),
        )
        out = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert int(out[0]) == minutes * 600
        peaks.append(int(out[1]))
    assert peaks[1] - peaks[0] < 15
