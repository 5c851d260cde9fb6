"""Makers of tiny videos whose pixels encode the frame number, and of the defects they may hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

BITS = 8
SIZE = (64, 48)


def numbered(number: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """RGB frame: the upper half shows ``number`` as eight black or white blocks, low bit left.

    The lower half is red on the left and blue on the right, which tells turns and flips apart.
    """
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    edges = np.linspace(0, width, BITS + 1).round().astype(int)
    for bit in range(BITS):
        if number >> bit & 1:
            image[: height // 2, edges[bit] : edges[bit + 1]] = 255
    image[height // 2 :, : width // 2] = (220, 30, 30)
    image[height // 2 :, width // 2 :] = (30, 30, 220)
    return image


def number_of(image: NDArray[np.uint8]) -> int:
    """The number that an upright frame of any size shows."""
    height, width = image.shape[:2]
    at = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    lit = image[height // 4, at].mean(axis=-1) > 128
    return int((lit * 2 ** np.arange(BITS)).sum())


def tint(image: NDArray[np.uint8], x: float, y: float) -> str:
    """ "red", "blue" or "gray": the colour at the relative place (x, y) of a frame."""
    height, width = image.shape[:2]
    red, _, blue = image[int(y * height), int(x * width)].astype(int)
    return "red" if red > blue + 60 else "blue" if blue > red + 60 else "gray"


def make(
    path: Path,
    frames: int = 20,
    *,
    size: tuple[int, int] = SIZE,
    fps: int | Fraction = 10,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    turn: tuple[int, bool, bool] | None = None,
    picture: Callable[[int, tuple[int, int]], NDArray[np.uint8]] = numbered,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    format: str | None = None,
    aspect: Fraction | None = None,
    tags: dict[str, int] | None = None,
    audio: str | None = None,
    lossless: bool = True,
) -> Path:
    """Write a video. ``pts`` in ``time_base`` units, one per frame; ``turn``: degrees, flips."""
    tick = time_base or 1 / Fraction(fps)
    pts = range(frames) if pts is None else pts
    quality = {"crf": "1", "preset": "ultrafast"} if codec == "libx264" and lossless else {}
    with av.open(str(path), "w", format=format, container_options=container_options or {}) as out:
        stream = out.add_stream(codec, rate=fps, options=quality | (options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = tick
        stream.time_base = tick
        if codec in ("mpeg4", "mjpeg"):
            stream.codec_context.qmin = stream.codec_context.qmax = 2
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        if turn:
            stream.set_display_rotation(turn[0], hflip=turn[1], vflip=turn[2])
        sound = _add_sound(out, audio) if audio else None
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number, size), "rgb24").reformat(
                format=pix_fmt,
                dst_color_range=(tags or {}).get("color_range"),
                dst_colorspace=(tags or {}).get("colorspace"),
            )
            frame.pts, frame.time_base = pts[number], tick
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            _write_sound(out, sound, frames / float(fps))
    return path


def make_with_boxes(folder: Path) -> None:
    """``v.mp4``, three seconds, and ``boxes.jsonl``: detections of one who moves to the right."""
    make(folder / "v.mp4", 30, size=(160, 120), options={"g": "8"})
    with open(folder / "boxes.jsonl", "w", encoding="utf-8") as file:
        for frame in range(30):
            box = [10 + 2 * frame, 30, 40 + 2 * frame, 90]
            row = {"frame": frame, "boxes": [box], "scores": [0.9], "labels": ["person"]}
            print(json.dumps(row), file=file)


def restamped(source: Path, target: Path, pts: Sequence[int], dts: Sequence[int]) -> Path:
    """Copy the packets of ``source`` with other time stamps (source time base units)."""
    with av.open(str(source)) as inp, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(inp.streams.video[0])
        packets = [p for p in inp.demux(video=0) if p.dts is not None]
        for packet, shown, decoded in zip(packets, pts, dts, strict=True):
            packet.pts, packet.dts, packet.stream = shown, decoded, stream
            out.mux(packet)
    return target


def joined(target: Path, *parts: Path) -> Path:
    """The bytes of ``parts``, one behind the other."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def make_sound(path: Path, seconds: float = 1.0, codec: str = "aac") -> Path:
    """A file with sound alone."""
    with av.open(str(path), "w") as out:
        _write_sound(out, _add_sound(out, codec), seconds)
    return path


def cut(source: Path, target: Path, share: float, odd: int = 0) -> Path:
    """The first ``share`` of the bytes of ``source``, and ``odd`` more."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share) + odd])
    return target


def scrambled(source: Path, target: Path, start: float, length: int, seed: int = 0) -> Path:
    """``source`` with ``length`` random bytes from the relative place ``start`` on."""
    data = bytearray(source.read_bytes())
    at = int(len(data) * start)
    data[at : at + length] = np.random.default_rng(seed).bytes(length)
    target.write_bytes(bytes(data))
    return target


def _add_sound(out: av.container.OutputContainer, codec: str) -> av.AudioStream:
    return out.add_stream(codec, rate=44100, layout="mono")


def _write_sound(out: av.container.OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    """A 440 Hz tone."""
    total = int(44100 * seconds)
    tone = (np.sin(np.arange(total) * (2 * np.pi * 440 / 44100)) * 8000).astype(np.int16)
    for start in range(0, total, 1024):
        frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = 44100, start, Fraction(1, 44100)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))
