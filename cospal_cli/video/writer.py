"""The second pass: decode again, draw, and write an MP4 that keeps the source's time and sound."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cospal_cli.core import files
from cospal_cli.core.errors import DeviceError
from cospal_cli.core.foreign import of_system
from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.core.tube import Tube
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video.curves import PhraseCurve
from cospal_cli.video.paint import Annotated, Painter
from cospal_cli.video.reader import SourceFrame, VideoReader

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from cospal_cli.video.audio import Sound

# Broadcast recordings begin anywhere in a day; players would wait that long before the picture.
# A start before zero is moved too: players cut what comes earlier.
_LONGEST_LEAD_S = 10
_MILLISECOND = Fraction(1, 1000)


@dataclass(frozen=True)
class Written:
    """What became of an annotated video; true where all of it was written."""

    complete: bool  # False: stopped on the way
    warnings: tuple[str, ...] = ()  # what was left out
    span_s: tuple[float, float] = (0.0, 0.0)  # of the source, in seconds from its first frame

    def __bool__(self) -> bool:
        return self.complete


class Overlay(NamedTuple):
    """What is drawn on a video."""

    tubes: Sequence[Tube]  # the answer first
    caption: str
    comment: str = ""  # for the file's metadata
    curves: Sequence[PhraseCurve] = ()  # when each sub-phrase is true, below the time line


class Rendering(NamedTuple):
    """What a video's frames are made into."""

    painter: Callable[[VideoReader, SourceFrame], Painter]  # of the first frame that is written
    comment: str = ""  # for the file's metadata
    # To the sample: the sound is encoded anew and begins and ends with the pictures.
    exact_sound: bool = False
    # Every time stamp stands as it is: what comes before the range need not be decoded.
    straight: bool = False


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
    """``write_video`` with ``drawing`` on the frames."""

    def painter(reader: VideoReader, first: SourceFrame) -> Painter:
        return Annotated(reader, first, drawing.tubes, drawing.caption, drawing.curves)

    return write_video(
        source,
        target,
        Rendering(painter, drawing.comment),
        video,
        output,
        progress,
        stopped,
        before,
    )


def write_video(
    source: Path,
    target: Path,
    drawing: Rendering,
    video: VideoConfig,
    output: OutputConfig,
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
    before: Callable[[], None] = lambda: None,
) -> Written:
    """Write ``target``: what ``drawing`` makes of the range of ``source``.

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
                writing = _Writing(reader, part, plan, output, drawing)
                try:
                    written = writing.run(progress, stopped)
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
        self, reader: VideoReader, part: Path, plan: _Plan, output: OutputConfig, drawing: Rendering
    ) -> None:
        self._reader = reader
        self._part = part
        self._plan = plan
        self._output = output
        self._rendering = drawing
        self._tick = _MILLISECOND if plan.coarse else reader.info.time_base
        self._heard = False  # there is sound in it
        self._approached = drawing.straight and reader.approach()

    def run(self, progress: Progress, stopped: Callable[[], bool]) -> Written:
        """Write it all. Raises what PyAV raises where the muxer refuses."""
        import av

        options = {
            "movflags": "+faststart",  # plays while it loads
            # Edit lists, which hold a late start, count in this unit: milliseconds would round it.
            "movie_timescale": str(timescale(self._tick)),
        }
        if self._plan.coarse:
            options["video_track_timescale"] = str(self._tick.denominator)
        with av.open(
            f"file:{self._part}", "w", format="mp4", container_options=options
        ) as container:
            if self._rendering.comment:
                container.metadata["comment"] = self._rendering.comment
            return self._fill(container, progress, stopped)

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
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> Written:
        reader = self._reader
        frames = reader.frames()
        first = next(frames)
        shift_s = _shift(reader, first) * reader.info.time_base
        painter = self._rendering.painter(reader, first)
        stream = self._stream(container, first.raw, painter.size)
        with self._sound(container, first, shift_s) as sound:
            self._heard = bool(sound)
            if self._approached:
                sound.approach()
            frame: SourceFrame | None = first
            done, at = 0, -1
            lead: int | None = None  # from the first packet's decoding to its being shown
            while frame is not None:
                picture = painter.paint(frame)
                time_s = frame.pts * reader.info.time_base
                at = max(at + 1, round((time_s - shift_s) / self._tick))  # coarse ticks may collide
                picture.pts, picture.time_base = at, self._tick
                packets = stream.encode(picture)
                lead = _lead(packets) if lead is None else lead
                container.mux(packets)
                sound.until(time_s)
                done += 1
                progress("draw", done, reader.expected_frames)
                if stopped():
                    break
                frame = next(frames, None)
            end_s = self._last_end_s() - shift_s
            container.mux(_ending(stream.encode(None), at, round(end_s / self._tick), lead))
            if frame is None:
                sound.until(self._end_s())
            sound.finish()
            seen = reader.timeline
            return Written(
                frame is None,
                (*self._plan.warnings, *sound.warnings),
                (float(seen.times_s[0]), seen.end_s),
            )

    def _stream(
        self, container: OutputContainer, raw: VideoFrame, size: tuple[int, int]
    ) -> VideoStream:
        """The H.264 stream with the source's aspect ratio and colour tags."""
        info = self._reader.info
        stream = container.add_stream(
            "libx264",
            rate=info.avg_fps,
            # With mbtree x264 sometimes encodes the same flat pictures in other bytes.
            options={
                "crf": str(self._output.crf),
                "preset": "veryfast",
                "x264-params": "mbtree=0",
            },
        )
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = self._tick
        context = stream.codec_context
        context.time_base = self._tick
        context.sample_aspect_ratio = info.sample_aspect
        context.colorspace = raw.colorspace if raw.colorspace != 0 else 2  # RGB's "matrix" is none
        context.color_primaries, context.color_trc = raw.color_primaries, raw.color_trc
        context.color_range = 1
        return stream

    def _sound(self, container: OutputContainer, first: SourceFrame, shift_s: Fraction) -> Sound:
        from cospal_cli.video.audio import Sound

        begin_s = first.pts * self._reader.info.time_base
        cut = shift_s or self._reader.window.start or self._rendering.exact_sound
        return Sound(
            self._reader.path,
            container,
            begin_s if cut else -math.inf,
            shift_s,
            self._reader.clock,
            wanted=self._plan.sound,
            exact=self._rendering.exact_sound,
        )

    def _last_end_s(self) -> Fraction:
        """When the last frame that was decoded stops being shown, in the source's own time."""
        begin = self._reader.info.start_pts * self._reader.info.time_base
        return begin + Fraction(self._reader.timeline.end_s)

    def _end_s(self) -> Fraction | float:
        """Where the sound ends, in the source's own time, after the last picture."""
        reader = self._reader
        if not (reader.window.end or reader.window.length):
            return math.inf
        return float(reader.info.start_pts * reader.info.time_base) + reader.timeline.end_s


def _lead(packets: list[Packet]) -> int | None:
    """Ticks from the first packet's decoding, of a whole stream, to its being shown."""
    return (packets[0].pts or 0) - (packets[0].dts or 0) if packets else None


def _ending(packets: list[Packet], last: int, end: int, lead: int | None) -> list[Packet]:
    """The last packets; the muxer cannot know that the frame at ``last`` is shown up to ``end``.

    For the length it takes the end of the last frame, or, if that is less, the sum of all times
    from packet to packet, in order of decoding.
    """
    for packet in packets:
        if packet.pts == last:
            packet.duration = max(1, end - last)
    if packets:
        early = (_lead(packets) if lead is None else lead) or 0
        packets[-1].duration = max(1, end - early - (packets[-1].dts or 0))
    return packets


def _shift(reader: VideoReader, first: SourceFrame) -> int:
    """Ticks by which everything is moved earlier: none for a whole, ordinary video."""
    start = reader.info.start_pts
    ordinary = first.pts == start and not reader.free_running
    return 0 if ordinary and 0 <= start * reader.info.time_base <= _LONGEST_LEAD_S else first.pts


def timescale(time_base: Fraction) -> int:
    """Units per second for the whole file in which the source's ticks are whole numbers."""
    ticks = time_base.denominator
    return ticks * -(-1000 // ticks) if ticks <= 1_000_000 else 1000
