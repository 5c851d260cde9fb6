"""Opening a file as video: only containers that people film in, nothing that points elsewhere."""

from __future__ import annotations

import os
import re
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from cospal_cli.core.errors import CospalError, InputError
from cospal_cli.core.foreign import reason, shortage
from cospal_cli.core.reading import open_regular
from cospal_cli.devices import processors
from cospal_cli.video import images

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

EXTENSIONS = (
    ".mp4 .m4v .mov .mkv .webm .avi .ts .m2ts .mts .mpg .mpeg .vob .flv .wmv .asf .3gp .ogv .mxf "
    ".gif .apng .h264 .hevc .ivf .nut .y4m"
).split()

# Demuxers that read one file and nothing else. Playlists (hls, dash, concat), stream descriptions,
# numbered images and devices are left out, whatever the file is called. The audio ones are there
# so that a sound file is called a sound file.
_FORMATS = (
    "mov mp4 matroska webm avi mpegts mpeg mpegvideo m4v flv live_flv asf ogg nut mxf gxf dv rm "
    "wtv swf gif apng webp_anim webp_pipe png_pipe jpeg_pipe mjpeg mpjpeg h261 h263 h264 hevc vvc "
    "av1 obu ivf vc1 dnxhd yuv4mpegpipe fits "
    "mp3 wav w64 flac aac ac3 eac3 aiff caf amr"
).split()

_ADDRESS = re.compile(r"([A-Za-z][\w+.-]+):/+")  # Path has made one slash of two
_DURATION = re.compile(r"(\d+):(\d+):(\d+(?:\.\d*)?)")  # how Matroska tags each stream

# In FFmpeg's log: Matroska's name, the four letters, or the name of a codec without a decoder.
_NO_DECODER = re.compile(
    r"unsupported AVCodecID (\S+?)\.?\n|Video: none \((.+?) / 0x|Video: (?!none)(\w+)"
)

# Files of these containers that begin with text or hold another file's name are not videos at all.
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"v=0")


def open_video(
    path: Path,
    max_pixels: int,
    number: int | None = None,
    image_fps: float = images.USUAL_FPS,
) -> tuple[InputContainer, VideoStream]:
    """The opened container and its video stream; the caller closes it.

    ``number``: which of several video streams, from 0; None: the one that players take.
    ``image_fps``: how many pictures make a second, where ``path`` names pictures.
    InputError names the path: missing, unreadable, a folder, not a video, no video stream or none
    that can be decoded, more than ``max_pixels`` per frame (checked in the header, and by the
    decoder before it allocates).
    """
    import av

    container = None
    try:
        if sequence := pictures(path):
            sequence.check(max_pixels)
        else:
            _check_file(path)
        container = open_alone(path, {"max_pixels": str(max_pixels)}, image_fps)
        stream = _video_stream(path, container, number)
        _check_size(path, stream, max_pixels)
    except (av.error.FFmpegError, OSError, ValueError, MemoryError) as error:
        if container is not None:
            container.close()
        raise _unreadable(path, error) from error
    except CospalError:
        if container is not None:
            container.close()
        raise
    stream.thread_type = "AUTO"
    # On two processors one thread is enough, and more only take time from the detector.
    stream.codec_context.thread_count = min(max(1, processors() - 1), 4)
    return container, stream


def open_alone(
    path: Path, options: dict[str, str] | None = None, image_fps: float = images.USUAL_FPS
) -> InputContainer:
    """The container of ``path``, which may open no other file and no address; of pictures, where
    it names some.

    Raises what PyAV raises. ``options`` are those of the decoders.
    """
    import av

    if sequence := pictures(path):
        return sequence.open(options or {}, image_fps)
    container: InputContainer = av.open(
        # The prefix keeps names such as "-x.mp4", "a:b.mp4" and "concat:..." plain files.
        "file:" + os.path.abspath(path),
        container_options={"format_whitelist": ",".join(_FORMATS), "protocol_whitelist": "file"},
        options=options or {},
        metadata_errors="replace",
    )
    return container


def pictures(path: Path) -> images.Images | None:
    """The pictures that ``path`` names in place of a video; none in a folder of videos."""
    return None if path.is_dir() and _videos(path) else images.find(path)


def frame_rate(stream: VideoStream) -> Fraction:
    """Average frames per second that the header claims; 25 where it claims nothing usable."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and 0 < rate <= 100_000:
            return Fraction(rate)
    return Fraction(25)


def declared_duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds of video that the header claims, None where it claims nothing."""
    if stream.duration and stream.duration > 0 and stream.time_base:
        return float(stream.duration * stream.time_base)
    if match := _DURATION.fullmatch(stream.metadata.get("DURATION", "")):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    if container.duration and container.duration > 0:
        return container.duration / 1_000_000
    return None


def duration_is_videos(container: InputContainer, stream: VideoStream) -> bool:
    """Whether ``declared_duration`` speaks of the pictures alone, not of a longer sound track."""
    return bool(stream.duration or stream.metadata.get("DURATION")) or len(container.streams) == 1


def cut_short(path: Path) -> str:
    """Why the file's own structure says that its end is missing; "" when it does not."""
    if not path.is_file():  # pictures
        return ""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(8)
        if head[4:8] in (b"ftyp", b"moov", b"styp"):
            last = list(_boxes(path))[-1]
            return f"the last {last[0]!r} box is cut" if last[1] > size else ""
    if head[:1] == b"G" and path.suffix.lower() in (".ts", ".mts") and size % 188:
        return "the last transport packet is cut"
    return ""


def _check_file(path: Path) -> None:
    """InputError for what is not a video, OSError or ValueError for what cannot be read."""
    if path.is_dir():
        raise InputError(
            f"{str(path)!r} is a folder, with {_videos(path)} video files in it",
            f"name a video file; extensions tried: {' '.join([*EXTENSIONS, *images.KINDS])}",
        )
    with open_regular(path) as file:
        head = file.read(64)
    if not head:
        raise InputError(f"not a video: {str(path)!r} is empty", "copy or download it again")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_PLAYLISTS):
        raise InputError(
            f"not a video: {str(path)!r} is a playlist or a description of other files",
            "name the video file that it points to",
        )


def _videos(folder: Path) -> int:
    return sum(1 for entry in folder.iterdir() if entry.suffix.lower() in EXTENSIONS)


def moving(container: InputContainer) -> list[VideoStream]:
    """The real video streams: cover art and thumbnails do not count."""
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails
    return [s for s in container.streams.video if not Disposition(s.disposition) & still]


def stream_remark(container: InputContainer, stream: VideoStream) -> str:
    """A remark where ``stream`` is one of several, else ""."""
    known = moving(container)
    if len(known) < 2:
        return ""
    taken = [s.index for s in known].index(stream.index)
    names = ", ".join(f"{number}: {_name(s)}" for number, s in enumerate(known))
    return (
        f"there are {len(known)} video streams ({names}); number {taken} is used, choose another "
        "with --stream"
    )


def wraps(container: InputContainer) -> bool:
    """Whether time stamps are those of a 33-bit clock."""
    return container.format.name in ("mpegts", "mpeg")


def stamp(item: Packet | VideoFrame) -> int | None:
    """A packet's or frame's own pts, or its dts where the container has no pts."""
    return item.pts if item.pts is not None else item.dts


def sample_aspect(stream: VideoStream) -> Fraction:
    """Width / height of a stored pixel; 1 where the header says nothing, or nonsense."""
    aspect = Fraction(stream.sample_aspect_ratio or 0)
    return aspect if Fraction(1, 16) <= aspect <= 16 else Fraction(1)


def _video_stream(path: Path, container: InputContainer, number: int | None) -> VideoStream:
    """The video stream of that number, or the best one; InputError where it cannot be decoded."""
    known = moving(container)
    if not known:
        kinds = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        art = " (its picture is cover art)" if container.streams.video else ""
        raise InputError(
            f"no video stream in {str(path)!r}, only {kinds}{art}",
            "name a file with moving pictures",
        )
    if number is not None and number >= len(known):
        raise InputError(
            f"no video stream {number} in {str(path)!r}, it has {len(known)}",
            f"--stream takes 0 to {len(known) - 1}" if len(known) > 1 else "leave --stream out",
        )
    wanted = known if number is None else [known[number]]
    usable = [s for s in wanted if s.codec_context is not None]
    if not usable:
        raise InputError(
            f"the video in {str(path)!r} uses a codec that FFmpeg does not know: {_codec(path)}",
            "convert it with the program that made it",
        )
    best = container.streams.best("video")
    return next((s for s in usable if best is not None and s.index == best.index), usable[0])


def _name(stream: VideoStream) -> str:
    context = stream.codec_context
    if context is None:
        return "unknown codec"
    return f"{context.name} {context.width}x{context.height}"


def _codec(path: Path) -> str:
    """What FFmpeg's log calls the codec of a video stream that it has no decoder for."""
    from av import logging

    level = logging.get_level()
    logging.set_level(logging.INFO)
    try:
        with logging.Capture(False) as lines:
            open_alone(path).close()
    finally:
        logging.set_level(level)
    log = "\n".join(text for _, _, text in lines)
    match = _NO_DECODER.search(log)
    return repr(next(name for name in match.groups() if name)) if match else "unnamed"


def _check_size(path: Path, stream: VideoStream, max_pixels: int) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > max_pixels:
        raise InputError(
            f"frames of {str(path)!r} are {width}x{height}, more than {max_pixels} pixels",
            "raise --max-pixels, or resize the video first",
        )


def _unreadable(path: Path, error: Exception) -> CospalError:
    """Ours for what opening ``path`` raised."""
    from av.error import FFmpegError

    name = repr(str(path))
    if lack := shortage(error, name, sized=True):
        return lack
    if isinstance(error, FileNotFoundError):
        return _missing(str(path))
    if isinstance(error, PermissionError):
        return InputError(f"no permission to read {name}", "chmod +r it, or copy it")
    if not isinstance(error, FFmpegError):
        return InputError(f"cannot read {name}: {reason(error)}", "name a video file")
    kinds = {kind for kind, _ in _boxes(path)}
    if "mdat" in kinds and "moov" not in kinds:
        return InputError(
            f"{name} is an MP4 without its index (the recording was cut before it was written)",
            "rebuild it with a repair tool such as untrunc and an intact file of the same camera",
        )
    return InputError(
        f"not a video: {name}",
        f"copy or convert it again; extensions known: {' '.join(EXTENSIONS)}",
    )


def _missing(name: str) -> InputError:
    """The error of a missing file; addresses and the sign for a pipe get words of their own."""
    if match := _ADDRESS.match(name):
        address, rest = f"{match[1]}://{name[match.end() :]}", f"/{name[match.end() :]}"
        local = match[1].lower() == "file"
        hint = f"name the file itself: {rest}" if local else "download it first, then name the file"
        return InputError(f"{address} is an address, but only files can be read", hint)
    if name == "-":
        return InputError("a video cannot be read from a pipe", "copy it to a file first")
    return InputError(f"no such file: {name!r}", f"extensions known: {' '.join(EXTENSIONS)}")


def _boxes(path: Path) -> list[tuple[str, int]]:
    """(kind, end offset) of the top-level boxes of an MP4-like file, as far as they make sense."""
    boxes: list[tuple[str, int]] = []
    size = path.stat().st_size if path.is_file() else 0
    at = 0
    with open(path, "rb") as file:
        while at + 8 <= size and len(boxes) < 100_000:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4], "big")
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length == 0:
                length = size - at
            kind = head[4:8].decode("latin-1")
            if length < 8 or not kind.isprintable():
                break
            at += length
            boxes.append((kind, at))
    return boxes
