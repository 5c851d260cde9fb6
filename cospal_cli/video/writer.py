"""The second pass: decode again, draw, and write an MP4 that keeps the source's time and sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core import files
from cospal_cli.core.errors import DeviceError
from cospal_cli.core.foreign import of_system
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.types import Tube
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video.convert import converted
from cospal_cli.video.draw import Annotator
from cospal_cli.video.reader import SourceFrame, VideoReader

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from cospal_cli.video.audio import Sound

# Broadcast recordings begin anywhere in a day; players would wait that long before the picture.
# A start before zero is moved too: players cut what comes earlier.
_LONGEST_LEAD_S = 10
_MILLISECOND = Fraction(1, 1000)
_BT709 = (1, 9)  # colour matrices: BT.709, and BT.2020, which is nearer to it than to BT.601


@dataclass(frozen=True)
class Written:
    """What became of an annotated video; true where all of it was written."""

    complete: bool  # False: stopped on the way
    warnings: tuple[str, ...] = ()  # what was left out

    def __bool__(self) -> bool:
        return self.complete


class Overlay(NamedTuple):
    """What is drawn on a video."""

    tubes: Sequence[Tube]  # the answer first
    caption: str
    comment: str = ""  # for the file's metadata


def write_annotated(
    source: Path,
    target: Path,
    drawing: Overlay,
    video: VideoConfig,
    output: OutputConfig,
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
    before: Callable[[], None] = lambda: None,
) -> Written:
    """Write ``target``: the range of ``source`` with ``drawing`` on it.

    H.264 in MP4, with the source's time stamps, time base, sound and sample aspect ratio; turned
    as displayed and padded to even sides. Recordings whose clock may begin anywhere (MPEG-TS and
    -PS), and ranges, begin at 0. When ``stopped()`` turns true the file is finished where it is,
    playable. What is wrong with the sound is left out and reported; times that are too far apart
    for MP4 are rounded to milliseconds. InputError, or DeviceError when the disk is full or MP4
    cannot hold the video at all; then ``target`` is as it was before. ``before``: called when the
    file is whole, just before it gets its name; what it raises leaves all as it was.
    """
    import av

    plan = _Plan()
    with files.replacing(target) as part:
        while True:
            with VideoReader(source, video) as reader:
                writing = _Writing(reader, part, plan, output, drawing.comment)
                try:
                    written = writing.run(drawing.tubes, drawing.caption, progress, stopped)
                    break
                except av.error.FFmpegError as error:
                    if of_system(error):
                        raise
                    plan = writing.retreat(error)
        before()
    return written


@dataclass(frozen=True)
class _Plan:
    """How to write the file; where the muxer refuses, the next best way is tried."""

    sound: bool = True
    coarse: bool = False  # milliseconds instead of the source's own ticks
    warnings: tuple[str, ...] = ()


class _Writing:
    """One attempt at a file."""

    def __init__(
        self, reader: VideoReader, part: Path, plan: _Plan, output: OutputConfig, comment: str
    ) -> None:
        self._reader = reader
        self._part = part
        self._plan = plan
        self._output = output
        self._comment = comment
        self._tick = _MILLISECOND if plan.coarse else reader.info.time_base
        self._heard = False  # there is sound in it

    def run(
        self,
        tubes: Sequence[Tube],
        caption: str,
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> Written:
        """Write it all. Raises what PyAV raises where the muxer refuses."""
        import av

        options = {
            "movflags": "+faststart",  # plays while it loads
            # Edit lists, which hold a late start, count in this unit: milliseconds would round it.
            "movie_timescale": str(_timescale(self._tick)),
        }
        if self._plan.coarse:
            options["video_track_timescale"] = str(self._tick.denominator)
        with av.open(
            f"file:{self._part}", "w", format="mp4", container_options=options
        ) as container:
            if self._comment:
                container.metadata["comment"] = self._comment
            return self._fill(container, tubes, caption, progress, stopped)

    def retreat(self, error: Exception) -> _Plan:
        """What to try after ``error``; DeviceError when nothing is left."""
        why = getattr(error, "strerror", None) or str(error)
        plan = self._plan
        if self._reader.clock.longest_gap_s and not plan.coarse:
            return replace(plan, coarse=True)
        if self._heard:
            warning = f"the sound is left out, MP4 cannot hold it ({why})"
            return replace(plan, sound=False, warnings=(*plan.warnings, warning))
        raise DeviceError(
            f"MP4 cannot hold {str(self._reader.path)!r} with its time stamps: {why}",
            "write the JSON alone with --no-video, or choose a part with --start and --end",
        ) from error

    def _fill(
        self,
        container: OutputContainer,
        tubes: Sequence[Tube],
        caption: str,
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> Written:
        reader = self._reader
        frames = reader.frames()
        first = next(frames)
        shift_s = _shift(reader, first) * reader.info.time_base
        stream = _video_stream(container, reader, first.raw, self._output, self._tick)
        painter = Painter(reader, first, tubes, caption)
        with self._sound(container, first, shift_s) as sound:
            self._heard = bool(sound)
            frame: SourceFrame | None = first
            done, at = 0, -1
            while frame is not None:
                picture = painter.paint(frame)
                time_s = frame.pts * reader.info.time_base
                at = max(at + 1, round((time_s - shift_s) / self._tick))  # coarse ticks may collide
                picture.pts, picture.time_base = at, self._tick
                container.mux(stream.encode(picture))
                sound.until(time_s)
                done += 1
                progress("draw", done, reader.expected_frames)
                if stopped():
                    break
                frame = next(frames, None)
            container.mux(stream.encode(None))
            if frame is None:
                sound.until(self._end_s())
            sound.finish()
            return Written(frame is None, (*self._plan.warnings, *sound.warnings))

    def _sound(self, container: OutputContainer, first: SourceFrame, shift_s: Fraction) -> Sound:
        from cospal_cli.video.audio import Sound

        begin_s = first.pts * self._reader.info.time_base
        cut = shift_s or self._reader.window.start
        return Sound(
            self._reader.path,
            container,
            begin_s if cut else -math.inf,
            shift_s,
            self._reader.clock,
            wanted=self._plan.sound,
        )

    def _end_s(self) -> Fraction | float:
        """Where the sound ends, in the source's own time, after the last picture."""
        reader = self._reader
        if not (reader.window.end or reader.window.length):
            return math.inf
        return float(reader.info.start_pts * reader.info.time_base) + reader.timeline.end_s


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
        self._annotator = Annotator(
            (info.width, info.height), tubes, caption, shown_s, matrix, float(info.sample_aspect)
        )

    def paint(self, frame: SourceFrame) -> VideoFrame:
        """The frame to encode; its time stamps are left to the caller."""
        from av import VideoFrame
        from av.video.frame import PictureType

        raw = frame.raw
        full_range = raw.color_range == 2 or raw.format.name.startswith("yuvj")
        stored = converted(
            self._converter,
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
    container: OutputContainer,
    reader: VideoReader,
    raw: VideoFrame,
    output: OutputConfig,
    tick: Fraction,
) -> VideoStream:
    """The H.264 stream with the time base ``tick``, the source's aspect ratio and colour tags."""
    info = reader.info
    stream = container.add_stream(
        "libx264",
        rate=info.avg_fps,
        options={"crf": str(output.crf), "preset": "veryfast"},
    )
    stream.width, stream.height = info.width + info.width % 2, info.height + info.height % 2
    stream.pix_fmt = "yuv420p"
    stream.time_base = tick
    context = stream.codec_context
    context.time_base = tick
    context.sample_aspect_ratio = info.sample_aspect
    context.colorspace = raw.colorspace if raw.colorspace != 0 else 2  # RGB's "matrix" is none
    context.color_primaries, context.color_trc = raw.color_primaries, raw.color_trc
    context.color_range = 1
    return stream


def _shift(reader: VideoReader, first: SourceFrame) -> int:
    """Ticks by which everything is moved earlier: none for a whole, ordinary video."""
    start = reader.info.start_pts
    ordinary = first.pts == start and not reader.free_running
    return 0 if ordinary and 0 <= start * reader.info.time_base <= _LONGEST_LEAD_S else first.pts


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
