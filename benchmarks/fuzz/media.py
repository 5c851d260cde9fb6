"""Tiny whole videos in every container that the bundled FFmpeg can write and cospal may read."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np

SIZE, FRAMES, FPS = (64, 48), 10, 10
# kind of file -> (suffix, FFmpeg's name of the container, codecs of pictures, of sound, options)
CONTAINERS: dict[str, tuple[str, str, str, str, dict[str, str]]] = {
    "mp4": ("mp4", "mp4", "libx264 mpeg4 libx265 libvpx-vp9", "aac mp3", {}),
    "fragmented": ("mp4", "mp4", "libx264", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    "mov": ("mov", "mov", "libx264 mjpeg prores_ks qtrle png", "pcm_s16le aac", {}),
    "3gp": ("3gp", "3gp", "h263 mpeg4", "aac", {}),
    "mkv": ("mkv", "matroska", "libx264 ffv1 mpeg4 mjpeg", "flac aac", {}),
    "webm": ("webm", "webm", "libvpx libvpx-vp9", "libopus", {}),
    "avi": ("avi", "avi", "mpeg4 mjpeg libx264 huffyuv msmpeg4 rawvideo", "mp3 pcm_s16le", {}),
    "ts": ("ts", "mpegts", "libx264 mpeg2video libx265", "aac mp2", {}),
    "mpeg": ("mpg", "vob", "mpeg2video mpeg1video", "mp2 ac3", {}),
    "flv": ("flv", "flv", "flv libx264", "aac mp3", {}),
    "ogg": ("ogv", "ogg", "libvpx", "libopus flac", {}),
    "asf": ("wmv", "asf", "wmv2 msmpeg4 wmv1", "wmav2", {}),
    "mxf": ("mxf", "mxf", "mpeg2video", "pcm_s16le", {}),
    "nut": ("nut", "nut", "ffv1 mpeg4", "pcm_s16le", {}),
    "swf": ("swf", "swf", "flv mjpeg", "", {}),
    "rm": ("rm", "rm", "rv10 rv20", "", {}),
    "ivf": ("ivf", "ivf", "libvpx libvpx-vp9", "", {}),
    "gif": ("gif", "gif", "gif", "", {}),
    "apng": ("apng", "apng", "apng", "", {}),
    "webp": ("webp", "webp", "libwebp_anim", "", {}),
    "mjpeg": ("mjpeg", "mjpeg", "mjpeg", "", {}),
    "mpjpeg": ("mjpeg", "mpjpeg", "mjpeg", "", {}),
    "h264": ("h264", "h264", "libx264", "", {}),
    "hevc": ("hevc", "hevc", "libx265", "", {}),
    "obu": ("obu", "obu", "libsvtav1", "", {}),
    "m4v": ("m4v", "m4v", "mpeg4", "", {}),
    "h263": ("h263", "h263", "h263", "", {}),
    "mpegvideo": ("mpg", "mpeg2video", "mpeg2video", "", {}),
    "dnxhd": ("dnxhd", "dnxhd", "dnxhd", "", {"frames": "2"}),
    "y4m": ("y4m", "yuv4mpegpipe", "wrapped_avframe", "", {}),
    "wtv": ("wtv", "wtv", "mpeg2video", "mp2", {}),
    "gxf": ("gxf", "gxf", "mpeg2video", "pcm_s16le", {}),
    "fits": ("fits", "fits", "fits", "", {}),
    "picture": ("jpg", "mjpeg", "mjpeg", "", {"frames": "1"}),
    "sound": ("m4a", "mp4", "", "aac", {}),
}
PIXELS = {
    "mjpeg": "yuvj420p", "prores_ks": "yuv422p10le", "qtrle": "rgb24", "png": "rgb24",
    "gif": "rgb8", "apng": "rgb24", "huffyuv": "yuv422p", "libwebp_anim": "yuva420p",
    "dnxhd": "yuv422p", "fits": "gray", "rawvideo": "yuv420p",
}  # fmt: skip
STILLS = (("png", "png", "rgb24"), ("jpg", "mjpeg", "yuvj420p"), ("bmp", "bmp", "bgr24"))
STILLS += (("webp", "libwebp", "yuv420p"),)
# Containers and codecs that know a few sizes and rates only.
SIZES = {"h263": (128, 96), "rv10": (128, 96), "dnxhd": (1920, 1080), "gxf": (720, 576)}
RATES = dict.fromkeys("mxf mpeg mpegvideo gxf dnxhd ts wtv mpeg2video mpeg1video".split(), 25)


def write_all(folder: Path) -> dict[str, int]:
    """``folder``/KIND/NAME for every kind; how many files of each were made."""
    os.environ.setdefault("SVT_LOG", "0")  # an encoder that talks
    pictures(folder / "pictures")
    return {kind: write(folder / kind, kind) for kind in CONTAINERS}


def pictures(folder: Path) -> None:
    """Folders of still pictures, one of each kind."""
    for suffix, codec, pixels in STILLS:
        for number in range(4):
            data = encoded("still", "image2pipe", codec, "", {"frames": "1"}, pixels)
            (folder / suffix).mkdir(parents=True, exist_ok=True)
            (folder / suffix / f"{number}.{suffix}").write_bytes(data or b"")


def write(folder: Path, kind: str) -> int:
    """The whole files of one kind and, of the first, some with odd time stamps."""
    suffix, form, pictures, sounds, options = CONTAINERS[kind]
    folder.mkdir(parents=True, exist_ok=True)
    made: list[bytes] = []
    for picture in pictures.split() or [""]:
        sound = ([*sounds.split(), ""])[len(made) % (len(sounds.split()) + 1)]
        data = encoded(kind, form, picture, sound, options)
        if data is not None:
            made.append(data)
    for number in range(4):
        data = restamped(made[number % len(made)], form, Random(number)) if made else None
        if data is not None:
            made.append(data)
    for number, data in enumerate(made):
        (folder / f"{number}.{suffix}").write_bytes(data)
    return len(made)


def encoded(
    kind: str, form: str, picture: str, sound: str, options: dict[str, str], pixels: str = ""
) -> bytes | None:
    """A file of moving blocks and, with ``sound``, a tone; None where FFmpeg cannot write it."""
    buffer = io.BytesIO()
    frames = int(options.get("frames", FRAMES))
    settings = {"fflags": "+bitexact", **options}
    settings.pop("frames", None)
    try:
        with av.open(buffer, "w", format=form, options=settings) as out:
            stream = _picture_stream(out, kind, picture) if picture else None
            if stream is not None and pixels:
                stream.pix_fmt = pixels
            track = _sound_stream(out, kind, sound) if sound else None
            if stream is not None:
                for frame in _frames(stream, frames):
                    out.mux(stream.encode(frame))
                out.mux(stream.encode(None))
            if track is not None:
                for samples in _tone(track):
                    out.mux(track.encode(samples))
                out.mux(track.encode(None))
    except (av.error.FFmpegError, ValueError, OverflowError):
        return None
    return buffer.getvalue() or None


def _picture_stream(out: av.container.OutputContainer, kind: str, codec: str) -> av.VideoStream:
    rate = RATES.get(kind) or RATES.get(codec) or FPS
    stream = out.add_stream(codec, rate=rate)
    stream.width, stream.height = SIZES.get(kind) or SIZES.get(codec) or SIZE
    stream.pix_fmt = PIXELS.get(codec, "yuv420p")
    stream.codec_context.thread_count = 1
    if codec == "dnxhd":
        stream.bit_rate = 120_000_000
    if codec in ("libx264", "libx265"):
        stream.options = {"preset": "ultrafast", "g": "5"}
    if codec == "libx265":
        stream.options = {**stream.options, "x265-params": "log-level=none"}
    return stream


def _sound_stream(out: av.container.OutputContainer, kind: str, codec: str) -> av.AudioStream:
    stream = out.add_stream(codec, rate=44100 if kind == "flv" else 48000, layout="mono")
    stream.bit_rate = 64_000
    return stream


def _frames(stream: av.VideoStream, count: int) -> Iterator[av.VideoFrame]:
    """A red block that crosses a green field."""
    width, height = stream.width, stream.height
    for number in range(count):
        image = np.full((height, width, 3), (30, 120, 40), np.uint8)
        left = number * width // (2 * FRAMES)
        image[height // 4 :, left : left + width // 3] = (200, 30, 30)
        frame = av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=stream.pix_fmt)
        frame.pts, frame.time_base = number, 1 / Fraction(stream.codec_context.framerate)
        yield frame


def _tone(stream: av.AudioStream) -> Iterator[av.AudioFrame]:
    rate = stream.codec_context.sample_rate
    wave = np.sin(np.arange(rate) * (2 * np.pi * 440 / rate)) * 8000
    resampler = av.AudioResampler(stream.format, stream.layout, rate)
    frame = av.AudioFrame.from_ndarray(wave.astype(np.int16)[None], "s16", "mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    fifo = av.AudioFifo()
    for ready in resampler.resample(frame):
        fifo.write(ready)
    yield from fifo.read_many(stream.codec_context.frame_size or 1024)


def restamped(data: bytes, form: str, rng: Random) -> bytes | None:
    """The same packets with other time stamps or order, some missing; None if not writable."""
    buffer = io.BytesIO()
    odd = rng.choice(("far", "back", "still", "lost", "late", "order"))
    try:
        with av.open(io.BytesIO(data)) as source, av.open(buffer, "w", format=form) as out:
            streams = {s.index: out.add_stream_from_template(s) for s in source.streams}
            packets = [packet for packet in source.demux() if packet.dts is not None]
            if odd == "order":
                rng.shuffle(packets)
            for number, packet in enumerate(packets):
                packet.stream = streams[packet.stream.index]
                _restamp(packet, odd, number, rng)
                if rng.random() < 0.9:
                    out.mux(packet)
    except (av.error.FFmpegError, ValueError, OverflowError, KeyError):
        return None
    return buffer.getvalue() or None


def _restamp(packet: av.Packet, odd: str, number: int, rng: Random) -> None:
    if odd == "far" and number > 4:
        packet.pts += 10**9
        packet.dts += 10**9
    elif odd == "late":
        packet.pts += 3_600_000
        packet.dts += 3_600_000
    elif odd == "lost":
        packet.pts = None
    elif odd == "still":
        packet.pts = packet.dts
    elif odd == "back" and packet.pts is not None:
        packet.pts = packet.dts + rng.randint(0, 5) * (packet.duration or 1)
