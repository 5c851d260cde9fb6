"""Reading video as a stack of generators: packets, frames, frames with times, samples, batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import shortage
from cospal_cli.core.frames import FrameBatch, Timeline, VideoInfo
from cospal_cli.settings import VideoConfig
from cospal_cli.video import probe
from cospal_cli.video.convert import converted
from cospal_cli.video.health import Health, misfit, shortfall, time_remarks
from cospal_cli.video.orientation import Orientation, orientation
from cospal_cli.video.ranges import Window
from cospal_cli.video.sampling import Gathering, Grid, Moved, Portion
from cospal_cli.video.sparing import Spared, Sparing
from cospal_cli.video.timeline import TimelineBuilder
from cospal_cli.video.timing import REACH, Order, StreamClock, ordered

if TYPE_CHECKING:
    from av import Packet, VideoFrame

_AHEAD_BYTES = 16_000_000  # of packets that wait for the decoder: raw video has megabytes a frame
_ACROSS = 80  # squares across the picture whose mean brightness tells whether it moved
_SQUARE = 8  # pixels that a square measures at least: in fewer, noise looks like motion
_HDR = {16: "PQ", 18: "HLG"}  # transfer characteristics that 8 bits cannot show truly


@dataclass(frozen=True)
class SourceFrame:
    """One decoded frame of the range, before it is reduced or turned."""

    index: int  # presentation ordinal in the source
    pts: int  # source time base units
    time_s: float  # from the video's first frame
    raw: VideoFrame  # as stored: any pixel format, not turned
    reader: VideoReader

    @property
    def image(self) -> NDArray[np.uint8]:
        """The displayed frame at full size, RGB (H, W, 3), contiguous."""
        return self.reader.picture(self.raw, 1.0)


class VideoReader:
    """A video file as frames with true times. Each pass starts at the beginning of the range.

    ``info`` is known at once; ``timeline`` and ``warnings`` are complete after a whole pass.
    InputError where the file cannot be read, or, with ``config.strict``, where it is damaged.
    """

    info: VideoInfo
    orientation: Orientation
    clock: StreamClock  # of the current or last pass
    free_running: bool  # the source's clock may begin anywhere, and overflow
    _source: Generator[tuple[int, VideoFrame | Spared]]
    _head: tuple[int, VideoFrame | Spared]
    _used: bool
    _builder: TimelineBuilder
    _next_pts: int | None

    def __init__(self, path: Path, config: VideoConfig) -> None:
        from av.video.reformatter import VideoReformatter

        self.path = Path(path)
        self.config = config
        self.window = Window.parse(config)
        self._scaler, self._shrinker = VideoReformatter(), VideoReformatter()
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the decoder."""
        self._source.close()
        self._container.close()

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the video, as far as it was read."""
        return self._health.warnings

    @property
    def timeline(self) -> Timeline:
        """Every frame decoded in the current or last pass, in presentation order."""
        built = self._builder.build(self._last_ticks, self._next_pts, tuple(self.warnings))
        return replace(built, damaged=not self._health.whole, rules=self.clock.tally.rules)

    @property
    def expected_frames(self) -> int | None:
        """About how many frames ``frames`` will yield; None when the header does not say."""
        return self._expected(float(self.info.avg_fps))

    @property
    def expected_samples(self) -> int | None:
        """About how many frames ``batches`` will yield; None when the header does not say."""
        return self._expected(min(self.config.fps, float(self.info.avg_fps)))

    def approach(self) -> bool:
        """Let the next pass begin at the key frame before the range, where that can be found.

        Only for a video whose time stamps are used as they stand, and a range that begins at a
        time in seconds. Its frames are then numbered from there; nothing is said of what the file
        lacks. Returns whether it was found.
        """
        import av

        start = self.window.start
        if start is None or not start.seconds or self._pictures:
            return False
        tick = self.info.time_base
        wanted = self.info.start_pts + int(start.seconds / tick)
        try:
            self._container.seek(wanted, stream=self._stream)
            self._source.close()
            self._restart()
            head = next(self._source, None)
        except av.error.FFmpegError as error:
            if shortage(error, "", sized=True):
                raise
            head = None
        self._approached = head is not None and head[0] <= wanted
        if head is None or not self._approached:
            self.close()
            self._open()
            return False
        self._head = head
        return True

    def batches(self, size: int) -> Iterator[FrameBatch]:
        """Frames sampled by time at ``config.fps``, reduced, ``size`` at a time (the last fewer).

        The images' longer side is at most ``config.work_side``; they are never enlarged.
        """
        for portion in self.portions(size):
            if portion.batch is not None:
                yield portion.batch

    def portions(self, size: int, moved: Moved | None = None) -> Iterator[Portion]:
        """Frames sampled as by ``batches``, of which only those that moved are converted.

        ``moved`` says so of a frame, by its ``brightness`` and its time; None: all did.
        """
        shown = (self.info.width, self.info.height)
        scale = min(1.0, self.config.work_side / max(shown))
        gathered = Gathering(size, shown)
        for index, time_s, raw in self._samples():
            still = moved is not None and not moved(self.brightness(raw), time_s)
            gathered.add(index, time_s, None if still else self.picture(raw, scale))
            if gathered.full:
                yield gathered.portion()
                gathered = Gathering(size, shown)
        if gathered.indices:
            yield gathered.portion()

    def frames(self) -> Iterator[SourceFrame]:
        """Every frame of the range in presentation order, converted only when asked for.

        InputError when the range holds none.
        """
        for index, pts, time_s, raw in self._placed():
            assert not isinstance(raw, Spared)  # only where samples are drawn
            yield SourceFrame(index, pts, time_s, raw, self)

    def _placed(self) -> Iterator[tuple[int, int, float, VideoFrame | Spared]]:
        """Number, pts and time of every frame of the range, and the frame unless it is spared."""
        if self._used:
            self.close()
            self._open()
        self._used = True
        first: tuple[int, float] | None = None
        timed = chain([self._head], self._source)
        index, time_s = 0, 0.0
        for index, (pts, raw) in enumerate(timed):
            time_s = self._builder.time_s(pts)
            if first is None:
                if not self.window.begins(index, time_s):
                    continue
                first = (index, time_s)
            if self.window.ends(index, time_s, first):
                self._next_pts = pts
                break
            self._builder.add(index, pts)
            self._last_ticks = raw.duration or 0
            if not isinstance(raw, Spared):
                self._look_at(raw, time_s)
            yield index, pts, time_s, raw
        else:
            if not self._approached:
                self._compare(index + 1, time_s)
        self._tell_times(index + 1)
        if not len(self._builder):
            raise InputError(
                f"no frame of {str(self.path)!r} lies in the range", "check --start and --end"
            )

    def picture(self, raw: VideoFrame, scale: float) -> NDArray[np.uint8]:
        """``raw`` as displayed, RGB (H, W, 3) contiguous, sides times ``scale`` <= 1."""
        width, height = (max(1, round(side * scale)) for side in self._stored)
        same = (raw.width, raw.height) == (width, height)
        image: NDArray[np.uint8] = converted(
            self._scaler,
            raw,
            width=width,
            height=height,
            format="rgb24",
            interpolation="BILINEAR" if same else "AREA",
            dst_color_range="JPEG",
        ).to_ndarray()  # type: ignore[assignment]  # rgb24 is uint8
        return np.ascontiguousarray(self.orientation.apply(image))

    def _expected(self, fps: float) -> int | None:
        if self.info.duration_s is None:
            return None
        length_s = self.window.seconds(self.info.duration_s, float(self.info.avg_fps))
        return max(1, round(length_s * fps))

    def brightness(self, raw: VideoFrame) -> NDArray[np.uint8]:
        """Mean brightness (h, w), 0 to 255, of squares of ``raw`` as stored."""
        longer = max(self._stored)
        scale = min(_ACROSS, max(1, longer // _SQUARE)) / longer
        width, height = (max(1, round(side * scale)) for side in self._stored)
        means: NDArray[np.uint8] = converted(
            self._shrinker,
            raw,
            width=width,
            height=height,
            format="gray",
            interpolation="AREA",
            dst_color_range="JPEG",
        ).to_ndarray()  # type: ignore[assignment]  # gray is uint8
        return means

    def _samples(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """Number, time and pixels of the frames at a grid of ``config.fps``."""
        done = 0
        for spare in (not self.config.strict and not self._approached, False):
            grid, number = Grid(float(self.info.avg_fps), self.config.fps), 0
            foreseen = True
            for index, _, time_s, raw in self._placed():
                if spare and self._sparing.wanted is None and not grid.every:
                    self._sparing.wanted = partial(self._sampled, grid)
                if not grid.take(time_s):
                    continue
                if isinstance(raw, Spared):
                    foreseen = False
                    break
                number += 1
                if number > done:
                    yield index, time_s, raw
            if foreseen:
                return
            done = number  # once more, every frame decoded

    def _sampled(self, grid: Grid, before: int, pts: int) -> bool:
        """Whether the frame of a stamp is sampled, if stamps are used as they stand."""
        return grid.between(self._builder.time_s(before), self._builder.time_s(pts))

    def _open(self) -> None:
        """Open the file, decode up to the first frame and describe what is there."""
        self._health = Health(self.path, self.config.strict)
        self._container, self._stream = probe.open_video(
            self.path, self.config.max_pixels, self.config.stream, self.config.image_fps
        )
        if choice := probe.stream_remark(self._container, self._stream):
            self._health.note(choice)
        self._pictures = probe.pictures(self.path)
        if self._pictures:
            self._health.note(self._pictures.note(self.config.image_fps))
        self._used = self._approached = False
        self._now_s = 0.0
        self._skipped = self._last_ticks = 0
        self._next_pts = None
        rate, tick = probe.frame_rate(self._stream), self._stream.time_base or Fraction(1, 90000)
        step = max(1, round(1 / (rate * tick)))
        self.free_running = probe.wraps(self._container)
        self._step = step
        self._restart()
        try:
            head = next(self._source, None)
            if head is None:
                why = "; ".join(self.warnings) or "the file ends before the first frame"
                raise InputError(
                    f"no frame of {str(self.path)!r} can be decoded: {why}",
                    "copy or convert it again",
                )
            self._head = head
            self._builder = TimelineBuilder(tick, head[0], step)
            assert not isinstance(head[1], Spared)
            self._describe(head[0], head[1], rate, tick)
        except BaseException:
            self.close()
            raise

    def _restart(self) -> None:
        """Decode from where the container stands, as if from the first frame on."""
        self._positions: dict[int | None, int] = {}  # of packets in the file, by stamp
        tick = self._stream.time_base or Fraction(1, 90000)
        self.clock = StreamClock(self._step, tick, wraps=self.free_running)
        self._order = Order(self._step)
        self._sparing = Sparing(self._stream, self._step)
        self._source = self._timed()

    def _describe(self, pts: int, raw: VideoFrame, rate: Fraction, tick: Fraction) -> None:
        self._stored = (raw.width, raw.height)
        self.orientation = orientation(raw)
        if not self.orientation.exact:
            self._health.note(
                "its display matrix is not a right-angle turn; the nearest one is used"
            )
        width, height = self.orientation.size(*self._stored)
        aspect, pictures = probe.sample_aspect(self._stream), self._pictures
        self.info = VideoInfo(
            path=str(self.path),
            width=width,
            height=height,
            rotation=self.orientation.clockwise,
            time_base=tick,
            avg_fps=rate,
            assumed_fps=self.config.image_fps if pictures else None,
            start_pts=pts,
            frames_declared=len(pictures.files) if pictures else self._stream.frames or None,
            duration_s=probe.declared_duration(self._container, self._stream),
            bytes=pictures.bytes if pictures else self.path.stat().st_size,
            sample_aspect=1 / aspect if self.orientation.transpose else aspect,
            codec=self._stream.codec_context.codec.canonical_name or "",
        )

    def _look_at(self, raw: VideoFrame, time_s: float) -> None:
        """Note what makes a frame differ from what its viewer expects."""
        self._now_s = time_s
        if (raw.width, raw.height) != self._stored:
            self._health.note(
                f"the frame size changes to {raw.width}x{raw.height} at {time_s:.2f} s; frames "
                f"scaled to the first, {self._stored[0]}x{self._stored[1]}: {{count}}",
                "size",
            )
        if raw.color_trc in _HDR:
            self._health.note(f"HDR ({_HDR[raw.color_trc]}): shown in 8 bits without tone mapping")

    def _compare(self, decoded: int, last_s: float) -> None:
        """Hold what was decoded against what the header and the file's structure promise."""
        end_s = max(last_s, self.timeline.end_s)
        joined = bool(self.clock.tally.count("joined"))
        lost = shortfall(
            replace(self.info, duration_s=None) if joined else self.info,  # that of one of them
            decoded,
            self._skipped,
            end_s,
            duration_is_videos=probe.duration_is_videos(self._container, self._stream),
            counts_repeats=self._container.format.name == "avi",
        )
        cut = probe.cut_short(self.path)
        if cut:
            lost = (
                f"{lost}; {cut}"
                if lost
                else f"the file ends early: {cut}; decoded {decoded} frames"
            )
        if lost:
            self._health.lost(lost)
        elif not joined and (text := misfit(self.info.duration_s, end_s)):
            # What is known of a stream without a header is itself worked out from the time stamps.
            (self._health.note if self.free_running else self._health.doubt)(text)

    def _tell_times(self, decoded: int) -> None:
        """Say which time stamps of the ``decoded`` frames were not used as they stand."""
        doubts, notes = time_remarks(self.clock, self.info.avg_fps, decoded)
        for note in notes:
            self._health.note(note)
        for doubt in doubts:
            self._health.doubt(doubt)

    def _timed(self) -> Generator[tuple[int, VideoFrame | Spared]]:
        """Decoded frames with repaired pts, from the video's first frame on."""
        stamped = ordered(
            ((_stamp(frame), frame) for frame in self._decoded()),
            suspect=lambda: self._order.suspect(self._reorders),
            forced=lambda: self._reorders,
            step=self.clock.step,
        )
        held: tuple[int | None, VideoFrame | Spared, bool] | None = None
        for following in stamped:
            if held is not None:
                yield self._place(held, following[0]), held[1]
            held = following
        if held is not None:
            yield self._place(held, None), held[1]

    def _place(
        self, held: tuple[int | None, VideoFrame | Spared, bool], following: int | None
    ) -> int:
        """The pts of a frame, with the next one's stamp."""
        stamp, _, permuted = held
        pts = self.clock.place(stamp, following, self._positions.pop(stamp, None))
        if permuted:
            self.clock.count("permuted", pts)
        return pts

    @property
    def _reorders(self) -> bool:
        """Whether the codec may decode frames in another order than they are shown."""
        return bool(self._stream.codec_context.has_b_frames)

    def _decoded(self) -> Iterator[VideoFrame | Spared]:
        """Frames in presentation order; what cannot be decoded is counted and passed over."""
        import av

        for packet in self._packets():
            self._skipped += bool(packet.is_discard)
            if self._sparing.spares(packet, self._order.suspect(self._reorders)):
                continue
            try:
                frames = packet.decode()
            except av.error.EOFError:
                break
            except av.error.FFmpegError as error:
                if shortage(error, "", sized=True):
                    raise
                self._health.damaged(self._now_s, error.strerror or str(error))
                continue
            for frame in frames:
                if frame.is_corrupt:
                    self._health.damaged(self._now_s)
                yield from self._sparing.before(frame)
                yield frame
        yield from self._sparing.rest()

    def _packets(self) -> Iterator[Packet]:
        """The stream's packets, up to ``REACH`` of them ahead, in view of ``_order``."""
        prefetch: deque[Packet] = deque()
        size = 0
        for packet in self._demuxed():
            self._order.see(packet.pts)
            self._sparing.see(packet)
            if self.free_running and packet.pos is not None:
                self._positions[probe.stamp(packet)] = packet.pos
                if len(self._positions) > 8 * REACH:  # those of packets that gave no frame
                    self._positions.pop(next(iter(self._positions)))
            prefetch.append(packet)
            size += packet.size
            while len(prefetch) > REACH or (size > _AHEAD_BYTES and len(prefetch) > 1):
                size -= prefetch[0].size
                yield prefetch.popleft()
        yield from prefetch

    def _demuxed(self) -> Iterator[Packet]:
        """The stream's packets; where reading breaks off, the decoder still gets its flush."""
        import av

        try:
            yield from self._container.demux(self._stream)
            return
        except av.error.FFmpegError as error:
            if shortage(error, "", sized=True):
                raise
            self._health.damaged(self._now_s, f"reading stopped: {error.strerror or error}")
        except IndexError:  # PyAV's end of a file in which a stream began late
            self._health.note("a stream that begins late in the file is left out")
        flush = av.Packet()
        flush.stream = self._stream
        yield flush


def _stamp(frame: VideoFrame | Spared) -> int | None:
    return frame.pts if isinstance(frame, Spared) else probe.stamp(frame)
