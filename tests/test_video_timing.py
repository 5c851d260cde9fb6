"""Time stamps: each row of the table in ``video.timing``, on real files and on bare numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.core.frames import Timeline
from cospal_cli.settings import VideoConfig
from cospal_cli.video.reader import VideoReader
from cospal_cli.video.timing import StreamClock, ordered
from tests import media

B_FRAMES = {"bf": "3", "x264-params": "b-adapt=0:bframes=3:b-pyramid=none"}
PYRAMID = {"bf": "3", "x264-params": "b-adapt=0:bframes=3"}
LONG = {"bf": "16", "x264-params": "b-adapt=0:bframes=16:keyint=60"}
SMALL = {"size": (32, 16), "fps": 25}


def read(path: Path, **settings: object) -> tuple[Timeline, list[int], float | None]:
    """The time line, the numbers that the frames show, and the declared seconds."""
    with VideoReader(path, VideoConfig(**settings)) as reader:
        numbers = [media.number_of(frame.image) for frame in reader.frames()]
        return reader.timeline, numbers, reader.info.duration_s


def rules(timeline: Timeline) -> dict[str, int]:
    return {rule.rule: rule.count for rule in timeline.rules}


def restamped(source: Path, target: Path, stamp: Callable[[int], int]) -> Path:
    """The packets of ``source`` in decoding order, the n-th shown at ``stamp(n)`` ms."""
    with av.open(str(source)) as inp, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(inp.streams.video[0])
        packets = [p for p in inp.demux(video=0) if p.size]
        stamps = [stamp(number) for number in range(len(packets))]
        behind = min(0, *(pts - 40 * number for number, pts in enumerate(stamps)))
        for number, packet in enumerate(packets):
            packet.time_base = Fraction(1, 1000)
            packet.pts, packet.dts = stamps[number], 40 * number + behind
            packet.stream = stream
            out.mux(packet)
    return target


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 frames at 25 a second, no B-frames."""
    path = tmp_path_factory.mktemp("plain") / "plain.mkv"
    return media.make(path, 60, options={"bf": "0"}, **SMALL)


@pytest.mark.parametrize("options", [B_FRAMES, PYRAMID, LONG], ids=["plain", "pyramid", "long"])
def test_b_frames_in_avi(tmp_path: Path, options: dict[str, str]) -> None:
    """AVI has no presentation stamps: H.264 comes with those of decoding, permuted."""
    path = media.make(tmp_path / "b.avi", 100, options=options, **SMALL)
    timeline, numbers, declared = read(path, strict=True)
    assert numbers == list(range(100))
    assert timeline.times_s == pytest.approx(np.arange(100) / 25)
    assert timeline.end_s == declared == pytest.approx(4.0)
    assert set(rules(timeline)) == {"permuted"}
    assert not timeline.warnings
    assert not timeline.damaged


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "flv", "ts"])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_decoding_order_as_presentation_stamps(tmp_path: Path, suffix: str, codec: str) -> None:
    if codec == "libx265":
        options = {"x265-params": "bframes=4:b-adapt=0:log-level=none"}
    else:
        options = PYRAMID
    good = media.make(tmp_path / "g.mkv", 50, codec=codec, options=options, size=(64, 48), fps=25)
    bad = restamped(good, tmp_path / f"bad.{suffix}", lambda n: 40 * n)
    timeline, numbers, _ = read(bad)
    assert numbers == list(range(50))
    assert timeline.times_s == pytest.approx(np.arange(50) / 25, abs=0.001)
    assert set(rules(timeline)) == {"permuted"}


@pytest.mark.parametrize("pattern", [(1, 0), (0, 2, 3, 4, 1), (3, 1, 2, 0), (15, *range(15))])
def test_permuted_without_b_frames(tmp_path: Path, plain: Path, pattern: tuple[int, ...]) -> None:
    size = len(pattern)
    stamps = [40 * (n // size * size + pattern[n % size]) for n in range(60)]
    path = restamped(plain, tmp_path / "p.mkv", lambda n: stamps[n])
    timeline, numbers, _ = read(path)
    assert numbers == list(range(60))
    assert timeline.times_s == pytest.approx(np.sort(stamps) / 1000)
    assert set(rules(timeline)) == {"permuted"}
    assert not timeline.damaged


@pytest.mark.parametrize("codec", ["mpeg4", "mpeg2video"])
@pytest.mark.parametrize("suffix", ["avi", "mkv", "mp4"])
def test_b_frames_with_good_stamps_are_left_alone(tmp_path: Path, codec: str, suffix: str) -> None:
    path = media.make(tmp_path / f"b.{suffix}", 50, codec=codec, options={"bf": "2"}, **SMALL)
    timeline, numbers, _ = read(path, strict=True)
    assert numbers == list(range(50))
    assert timeline.times_s == pytest.approx(np.arange(50) / 25)
    assert timeline.rules == ()


def test_an_adaptive_start_without_b_frames_is_left_alone(tmp_path: Path) -> None:
    """The first second is still, so that the encoder uses its B-frames late, if at all."""
    path = media.make(
        tmp_path / "a.mp4",
        60,
        picture=lambda n, size: media.numbered(max(0, n - 25), size),
        **SMALL,
    )
    timeline, _, _ = read(path, strict=True)
    assert timeline.times_s == pytest.approx(np.arange(60) / 25)
    assert timeline.rules == ()


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("suffix", ["ts", "vob"])
def test_joined_recordings_are_carried_on(tmp_path: Path, suffix: str, times: int) -> None:
    codec = "libx264" if suffix == "ts" else "mpeg2video"
    part = media.make(tmp_path / f"p.{suffix}", 20, codec=codec, options={"bf": "2"}, fps=25)
    timeline, numbers, _ = read(
        media.joined(tmp_path / f"j.{suffix}", *[part] * times), strict=True
    )
    assert numbers == list(range(20)) * times
    assert timeline.times_s == pytest.approx(np.arange(20 * times) / 25, abs=1e-4)
    assert rules(timeline) == {"joined": times - 1}
    assert timeline.rules[0].first_s == pytest.approx(0.8)
    assert sum("start again" in text for text in timeline.warnings) == 1
    assert not timeline.damaged


def test_joined_with_a_much_earlier_recording(tmp_path: Path, plain: Path) -> None:
    """FFmpeg takes the fall by an hour for an overflow of 26.5 hours."""
    parts = [
        restamped(plain, tmp_path / f"{begin}.ts", lambda n, begin=begin: begin * 1000 + 40 * n)
        for begin in (5000, 10)
    ]
    timeline, _, _ = read(media.joined(tmp_path / "j.ts", *parts))
    assert timeline.times_s == pytest.approx(np.arange(120) / 25, abs=1e-4)
    assert rules(timeline) == {"joined": 1}
    assert not timeline.damaged


@pytest.mark.parametrize("begin_s", [95441, 95443])
def test_a_33_bit_counter_overflows(tmp_path: Path, plain: Path, begin_s: int) -> None:
    path = restamped(plain, tmp_path / "w.ts", lambda n: begin_s * 1000 + 40 * n)
    timeline, numbers, _ = read(path, strict=True)
    assert numbers == list(range(60))
    assert timeline.times_s == pytest.approx(np.arange(60) / 25, abs=1e-4)


def test_a_gap_is_kept_and_told(tmp_path: Path, plain: Path) -> None:
    path = restamped(plain, tmp_path / "g.mkv", lambda n: 40 * n + 3_600_000 * (n >= 30))
    timeline, _, _ = read(path)
    assert timeline.times_s[29] == pytest.approx(1.16)
    assert timeline.times_s[30] == pytest.approx(3601.2)
    assert [(r.rule, r.count, r.first_s) for r in timeline.rules] == [
        ("gap", 1, pytest.approx(1.16))
    ]
    assert any("jump ahead at 1.16 s, by up to 3600.04 s" in text for text in timeline.warnings)
    assert not timeline.damaged


@pytest.mark.parametrize(
    ("stamp", "rule"),
    [
        (lambda n: 40 * (n - 10 if n == 30 else n), "backward"),
        (lambda n: 40 * (29 if n == 30 else n), "duplicate"),
        (lambda n: 40 * n + 3_600_000 * (n == 30), "ahead"),
    ],
    ids=["backward", "duplicate", "ahead"],
)
def test_a_single_wrong_stamp_is_estimated(
    tmp_path: Path, plain: Path, stamp: Callable[[int], int], rule: str
) -> None:
    path = restamped(plain, tmp_path / "s.mkv", stamp)
    timeline, _, _ = read(path)
    assert timeline.times_s == pytest.approx(np.arange(60) / 25)
    assert rules(timeline) == {rule: 1}
    assert any("1 frame had no usable time stamp" in text for text in timeline.warnings)
    with pytest.raises(InputError, match="damaged"):
        read(path, strict=True)


def test_no_stamps_at_all(tmp_path: Path) -> None:
    path = media.make(tmp_path / "raw.h264", 30, format="h264", options=PYRAMID, **SMALL)
    timeline, numbers, _ = read(path)
    assert numbers == list(range(30))
    assert timeline.times_s == pytest.approx(np.arange(30) / 25)
    assert rules(timeline) == {"missing": 30}
    assert "no time stamp" in " ".join(timeline.warnings)
    assert not timeline.damaged


def test_stamps_beyond_exact_numbers_are_counted_from_the_first(
    tmp_path: Path, plain: Path
) -> None:
    path = restamped(plain, tmp_path / "h.nut", lambda n: 2**55 + 40 * n)
    timeline, _, _ = read(path)
    assert timeline.pts[0] == 0
    assert timeline.times_s == pytest.approx(np.arange(60) / 25)
    assert rules(timeline) == {"huge": 1}


def test_a_time_line_that_outgrows_the_header_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = media.make(tmp_path / "a.mkv", 100, **SMALL)
    data = path.read_bytes()
    mark = b"DURATION\x44\x87"  # the tag's name, and the id of its text
    assert data.count(b"00:00:04.000") == 1
    path.write_bytes(data.replace(b"00:00:04.000", b"00:00:02.100"))
    assert mark in data
    timeline, _, declared = read(path)
    assert declared == pytest.approx(2.1)
    assert timeline.end_s == pytest.approx(4.0)
    assert any("4.00 s, the header says 2.10 s" in text for text in timeline.warnings)
    with pytest.raises(InputError, match="header"):
        read(path, strict=True)


W = 2**33
HUGE = 2**54


@pytest.mark.parametrize(
    ("stamps", "want", "found"),
    [
        ([W - 20, W - 10, 0, 10], [W - 20, W - 10, W, W + 10], {"wrapped": 1}),
        ([0, 10, W - 10, 20], [0, 10, 15, 20], {"backward": 1}),
        ([HUGE, HUGE + 10, HUGE + 20], [0, 10, 20], {"huge": 1}),
        ([HUGE, 10, 20, 30], [0, 10, 20, 30], {"missing": 1}),
        ([0, 10, HUGE, 30], [0, 10, 20, 30], {"missing": 1}),
        ([-30, -20, -10, 0], [-30, -20, -10, 0], {}),
        ([0, 0, 0, 0, 10, 40], [0, 10, 20, 30, 35, 40], {"duplicate": 3, "backward": 1}),
        ([50, 60, 70, 0, 10, 20, 0, 10], [50, 60, 70, 80, 90, 100, 110, 120], {"joined": 2}),
        ([50, 60, 70, 0], [50, 60, 70, 80], {"backward": 1}),
        ([0, 10, 20, 5000, 5010], [0, 10, 20, 5000, 5010], {"gap": 1}),
    ],
)
def test_clock(stamps: list[int | None], want: list[int], found: dict[str, int]) -> None:
    clock = StreamClock(10, Fraction(1, 100), wraps=True)
    following = [*stamps[1:], None]
    placed = [clock.place(a, b) for a, b in zip(stamps, following, strict=True)]
    assert (np.diff(placed) > 0).all()
    assert placed == want
    assert {rule.rule: rule.count for rule in clock.tally.rules} == found


@pytest.mark.parametrize(
    ("stamps", "want"),
    [
        ([0, 20, 30, 10, 40, 60, 50], [0, 10, 20, 30, 40, 50, 60]),
        ([0, 10, 20, 5, 40, 50, 60], [0, 10, 20, 5, 40, 50, 60]),  # one wrong stamp
        ([0, 10, 20, 20, 40, 50, 60], [0, 10, 20, 20, 40, 50, 60]),
        ([0, None, 10, 30, 20, 40], [0, None, 10, 20, 30, 40]),
        ([0, 10, 20, 5000, 30, 40], [0, 10, 20, 5000, 30, 40]),
    ],
)
def test_only_an_even_order_is_restored(stamps: list[int | None], want: list[int | None]) -> None:
    items = [(stamp, number) for number, stamp in enumerate(stamps)]
    out = list(ordered(items, lambda: True, lambda: False, 10))
    assert [stamp for stamp, _, _ in out] == want
    assert [number for _, number, _ in out] == list(range(len(stamps)))
    assert [changed for _, _, changed in out] == [a != b for a, b in zip(stamps, want, strict=True)]
