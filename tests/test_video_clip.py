"""The moment cut out: its frames and no others, its sound to the sample, and what browsers play."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cospal_cli.core.errors import InputError, UsageError
from cospal_cli.core.tube import Tube
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video.clip import write_clip, write_crop
from cospal_cli.video.copy_clip import write_copy
from cospal_cli.video.moment import Moment
from cospal_cli.video.reader import VideoReader
from tests import media

RATE = 44100
CLICKS_S = (0.55, 1.3, 2.0, 2.75, 3.1)


def tube_of(source: Path, first: int, stop: int, box: Sequence[float] = (8, 8, 24, 40)) -> Tube:
    """A still box over the frames ``first`` to before ``stop`` of a real file."""
    with VideoReader(source, VideoConfig()) as reader:
        for _ in reader.frames():
            pass
        line = reader.timeline
    times = np.append(line.times_s, line.end_s)
    count = stop - first
    return Tube(
        id=1,
        frame_indices=line.indices[first:stop],
        pts=line.pts[first:stop],
        times_s=line.times_s[first:stop],
        boxes_xyxy=np.array([box] * count, np.float32),
        box_scores=np.ones(count, np.float32),
        interpolated=np.zeros(count, np.bool_),
        span_s=(float(times[first]), float(times[stop])),
        score=0.8,
    )


def opened(path: Path) -> VideoReader:
    return VideoReader(path, VideoConfig())


def shown(path: Path, turns: int = 0) -> list[tuple[float, int]]:
    """(seconds, the number in the picture) of every frame, as players show it.

    ``turns``: quarter turns counter-clockwise that make the picture upright.
    """
    with opened(path) as reader:
        assert not reader.warnings
        return [
            (
                float(frame.pts * reader.info.time_base),
                media.number_of(np.rot90(frame.image, turns)),
            )
            for frame in reader.frames()
        ]


def heard(path: Path) -> np.ndarray:
    """The sound from 0 on, as players play it; silence where there is none. Mono, -1 to 1."""
    sound = np.zeros(RATE * 60, np.float32)
    end = 0
    with av.open(str(path)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        for frame in container.decode(audio=0):
            start = round(frame.time * RATE)
            for part in resampler.resample(frame):
                samples = part.to_ndarray()[0]
                samples = samples[max(0, -start) :]
                start = max(0, start)
                sound[start : start + len(samples)] = samples
                start += len(samples)
                end = max(end, start)
    return sound[:end]


def clicks(sound: np.ndarray) -> list[float]:
    """Seconds of the loud places, each once."""
    loud = np.flatnonzero(np.abs(sound) > 0.3) / RATE
    return [float(at) for n, at in enumerate(loud) if n == 0 or at - loud[n - 1] > 0.1]


def with_clicks(
    source: Path, target: Path, codec: str, rate: int = RATE, late_s: float = 0
) -> Path:
    """``source`` with a sound track that clicks at ``CLICKS_S`` of the video's time."""
    track = np.zeros(int(rate * 4), np.float32)
    for at_s in CLICKS_S:
        track[int(at_s * rate) : int((at_s + 0.004) * rate)] = 0.9
    with av.open(str(source)) as inp, av.open(str(target), "w") as out:
        pictures = out.add_stream_from_template(inp.streams.video[0])
        stream = out.add_stream(codec, rate=rate, layout="mono")
        for packet in inp.demux(video=0):
            if packet.dts is not None:
                packet.stream = pictures
                out.mux(packet)
        for start in range(0, len(track), 1024):
            chunk = (track[None, start : start + 1024] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(chunk, "s16", "mono")
            frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
            frame.pts = start + int(late_s * rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return target


def late(path: Path) -> Path:
    return media.make(path, 40, pts=range(50, 90), time_base=Fraction(1, 10))


UNEVEN = [0, 40, 70, 150, 160, 200, 330, 340, 380, 400, 470, 500, 520, 610, 640, 700, 760, 790, 850]
SOURCES: dict[str, Callable[[Path], Path]] = {
    "plain": lambda folder: media.make(folder / "v.mp4", 40),
    "uneven": lambda folder: media.make(
        folder / "v.mp4", len(UNEVEN), pts=UNEVEN, time_base=Fraction(1, 100)
    ),
    "turned": lambda folder: media.make(folder / "v.mp4", 40, turn=(-90, False, False)),
    "late": lambda folder: late(folder / "v.mp4"),
    "late mkv": lambda folder: late(folder / "v.mkv"),
    "odd": lambda folder: media.make(folder / "v.mkv", 40, size=(63, 47), codec="ffv1"),
    "keys": lambda folder: media.make(folder / "v.mp4", 40, options={"g": "7", "bf": "2"}),
    "ts": lambda folder: media.make(folder / "v.ts", 40, fps=25),
}


def moment(source: Path, first: int, stop: int, straight: bool = True, **changes: Any) -> Moment:
    return Moment(source, tube_of(source, first, stop, **changes), straight=straight)


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize("kind", SOURCES)
def test_the_first_and_last_frames_are_the_spans(tmp_path: Path, kind: str, straight: bool) -> None:
    source = SOURCES[kind](tmp_path)
    wanted = moment(source, 6, 15, straight)
    written = write_clip(wanted, tmp_path / "clip.mp4", output=OutputConfig(crf=1))
    assert written.complete
    assert not written.warnings
    assert written.span_s == pytest.approx(wanted.tube.span_s, abs=1e-5)
    frames = shown(tmp_path / "clip.mp4", kind == "turned")
    assert [number for _, number in frames] == list(range(6, 15))
    times = wanted.tube.times_s - wanted.tube.times_s[0]
    assert [at_s for at_s, _ in frames] == pytest.approx(times.tolist(), abs=1.1e-3)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        length_s = written.span_s[1] - written.span_s[0]
        assert float(container.duration / av.time_base) == pytest.approx(length_s, abs=0.002)
    data = (tmp_path / "clip.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays while it loads


@pytest.mark.parametrize(
    ("pad", "first", "last"), [("3", 7, 22), ("0.3s", 7, 22), ("00:00.5", 5, 24), ("99s", 0, 39)]
)
@pytest.mark.parametrize("straight", [True, False])
def test_pad_is_more_before_and_after(
    tmp_path: Path, pad: str, first: int, last: int, straight: bool
) -> None:
    source = media.make(tmp_path / "v.mp4", 40, options={"g": "5"})
    write_clip(moment(source, 10, 20, straight), tmp_path / "clip.mp4", pad)
    numbers = [number for _, number in shown(tmp_path / "clip.mp4")]
    assert numbers == list(range(first, last + 1))


def test_a_pad_that_is_no_length_is_refused(tmp_path: Path) -> None:
    source = media.make(tmp_path / "v.mp4")
    with pytest.raises(UsageError, match="--pad 'much'"):
        write_clip(moment(source, 2, 5), tmp_path / "clip.mp4", "much")
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize("straight", [True, False])
@pytest.mark.parametrize(
    ("suffix", "codec", "rate"),
    [
        (".mkv", "pcm_s16le", RATE),
        (".mp4", "aac", RATE),
        (".mp4", "aac", 16000),
        (".mkv", "libopus", 48000),
        (".mkv", "flac", 96000),
        (".mp4", "libmp3lame", 22050),
        (".ts", "aac", 48000),
    ],
)
def test_sound_is_where_the_pictures_are(
    tmp_path: Path, suffix: str, codec: str, rate: int, straight: bool
) -> None:
    bare = media.make(tmp_path / "bare.mp4", 100, fps=25, options={"g": "12"})
    source = with_clicks(bare, tmp_path / f"v{suffix}", codec, rate)
    wanted = moment(source, 25, 73, straight)  # 1.00 to 2.92 s
    written = write_clip(wanted, tmp_path / "clip.mp4")
    assert not written.warnings
    begin_s = wanted.tube.span_s[0]
    sound = heard(tmp_path / "clip.mp4")
    with opened(source) as reader:
        begin_s += float(reader.info.start_pts * reader.info.time_base)
    before = clicks(heard(source))  # what the source's own codec makes of them
    kept = [at_s - begin_s for at_s in before if 1.1 < at_s < 2.9]
    assert clicks(sound) == pytest.approx(kept, abs=0.005)
    assert len(kept) == 3
    with av.open(str(tmp_path / "clip.mp4")) as container:
        track = container.streams.audio[0]
        assert float(track.duration * track.time_base) == pytest.approx(1.92, abs=0.001)
    assert len(sound) / RATE == pytest.approx(1.92, abs=0.07)  # the last packet is whole


def test_sound_that_ends_early_or_begins_late_leaves_the_rest_in_place(tmp_path: Path) -> None:
    bare = media.make(tmp_path / "bare.mp4", 60, fps=10)
    source = with_clicks(bare, tmp_path / "v.mp4", "aac", late_s=1.5)
    write_clip(moment(source, 10, 60), tmp_path / "clip.mp4")
    expected = [at_s + 0.5 for at_s in CLICKS_S]
    assert clicks(heard(tmp_path / "clip.mp4")) == pytest.approx(expected, abs=0.01)
    write_clip(moment(source, 57, 60), tmp_path / "end.mp4")
    assert [number for _, number in shown(tmp_path / "end.mp4")] == [57, 58, 59]


def test_a_late_start_counts_for_the_sound_too(tmp_path: Path) -> None:
    """Both streams begin at 5 s."""
    bare = late(tmp_path / "bare.mkv")
    source = with_clicks(bare, tmp_path / "v.mkv", "pcm_s16le", late_s=5)
    write_clip(moment(source, 10, 30), tmp_path / "clip.mp4")
    expected = [at_s - 1 for at_s in CLICKS_S if 1 < at_s < 3]
    assert clicks(heard(tmp_path / "clip.mp4")) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("kind", ["plain", "uneven", "turned", "late", "late mkv", "keys", "ts"])
def test_a_copy_begins_at_the_key_frame_before(tmp_path: Path, kind: str) -> None:
    source = SOURCES[kind](tmp_path)
    wanted = moment(source, 9, 16)
    written = write_copy(wanted, tmp_path / "clip.mp4")
    frames = shown(tmp_path / "clip.mp4", kind == "turned")
    numbers = [number for _, number in frames]
    assert set(range(9, 16)) <= set(numbers)
    assert numbers == sorted(numbers)
    whole = tube_of(source, 0, 18)
    first = numbers[0]
    assert written.span_s[0] == pytest.approx(whole.times_s[first], abs=1e-6)
    assert first == (7 if kind == "keys" else 0)
    assert numbers[-1] <= 18
    assert frames[0][0] == pytest.approx(0, abs=1e-6)
    with opened(source) as old, opened(tmp_path / "clip.mp4") as new:
        assert old.info.rotation == new.info.rotation
        pairs = zip(old.frames(), new.frames(), strict=False)
        if first == 0:
            assert all((a.image == b.image).all() for a, b in pairs)


def test_a_copy_keeps_the_sound_beside_the_pictures(tmp_path: Path) -> None:
    bare = media.make(tmp_path / "bare.mp4", 100, fps=25, options={"g": "10"})
    source = with_clicks(bare, tmp_path / "v.mp4", "aac")
    written = write_copy(moment(source, 35, 73), tmp_path / "clip.mp4")
    assert written.span_s[0] == pytest.approx(1.2)  # frame 30
    kept = [at_s - 1.2 for at_s in clicks(heard(source)) if 1.25 < at_s < 2.9]
    assert clicks(heard(tmp_path / "clip.mp4")) == pytest.approx(kept, abs=0.005)


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "mpeg4", "libsvtav1"])
def test_other_codecs_can_be_copied_too(tmp_path: Path, codec: str) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"no {codec} here")
    quick = {"libx265": {"x265-params": "log-level=none:keyint=10"}, "mpeg4": {"g": "10"}}
    options = quick.get(codec, {"g": "10"})
    source = media.make(tmp_path / "v.mkv", 40, size=(128, 96), codec=codec, options=options)
    written = write_copy(moment(source, 15, 22), tmp_path / "clip.mp4")
    numbers = [number for _, number in shown(tmp_path / "clip.mp4")]
    assert set(range(15, 22)) <= set(numbers)
    assert numbers[0] == round(written.span_s[0] * 10)
    assert len(numbers) <= 25


@pytest.mark.parametrize(("codec", "suffix"), [("ffv1", ".mkv"), ("mjpeg", ".avi")])
def test_what_cannot_be_copied_is_refused(tmp_path: Path, codec: str, suffix: str) -> None:
    form = {"pix_fmt": "yuvj420p"} if codec == "mjpeg" else {}
    source = media.make(tmp_path / f"v{suffix}", codec=codec, **form)
    with pytest.raises(InputError, match=f"{codec} video cannot be copied") as caught:
        write_copy(moment(source, 2, 5), tmp_path / "clip.mp4")
    assert "--clip" in str(caught.value.hint)
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name]


def test_an_interrupted_clip_is_short_and_whole(tmp_path: Path) -> None:
    source = media.make(tmp_path / "v.mp4", 40)
    calls = iter([False, False, True])
    written = write_clip(
        moment(source, 5, 30), tmp_path / "clip.mp4", stopped=lambda: next(calls, True)
    )
    assert not written
    assert [number for _, number in shown(tmp_path / "clip.mp4")] == [5, 6, 7]


def test_pictures_can_be_cut_too(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "shots").mkdir()
    for number in range(20):
        Image.fromarray(media.numbered(number)).save(tmp_path / "shots" / f"{number:03}.png")
    wanted = moment(tmp_path / "shots", 4, 9)
    write_clip(wanted, tmp_path / "clip.mp4")
    assert [number for _, number in shown(tmp_path / "clip.mp4")] == [4, 5, 6, 7, 8]
    with pytest.raises(InputError, match="cannot be copied"):
        write_copy(wanted, tmp_path / "copy.mp4")


def test_a_crop_shows_what_its_window_holds(tmp_path: Path) -> None:
    """The red half of a turned video is its own place, not that of the stored frame."""
    source = media.make(tmp_path / "v.mp4", 20, size=(320, 240), turn=(-90, False, False))
    boxes = (60, 200, 100, 260)  # of the displayed 240 x 320
    wanted = moment(source, 5, 12, box=boxes)
    write_crop(wanted, tmp_path / "crop.mp4", output=OutputConfig(crf=1))
    with VideoReader(source, VideoConfig(start="5", end="12")) as whole:
        frames = [frame.image for frame in whole.frames()]
    with VideoReader(tmp_path / "crop.mp4", VideoConfig()) as reader:
        crops = [frame.image for frame in reader.frames()]
    assert len(crops) == len(frames) == 7
    height, width = crops[0].shape[:2]
    assert width % 2 == height % 2 == 0
    left, top = round(80 - width / 2), round(230 - height / 2)
    for crop, frame in zip(crops, frames, strict=True):
        part = frame[top : top + height, left : left + width].astype(int)
        assert np.abs(crop.astype(int) - part).mean() < 12


def test_an_unchanged_place_is_found_by_searching_or_by_counting(tmp_path: Path) -> None:
    """Both ways to the moment give the same bytes of picture."""
    source = media.make(tmp_path / "v.mp4", 60, options={"g": "9", "bf": "2"})
    for straight, name in ((True, "a.mp4"), (False, "b.mp4")):
        write_clip(moment(source, 31, 44, straight), tmp_path / name)
    with opened(tmp_path / "a.mp4") as a, opened(tmp_path / "b.mp4") as b:
        pairs = list(zip(a.frames(), b.frames(), strict=True))
        assert len(pairs) == 13
        assert all((one.image == other.image).all() for one, other in pairs)
