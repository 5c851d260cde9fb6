"""The annotated MP4: the source's frames, times and sound, with the boxes where they belong."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.core.tube import Tube
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video.writer import Overlay, write_annotated
from tests import media


def tube(first: int, count: int, box: Sequence[float], **changes: Any) -> Tube:
    """A still box over ``count`` frames of a 10 fps video."""
    at = np.arange(first, first + count)
    return Tube(
        id=1,
        frame_indices=at,
        pts=at,
        times_s=at / 10,
        boxes_xyxy=np.array([box] * count, np.float32),
        box_scores=np.ones(count, np.float32),
        interpolated=np.zeros(count, np.bool_),
        span_s=(first / 10, (first + count) / 10),
        score=0.8,
        **changes,
    )


def write(
    source: Path,
    tubes: Sequence[Tube] = (),
    stopped: Callable[[], bool] = lambda: False,
    **settings: Any,
) -> tuple[Path, bool]:
    target = source.with_name("out.mp4")
    done = write_annotated(
        source,
        target,
        Overlay(tubes, "the red thing"),
        VideoConfig(**settings),
        OutputConfig(crf=1),
        stopped=stopped,
    )
    assert not list(source.parent.glob("*.part"))
    return target, done


def decoded(path: Path) -> tuple[list[Fraction], list[np.ndarray]]:
    """Presentation times in seconds and RGB pictures."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        times = [frame.pts * stream.time_base for frame in frames]
        return times, [frame.to_ndarray(format="rgb24") for frame in frames]


def packets(path: Path, kind: str) -> list[av.Packet]:
    with av.open(str(path)) as container:
        return [p for p in container.demux(**{kind: 0}) if p.dts is not None]


def test_frames_times_and_format(clip: Path) -> None:
    target, done = write(clip)
    assert done
    times, images = decoded(target)
    assert [media.number_of(image) for image in images] == list(range(20))
    assert times == [Fraction(n, 10) for n in range(20)]
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert float(stream.duration * stream.time_base) == pytest.approx(2.0)
    data = target.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it loads


def test_variable_rate_and_late_start_are_kept(tmp_path: Path) -> None:
    pts = [700, 733, 900, 901, 1500, 1540, 2000, 2700]
    source = media.make(
        tmp_path / "v.mkv", 8, fps=30, codec="mpeg4", pts=pts, time_base=Fraction(1, 1000)
    )
    times, images = decoded(write(source)[0])
    assert times == [Fraction(at, 1000) for at in pts]
    assert [media.number_of(image) for image in images] == list(range(8))


def test_a_start_hours_away_is_moved_to_zero(tmp_path: Path) -> None:
    pts = [50_000_000 + 100 * n for n in range(5)]
    source = media.make(tmp_path / "v.mkv", 5, codec="mpeg4", pts=pts, time_base=Fraction(1, 1000))
    assert decoded(write(source)[0])[0] == [Fraction(n, 10) for n in range(5)]


def test_box_is_drawn_in_its_frames_only(tmp_path: Path) -> None:
    gray = lambda number, size: np.full((*size[::-1], 3), 90, np.uint8)  # noqa: E731
    source = media.make(tmp_path / "g.mp4", 12, size=(320, 240), picture=gray)
    other = tube(0, 12, (220, 60, 280, 120))
    _, images = decoded(write(source, [tube(4, 5, (40, 60, 120, 160)), other])[0])
    for number, image in enumerate(images):
        amber = image[100, 41].astype(int)  # two pixels wide, on the left edge
        drawn = amber[0] > 200 and amber[1] > 140 and amber[2] < 90
        assert drawn == (4 <= number < 9)
        assert np.abs(image[110, 80].astype(int) - 90).max() <= 3  # inside: untouched
        blue = image[100, 220].astype(int)
        assert blue[2] > blue[0] + 40  # the second tube, in another colour, throughout
    assert np.abs(images[0][:40].astype(int) - 90).max() <= 3


@pytest.mark.parametrize("start", [0, 30, 50])
@pytest.mark.parametrize("options", [{"bf": "0"}, {"bf": "2"}])
def test_the_last_frame_is_shown_as_long_as_in_the_source(
    tmp_path: Path, start: int, options: dict[str, str]
) -> None:
    """Uneven frames that begin at 0, 3 or 5 s; the range ends before one that is 0.9 s later."""
    pts = [start + at for at in (0, 1, 3, 4, 8, 9, 12, 21, 22)]
    source = media.make(tmp_path / "v.mkv", 9, pts=pts, time_base=Fraction(1, 10), options=options)
    target, _ = write(source, end="7")
    with av.open(str(target)) as container:
        stream = container.streams.video[0]
        assert float(stream.start_time * stream.time_base) == pytest.approx(start / 10)
        shown = [packet for packet in container.demux(stream) if packet.size]
        last = max(shown, key=lambda packet: packet.pts)
        assert float(last.pts * stream.time_base) == pytest.approx(start / 10 + 1.2)
        assert float(container.duration / av.time_base) == pytest.approx(2.1, abs=0.01)


def test_time_line_moves_and_shows_the_span(tmp_path: Path) -> None:
    gray = lambda number, size: np.full((*size[::-1], 3), 90, np.uint8)  # noqa: E731
    source = media.make(tmp_path / "g.mp4", 20, size=(320, 240), picture=gray)
    _, images = decoded(write(source, [tube(10, 10, (40, 60, 120, 160))])[0])
    line = images[0][234].astype(int)
    amber = (line[:, 0] > 180) & (line[:, 2] < 110)
    where = np.flatnonzero(amber)
    assert 155 <= where.min() <= 165  # the span is the second half
    assert 265 <= where.max() <= 300  # then the video's end in letters
    white = [np.flatnonzero(image[232:236].min(axis=(0, 2)) > 200).mean() for image in images]
    assert (np.diff(white) > 0).all()
    assert white[10] == pytest.approx(160, abs=3)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_video_is_written_upright(tmp_path: Path, turn: int) -> None:
    def stored(number: int, size: tuple[int, int]) -> np.ndarray:
        upright = media.numbered(number, size[::-1] if turn != 180 else size)
        return np.ascontiguousarray(np.rot90(upright, -turn // 90))

    source = media.make(
        tmp_path / "r.mp4",
        4,
        size=(128, 64),
        turn=(turn, False, False),
        picture=stored,
        aspect=Fraction(4, 3),
    )
    target, _ = write(source)
    _, images = decoded(target)
    assert images[0].shape == ((64, 128, 3) if turn == 180 else (128, 64, 3))
    assert [media.number_of(image) for image in images] == list(range(4))
    assert media.tint(images[0], 0.25, 0.7) == "red"
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        aspect = container.streams.video[0].sample_aspect_ratio
    assert aspect == (Fraction(4, 3) if turn == 180 else Fraction(3, 4))


@pytest.mark.parametrize("size", [(63, 47), (65, 64), (64, 65), (16, 16)])
def test_odd_sides_are_padded_by_repetition(tmp_path: Path, size: tuple[int, int]) -> None:
    source = media.make(tmp_path / "o.mkv", 3, size=size, codec="ffv1", pix_fmt="yuv444p")
    _, images = decoded(write(source)[0])
    width, height = size
    assert images[0].shape == (height + height % 2, width + width % 2, 3)
    assert [media.number_of(image[:height, :width]) for image in images] == [0, 1, 2]
    if width % 2:
        last = images[2][: height // 2, -2:].astype(int)
        assert np.abs(last[:, 0] - last[:, 1]).max() <= 8


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "tags"),
    [
        ("libx264", "yuv420p10le", {}),
        ("libx264", "yuv420p", {"color_range": 2}),
        ("libx264", "yuv444p", {"colorspace": 1}),
        ("ffv1", "bgra", {}),
    ],
)
def test_colours_survive(tmp_path: Path, codec: str, pix_fmt: str, tags: dict[str, int]) -> None:
    source = media.make(
        tmp_path / "c.mkv", 3, size=(128, 96), codec=codec, pix_fmt=pix_fmt, tags=tags
    )
    _, images = decoded(write(source)[0])
    want = media.numbered(2, (128, 96)).astype(int)
    for patch in (np.s_[8:40, 4:12], np.s_[8:40, 20:28], np.s_[56:80, 8:56], np.s_[56:80, 72:120]):
        difference = images[2][patch].mean(axis=(0, 1)) - want[patch].mean(axis=(0, 1))
        assert np.abs(difference).max() <= 6


def test_intra_only_source_does_not_force_key_frames(tmp_path: Path) -> None:
    source = media.make(tmp_path / "j.avi", 20, codec="mjpeg", pix_fmt="yuvj420p")
    assert sum(p.is_keyframe for p in packets(write(source)[0], "video")) == 1


def test_sound_is_copied_byte_for_byte(tmp_path: Path) -> None:
    source = media.make(tmp_path / "s.mp4", 20, audio="aac")
    target, _ = write(source)
    have, want = packets(target, "audio"), packets(source, "audio")
    assert [bytes(p) for p in have] == [bytes(p) for p in want]
    assert [p.pts * p.time_base for p in have] == [p.pts * p.time_base for p in want]
    times, _ = decoded(target)
    assert times == [Fraction(n, 10) for n in range(20)]


@pytest.mark.parametrize(
    ("suffix", "codec", "sound"),
    [
        ("ts", "libx264", "aac"),  # starts late; its AAC frames carry their own headers
        ("ts", "libx264", "ac3"),
        ("avi", "mpeg4", "libmp3lame"),
        ("flv", "flv", "libmp3lame"),
        ("mkv", "ffv1", "flac"),
    ],
)
def test_containers_of_all_kinds(tmp_path: Path, suffix: str, codec: str, sound: str) -> None:
    source = media.make(tmp_path / f"s.{suffix}", 20, codec=codec, audio=sound)
    target, _ = write(source, strict=True)
    have, want = decoded(target), decoded(source)
    start = want[0][0] if suffix == "ts" else 0  # where its clock begins means nothing
    assert have[0] == [time - start for time in want[0]]  # to the tick, other late starts included
    assert [media.number_of(image) for image in have[1]] == list(range(20))
    heard = packets(target, "audio")
    before = sum(p.pts * p.time_base < start for p in packets(source, "audio"))
    assert before < 3
    assert len(heard) == len(packets(source, "audio")) - before
    assert {len(bytes(p)) for p in heard} != {0}
    with av.open(str(target)) as copy, av.open(str(source)) as origin:
        names = [c.streams.audio[0].codec_context.codec.canonical_name for c in (copy, origin)]
    assert names[0] == names[1]


def test_sound_that_mp4_refuses_becomes_aac(tmp_path: Path) -> None:
    source = media.make(tmp_path / "s.mkv", 20, codec="mpeg4", audio="pcm_s16le")
    target, _ = write(source)
    with av.open(str(target)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        samples = np.concatenate([frame.to_ndarray().ravel() for frame in container.decode(stream)])
    assert len(samples) == pytest.approx(2 * 44100, abs=3000)
    spectrum = np.abs(np.fft.rfft(samples[10_000:54_100]))
    assert np.argmax(spectrum) == pytest.approx(440, abs=2)


def test_a_range_starts_at_zero_with_its_sound(tmp_path: Path) -> None:
    source = media.make(tmp_path / "s.mp4", 40, audio="aac")
    target, done = write(source, start="1s", end="2.5s")
    assert done
    times, images = decoded(target)
    assert [media.number_of(image) for image in images] == list(range(10, 25))
    assert times == [Fraction(n, 10) for n in range(15)]
    heard = [float(p.pts * p.time_base) for p in packets(target, "audio")]
    assert 0 <= heard[0] < 0.03
    assert 1.4 < heard[-1] < 1.5
    copied = {bytes(p) for p in packets(source, "audio")}
    assert all(bytes(p) in copied for p in packets(target, "audio"))


def test_stopping_leaves_a_playable_file(tmp_path: Path) -> None:
    source = media.make(tmp_path / "s.mp4", 40, audio="aac")
    answers = iter([False] * 11 + [True] * 99)
    target, done = write(source, stopped=lambda: next(answers))
    assert not done
    times, images = decoded(target)
    assert [media.number_of(image) for image in images] == list(range(12))
    assert times[-1] == Fraction(11, 10)
    assert packets(target, "audio")[-1].pts / 44100 < 1.2


def test_progress_and_one_frame(tmp_path: Path) -> None:
    calls: list[tuple[str, float, float | None]] = []
    source = media.make(tmp_path / "one.mp4", 1)
    target = tmp_path / "out.mp4"
    write_annotated(
        source,
        target,
        Overlay([tube(0, 1, (4, 4, 40, 20))], ""),
        VideoConfig(),
        OutputConfig(),
        progress=lambda *call: calls.append(call),
    )
    assert calls == [("draw", 1, 1)]
    assert len(decoded(target)[0]) == 1


def test_damaged_source_is_written_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = media.make(tmp_path / "w.mkv", 40, audio="aac", options={"g": "5"})
    target, done = write(media.cut(whole, tmp_path / "cut.mkv", 0.6))
    assert done
    _, images = decoded(target)
    assert [media.number_of(image) for image in images] == list(range(len(images)))
    assert 5 < len(images) < 40


def test_unreadable_source_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    target.write_text("old")
    (tmp_path / "bad.mp4").write_text("no video")
    with pytest.raises(InputError):
        write(tmp_path / "bad.mp4")
    assert target.read_text() == "old"


def test_full_disk_keeps_the_old_file(clip: Path) -> None:
    """The system itself refuses to let the file grow, as a full disk does."""
    target = clip.with_name("out.mp4")
    target.write_text("old")
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from cospal_cli.settings import OutputConfig, VideoConfig\n"
        "from cospal_cli.core.errors import DeviceError\n"
        "from cospal_cli.video.writer import Overlay, write_annotated\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "source, target = map(Path, sys.argv[1:])\n"
        "try:\n"
        "    output = OutputConfig(crf=0)\n"
        "    write_annotated(source, target, Overlay([], 'x'), VideoConfig(), output)\n"
        "except DeviceError as error:\n"
        "    sys.exit(f'told: {error.message}')\n"
    )
    assert clip.stat().st_size > 3000
    assert resource.getrlimit(resource.RLIMIT_FSIZE)
    ran = subprocess.run(
        [sys.executable, "-c", code, str(clip), str(target)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "told: no space left" in ran.stderr, ran.stderr
    assert target.read_text() == "old"
    assert sorted(os.listdir(clip.parent)) == [clip.name, "out.mp4"]
