"""The second pass: decode again, draw, and write an MP4 that keeps the source's time and sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cospal_cli.config import OutputConfig, VideoConfig
from cospal_cli.core import files
from cospal_cli.core.progress import Progress, silent
from cospal_cli.core.types import Tube
from cospal_cli.video.draw import Annotator
from cospal_cli.video.reader import SourceFrame, VideoReader

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

# Broadcast recordings begin anywhere in a day; players would wait that long before the picture.
# A start before zero is moved too: players cut what comes earlier.
_LONGEST_LEAD_S = 10
_BT709 = (1, 9)  # colour matrices: BT.709, and BT.2020, which is nearer to it than to BT.601


def never() -> bool:
    """The default of ``stopped``: run to the end."""
    return False


def write_annotated(
    source: Path,
    target: Path,
    tubes: Sequence[Tube],
    caption: str,
    video: VideoConfig,
    output: OutputConfig,
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
) -> bool:
    """Write ``target``: the range of ``source`` with ``tubes`` (the answer first) drawn on it.

    H.264 in MP4, with the source's time stamps, time base, sound and sample aspect ratio; turned
    as displayed and padded to even sides. When ``stopped()`` turns true the file is finished where
    it is, playable, and False is returned. InputError, or DeviceError when the disk is full; then
    ``target`` is as it was before.
    """
    with VideoReader(source, video) as reader, files.replacing(target) as part:
        import av

        options = {
            "movflags": "+faststart",  # plays while it loads
            # Edit lists, which hold a late start, count in this unit: milliseconds would round it.
            "movie_timescale": str(_timescale(reader.info.time_base)),
        }
        with av.open(f"file:{part}", "w", format="mp4", container_options=options) as container:
            return _write(reader, container, tubes, caption, output, progress, stopped)


def _write(
    reader: VideoReader,
    container: OutputContainer,
    tubes: Sequence[Tube],
    caption: str,
    output: OutputConfig,
    progress: Progress,
    stopped: Callable[[], bool],
) -> bool:
    from cospal_cli.video.audio import Sound

    frames = reader.frames()
    first = next(frames)
    tick = reader.info.time_base
    shift = _shift(reader, first)
    stream = _video_stream(container, reader, first.raw, output)
    painter = Painter(reader, first, tubes, caption)
    begin_s = float(first.pts * tick) if reader.window.start else float("-inf")
    with Sound(reader.path, container, begin_s, shift * tick) as sound:
        frame: SourceFrame | None = first
        done = 0
        while frame is not None:
            picture = painter.paint(frame)
            picture.pts, picture.time_base = frame.pts - shift, tick
            container.mux(stream.encode(picture))
            sound.until(float(frame.pts * tick))
            done += 1
            progress("draw", done, reader.expected_frames)
            if stopped():
                break
            frame = next(frames, None)
        container.mux(stream.encode(None))
        if frame is None:
            origin_s = float(reader.info.start_pts * tick)
            cut = reader.window.end or reader.window.length
            sound.until(origin_s + reader.timeline.end_s if cut else float("inf"))
        sound.finish()
    return frame is None


class Painter:
    """Makes each source frame into an encodable one: turned, even-sided, yuv420p, drawn on."""

    def __init__(
        self, reader: VideoReader, first: SourceFrame, tubes: Sequence[Tube], caption: str
    ) -> None:
        from av.video.reformatter import VideoReformatter

        info = reader.info
        self._stored = (first.raw.width, first.raw.height)
        self._turn = reader.orientation
        self._even = (info.width + info.width % 2, info.height + info.height % 2)
        self._converter = VideoReformatter()
        length_s = reader.window.seconds(info.duration_s or 0.0, float(info.avg_fps))
        ends_s = [tube.span_s[1] for tube in tubes]
        shown_s = (first.time_s, max([first.time_s + length_s] if length_s else ends_s or [1.0]))
        matrix = "709" if first.raw.colorspace in _BT709 else "601"
        self._annotator = Annotator((info.width, info.height), tubes, caption, shown_s, matrix)

    def paint(self, frame: SourceFrame) -> VideoFrame:
        """The frame to encode; its time stamps are left to the caller."""
        from av import VideoFrame
        from av.video.frame import PictureType

        raw = frame.raw
        full_range = raw.color_range == 2 or raw.format.name.startswith("yuvj")
        stored = self._converter.reformat(
            raw,
            width=self._stored[0],
            height=self._stored[1],
            format="yuv420p",
            dst_color_range="MPEG" if full_range else None,
        )
        if self._turn.plain and self._even == self._stored:
            stored.make_writable()  # the decoder may still refer to it
            ready = stored
        else:
            ready = VideoFrame(*self._even, "yuv420p")
            ready.colorspace, ready.color_range = stored.colorspace, stored.color_range
            for source, place in zip(_planes(stored), _planes(ready), strict=True):
                _lay(self._turn.apply(source), place)
        self._annotator.draw(_planes(ready), frame.index, frame.time_s)
        ready.pict_type = PictureType.NONE  # the encoder decides anew which frames are keys
        return ready


def _video_stream(
    container: OutputContainer, reader: VideoReader, raw: VideoFrame, output: OutputConfig
) -> VideoStream:
    """The H.264 stream with the source's time base, aspect ratio and colour tags."""
    info = reader.info
    stream = container.add_stream(
        "libx264",
        rate=info.avg_fps,
        options={"crf": str(output.crf), "preset": "veryfast"},
    )
    stream.width, stream.height = info.width + info.width % 2, info.height + info.height % 2
    stream.pix_fmt = "yuv420p"
    stream.time_base = info.time_base
    context = stream.codec_context
    context.time_base = info.time_base
    context.sample_aspect_ratio = info.sample_aspect
    context.colorspace = raw.colorspace if raw.colorspace != 0 else 2  # RGB's "matrix" is none
    context.color_primaries, context.color_trc = raw.color_primaries, raw.color_trc
    context.color_range = 1
    return stream


def _shift(reader: VideoReader, first: SourceFrame) -> int:
    """Ticks by which everything is moved earlier: none for a whole, ordinary video."""
    start = reader.info.start_pts
    if first.pts == start and 0 <= start * reader.info.time_base <= _LONGEST_LEAD_S:
        return 0
    return first.pts


def _timescale(time_base: Fraction) -> int:
    """Units per second for the whole file in which the source's ticks are whole numbers."""
    ticks = time_base.denominator
    return ticks * -(-1000 // ticks) if ticks <= 1_000_000 else 1000


def _planes(frame: VideoFrame) -> list[NDArray[np.uint8]]:
    """Writable views (height, width) of the frame's Y, U and V."""
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[:, : plane.width]
        for plane in frame.planes
    ]


def _lay(source: NDArray[np.uint8], place: NDArray[np.uint8]) -> None:
    """Copy ``source`` to the top left of ``place`` and repeat its last row and column beyond."""
    height, width = source.shape
    place[:height, :width] = source
    place[:height, width:] = source[:, -1:]
    place[height:] = place[height - 1]
