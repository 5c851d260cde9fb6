"""The annotated MP4's sound: joined, damaged, of any form; it never takes the pictures with it."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cospal_cli.core.errors import DeviceError
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video import audio
from cospal_cli.video.writer import Overlay, Written, write_annotated
from tests import media


def write(source: Path, **settings: object) -> tuple[Path, Written]:
    target = source.with_name("out.mp4")
    return target, write_annotated(
        source, target, Overlay([], ""), VideoConfig(**settings), OutputConfig(crf=1)
    )


def times(path: Path, kind: str) -> np.ndarray:
    """When each packet is presented, in order, in seconds."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(**{kind: 0}) if p.size]
        return np.sort([float(p.pts * p.time_base) for p in packets])


def numbers(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [media.number_of(frame.to_ndarray(format="rgb24")) for frame in frames]


def with_sound(
    path: Path, codec: str, rate: int, layout: str, *, video: str = "mpeg4", frames: int = 25
) -> Path:
    """A second or so of video at 25 a second and a tone as long."""
    with av.open(str(path), "w") as out:
        pictures = out.add_stream(video, rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream(codec, rate=rate, layout=layout)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(media.numbered(number), "rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode(None))
        channels = sound.codec_context.layout.nb_channels
        tone = np.sin(np.arange(rate * frames // 25) * (2 * np.pi * 440 / rate)) * 8000
        samples = np.repeat(tone.astype(np.int16), channels)[None]
        for start in range(0, samples.shape[1], 1024 * channels):
            part = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, start : start + 1024 * channels]), "s16", layout
            )
            part.sample_rate, part.pts = rate, start // channels
            part.time_base = Fraction(1, rate)
            out.mux(sound.encode(part))
        out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    ("suffix", "video", "sound"),
    [
        ("ts", "libx264", "aac"),
        ("ts", "mpeg2video", "ac3"),
        ("ts", "libx264", "mp2"),  # becomes AAC
        ("vob", "mpeg2video", "mp2"),
    ],
)
def test_joined_recordings_keep_all_their_sound(
    tmp_path: Path, suffix: str, video: str, sound: str, count: int
) -> None:
    one = media.make(tmp_path / f"p.{suffix}", 50, codec=video, fps=25, audio=sound)
    target, written = write(media.joined(tmp_path / f"j.{suffix}", *[one] * count), strict=True)
    assert written
    assert written.warnings == ()
    shown, heard = times(target, "video"), times(target, "audio")
    assert shown == pytest.approx(np.arange(50 * count) / 25, abs=1e-4)
    assert heard[0] == pytest.approx(0, abs=0.05)
    assert heard[-1] == pytest.approx(2 * count, abs=0.1)
    assert np.diff(heard).max() < 0.1


def test_sound_stays_with_its_recording(tmp_path: Path) -> None:
    """Of joined recordings only some have sound."""
    loud = with_sound(tmp_path / "loud.ts", "aac", 44100, "mono", video="libx264", frames=50)
    still = media.make(tmp_path / "still.ts", 50, fps=25)
    both, _ = write(media.joined(tmp_path / "a.ts", loud, still, loud))
    assert times(both, "video") == pytest.approx(np.arange(150) / 25, abs=1e-4)
    heard = times(both, "audio")
    assert ((heard < 2.1) | (heard > 3.9)).all()
    assert (heard > 3.9).sum() == pytest.approx((heard < 2.1).sum(), abs=3)


def test_sound_whose_form_the_file_s_head_does_not_tell_is_told(tmp_path: Path) -> None:
    loud = with_sound(tmp_path / "loud.ts", "aac", 44100, "mono", video="libx264", frames=50)
    still = media.make(tmp_path / "still.ts", 50, fps=25)
    target, written = write(media.joined(tmp_path / "j.ts", still, loud))
    assert times(target, "video") == pytest.approx(np.arange(100) / 25, abs=1e-4)
    assert "sound left out: 1 track" in " ".join(written.warnings)


def test_a_gap_is_the_same_for_the_sound(tmp_path: Path) -> None:
    one = with_sound(tmp_path / "a.ts", "aac", 44100, "mono", video="libx264")
    later = tmp_path / "later.ts"
    with av.open(str(one)) as inp, av.open(str(later), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in inp.streams}
        for packet in inp.demux():
            if packet.size:
                ticks = 30 / packet.time_base
                packet.stream = streams[packet.stream_index]
                packet.pts, packet.dts = packet.pts + int(ticks), packet.dts + int(ticks)
                out.mux(packet)
    target, written = write(media.joined(tmp_path / "j.ts", one, later))
    assert written.warnings == ()
    for kind in ("video", "audio"):
        at = times(target, kind)
        assert at[-1] == pytest.approx(31, abs=0.1)
        assert ((at < 1.1) | (at > 29.9)).all()


@pytest.mark.parametrize(
    ("name", "codec", "rate", "layout"),
    [
        ("a.mkv", "pcm_s16le", 37800, "stereo"),  # rates that AAC lacks
        ("a.mkv", "pcm_s16le", 4000, "mono"),
        ("a.mkv", "pcm_s24le", 192000, "stereo"),
        ("a.mkv", "pcm_s16le", 48000, "5.1"),
        ("a.mkv", "pcm_s16le", 48000, "octagonal"),
        ("a.avi", "pcm_u8", 11025, "mono"),
        ("a.avi", "adpcm_ms", 22050, "mono"),
        ("a.mov", "alac", 44100, "stereo"),
        ("a.mkv", "flac", 96000, "stereo"),
        ("a.mkv", "eac3", 48000, "5.1"),
        ("a.nut", "aac", 44100, "mono"),
    ],
)
def test_every_form_of_sound(tmp_path: Path, name: str, codec: str, rate: int, layout: str) -> None:
    target, written = write(with_sound(tmp_path / name, codec, rate, layout))
    assert written.warnings == ()
    assert numbers(target) == list(range(25))
    heard = times(target, "audio")
    assert heard[-1] == pytest.approx(1, abs=0.15)


def adts_headers(data: bytes) -> list[int]:
    """Where AAC frames begin in a transport stream."""
    return [i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] & 0xF6 == 0xF0]


@pytest.mark.parametrize("part", range(1, 10, 2))
def test_one_damaged_byte_of_sound_costs_no_picture(tmp_path: Path, part: int) -> None:
    source = with_sound(tmp_path / "a.ts", "aac", 44100, "mono", video="libx264")
    data = bytearray(source.read_bytes())
    found = adts_headers(data)
    data[found[len(found) * part // 10] + 1] ^= 0xF0
    source.write_bytes(data)
    target, written = write(source)
    assert written
    assert numbers(target) == list(range(25))
    whole = 1 + 44100 // 1024
    assert len(times(target, "audio")) >= whole - 5 or "left out" in " ".join(written.warnings)


def test_a_packet_out_of_order_is_left_out_and_told(tmp_path: Path) -> None:
    source = with_sound(tmp_path / "a.mkv", "aac", 44100, "stereo")
    with av.open(str(source)) as inp, av.open(str(tmp_path / "bad.mkv"), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in inp.streams}
        heard = 0
        for packet in (p for p in inp.demux() if p.size):
            heard += packet.stream_index
            packet.pts += 300 * (packet.stream_index == 1 and heard == 25)
            packet.stream = streams[packet.stream_index]
            out.mux(packet)
    target, written = write(tmp_path / "bad.mkv")
    assert numbers(target) == list(range(25))
    assert written.warnings == ("sound left out: 1 packet (time stamps out of order)",)
    assert np.diff(times(target, "audio")).max() < 0.05


def test_a_sound_track_of_an_unknown_codec_is_told(tmp_path: Path) -> None:
    source = with_sound(tmp_path / "a.mkv", "aac", 44100, "mono")
    source.write_bytes(source.read_bytes().replace(b"A_AAC", b"A_ZZZ"))
    target, written = write(source)
    assert numbers(target) == list(range(25))
    assert "1 track" in " ".join(written.warnings)
    with av.open(str(target)) as container:
        assert not container.streams.audio


def test_sound_that_the_muxer_refuses_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A track that only fails when the file's header is written takes the whole file with it."""
    source = with_sound(tmp_path / "a.mkv", "pcm_s16le", 44100, "mono")
    monkeypatch.setattr(audio, "_COPIED", {"pcm_s16le"})
    plain = audio._Track.__init__

    def without_rate(self: audio._Track, *args: object) -> None:
        plain(self, *args)
        self.stream.time_base = Fraction(0, 1)
        self.stream.codec_context.sample_rate = 0

    monkeypatch.setattr(audio._Track, "__init__", without_rate)
    target, written = write(source)
    assert written
    assert numbers(target) == list(range(25))
    with av.open(str(target)) as container:
        if not container.streams.audio:
            assert "sound is left out" in " ".join(written.warnings)


def test_a_full_disk_is_no_fault_of_the_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = with_sound(tmp_path / "a.mkv", "aac", 44100, "mono")

    def full(*_: object) -> list[av.Packet]:
        raise av.error.OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(audio._Track, "written", full)
    with pytest.raises(DeviceError, match="no space left"):
        write(source)
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize("gap_s", [100_000, 1_000_000])
def test_a_gap_too_large_for_the_source_s_ticks(tmp_path: Path, gap_s: int) -> None:
    source = media.make(
        tmp_path / "g.ivf",
        10,
        codec="libvpx",
        pts=[*range(9), gap_s * 25],
        time_base=Fraction(1, 25),
    )
    target, written = write(source)
    assert written
    shown = times(target, "video")
    assert shown[:9] == pytest.approx(np.arange(9) / 25, abs=0.001)
    assert shown[9] == pytest.approx(gap_s)


def test_a_gap_too_large_for_mp4(tmp_path: Path) -> None:
    source = media.make(
        tmp_path / "g.ivf", 3, codec="libvpx", pts=[0, 1, 10**10], time_base=Fraction(1, 25)
    )
    with pytest.raises(DeviceError, match="MP4 cannot hold") as caught:
        write(source)
    assert "--no-video" in caught.value.hint
    assert list(tmp_path.iterdir()) == [source]


def test_huge_stamps(tmp_path: Path) -> None:
    source = media.make(tmp_path / "a.mkv", 10, codec="mpeg4", fps=25)
    stamps = [2**54 + 40 * number for number in range(10)]
    target, _ = write(media.restamped(source, tmp_path / "h.nut", stamps, stamps))
    assert times(target, "video") == pytest.approx(np.arange(10) / 25)
