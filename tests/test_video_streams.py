"""What a file holds besides one ordinary video stream: survived, chosen, told."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cospal_cli.core.errors import InputError
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video import probe
from cospal_cli.video.reader import VideoReader
from cospal_cli.video.writer import Overlay, write_annotated
from tests import media


def read(path: Path, **settings: object) -> tuple[VideoReader, list[np.ndarray]]:
    with VideoReader(path, VideoConfig(**settings)) as reader:
        return reader, [frame.image for frame in reader.frames()]


def two_cameras(path: Path, sizes: tuple[tuple[int, int], ...] = ((64, 48), (128, 96))) -> Path:
    """Two video streams of ten frames: the first shows 0, 1, ..., the second 100, 101, ..."""
    with av.open(str(path), "w") as out:
        streams = []
        for size in sizes:
            stream = out.add_stream("mpeg4", rate=10)
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.qmin = stream.codec_context.qmax = 2
            streams.append(stream)
        for number in range(10):
            for at, (stream, size) in enumerate(zip(streams, sizes, strict=True)):
                image = media.numbered(100 * at + number, size)
                frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format="yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 10)
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize(("stream", "first"), [(None, 0), (0, 0), (1, 100)])
def test_one_of_two_cameras(tmp_path: Path, suffix: str, stream: int | None, first: int) -> None:
    path = two_cameras(tmp_path / f"two.{suffix}")
    reader, images = read(path, stream=stream)
    assert [media.number_of(image) for image in images] == list(range(first, first + 10))
    (told,) = reader.warnings
    assert "2 video streams (0: mpeg4 64x48, 1: mpeg4 128x96)" in told
    assert f"number {first // 100} is used" in told
    assert "--stream" in told
    target = tmp_path / "out.mp4"
    write_annotated(path, target, Overlay([], ""), VideoConfig(stream=stream), OutputConfig(crf=1))
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
        assert media.number_of(frame.to_ndarray(format="rgb24")) == first


def test_a_stream_that_is_not_there(tmp_path: Path, clip: Path) -> None:
    with pytest.raises(InputError, match="no video stream 2 in") as caught:
        read(two_cameras(tmp_path / "two.mkv"), stream=2)
    assert "it has 2" in caught.value.message
    assert "0 to 1" in caught.value.hint
    with pytest.raises(InputError, match="it has 1"):
        read(clip, stream=1)


UNKNOWN = [("a.mp4", "libx264", b"avc1", b"zzzz"), ("a.avi", "mpeg4", b"FMP4", b"zzzz")]
UNKNOWN += [("a.mkv", "libx264", b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/AVC")]


@pytest.mark.parametrize(("name", "codec", "known", "unknown"), UNKNOWN)
def test_an_unknown_codec_is_named(
    tmp_path: Path, name: str, codec: str, known: bytes, unknown: bytes
) -> None:
    path = media.make(tmp_path / name, 5, codec=codec)
    path.write_bytes(path.read_bytes().replace(known, unknown))
    with pytest.raises(InputError) as caught:
        read(path)
    assert unknown.decode() in caught.value.message
    assert name in caught.value.message
    assert caught.value.exit_code == 4


def test_beside_an_unknown_codec_the_known_one_is_taken(tmp_path: Path) -> None:
    path = two_cameras(tmp_path / "two.mkv")
    data = path.read_bytes()
    at = data.rindex(b"V_MPEG4/ISO/ASP")  # the second, larger one
    path.write_bytes(data[:at] + b"V_MPEG9/ISO/ASP" + data[at + 15 :])
    reader, images = read(path)
    assert [media.number_of(image) for image in images] == list(range(10))
    assert "unknown codec" in reader.warnings[0]
    with pytest.raises(InputError, match="V_MPEG9"):
        read(path, stream=1)


def exif(orientation: int) -> bytes:
    """A JPEG segment that holds nothing but an orientation."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"MM\x00*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    body = b"Exif\0\0" + tiff
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


@pytest.mark.parametrize(("orientation", "clockwise"), [(1, 0), (3, 180), (6, 90), (8, 270)])
@pytest.mark.parametrize("suffix", ["avi", "mkv", "mov"])
def test_side_data_without_a_name_is_no_obstacle(
    tmp_path: Path, suffix: str, orientation: int, clockwise: int
) -> None:
    plain = media.make(tmp_path / f"p.{suffix}", 3, codec="mjpeg", pix_fmt="yuvj420p")
    path = tmp_path / f"exif.{suffix}"
    with av.open(str(plain)) as inp, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(inp.streams.video[0])
        for packet in inp.demux(video=0):
            if packet.size:
                data = bytes(packet)
                copy = av.Packet(data[:2] + exif(orientation) + data[2:])
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.duration = packet.duration
                copy.stream = stream
                out.mux(copy)
    reader, images = read(path)
    assert len(images) == 3
    assert reader.info.rotation == clockwise
    upright = np.rot90(images[2], clockwise // 90)
    assert media.number_of(np.ascontiguousarray(upright)) == 2
    assert write_annotated(
        path, tmp_path / "out.mp4", Overlay([], ""), VideoConfig(), OutputConfig()
    )


def test_a_stream_that_begins_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV's flush of a stream that it did not know of when the file was opened."""
    path = media.make(tmp_path / "a.flv", 20, codec="flv")

    class Late:
        """A container whose reading ends as that of such a file does."""

        def __init__(self, container: object) -> None:
            self._container = container

        def __getattr__(self, name: str) -> object:
            return getattr(self._container, name)

        def demux(self, *streams: object) -> object:
            yield from (p for p in self._container.demux(*streams) if p.size)  # type: ignore[attr-defined]
            raise IndexError("list index out of range")

    plain = probe.open_alone
    monkeypatch.setattr(probe, "open_alone", lambda *given: Late(plain(*given)))
    reader, images = read(path)
    assert [media.number_of(image) for image in images] == list(range(20))
    assert "begins late" in reader.warnings[0]


def test_a_frame_size_that_keeps_changing_is_told_once(tmp_path: Path) -> None:
    parts = [
        media.make(tmp_path / f"{n}.ts", 5, size=size, options={"bf": "0"})
        for n, size in enumerate([(64, 48), (128, 96), (32, 24)])
    ]
    path = media.joined(tmp_path / "j.ts", *parts * 3)
    reader, images = read(path)
    assert {image.shape for image in images} == {(48, 64, 3)}
    told = [text for text in reader.warnings if "frame size" in text]
    assert len(told) == 1
    others = len(images) - sum(media.number_of(image) >= 0 for image in images[:5]) * 3
    assert "changes to 128x96 at 0." in told[0]
    assert told[0].endswith(f": {others}")


@pytest.mark.parametrize("aspect", [Fraction(1, 255), Fraction(255, 1)])
def test_a_pixel_shape_that_nobody_meant_is_ignored(tmp_path: Path, aspect: Fraction) -> None:
    path = media.make(tmp_path / "a.mp4", 3, aspect=aspect)
    reader, _ = read(path)
    assert reader.info.sample_aspect == 1


@pytest.mark.parametrize("pix_fmt", ["bgr4", "rgb4"])
def test_a_pixel_format_that_cannot_be_converted_is_named(tmp_path: Path, pix_fmt: str) -> None:
    path = tmp_path / "a.nut"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("rawvideo", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        frame = av.VideoFrame(64, 48, pix_fmt)
        frame.pts, frame.time_base = 0, Fraction(1, 10)
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(InputError, match=pix_fmt):
        read(path)
    with pytest.raises(InputError, match=pix_fmt):
        write_annotated(path, tmp_path / "out.mp4", Overlay([], ""), VideoConfig(), OutputConfig())
    assert list(tmp_path.iterdir()) == [path]
