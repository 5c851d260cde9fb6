"""Sound beside the pictures: packets copied as they are, or AAC where MP4 players refuse them.

Nothing that is wrong with the sound keeps the pictures from being written: what cannot be read,
encoded or muxed is left out and counted (``Sound.warnings``). Time stamps go by the table of
``timing``.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from cospal_cli.core.foreign import of_system
from cospal_cli.video import probe
from cospal_cli.video.cut_sound import LEAD_S, Cutter
from cospal_cli.video.timing import ESTIMATES, StreamClock

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

# What MP4 may hold and players play. It also takes PCM and Vorbis, which few of them do.
_COPIED = {"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"}
_PATIENCE_S = 10  # the pictures' joint is this near to that of the sound


class Sound:
    """Every sound track of ``source``, added to ``target``; nothing where there is none.

    The source is read a second time, so that the pictures' reader stays simple; packets are
    written as far as the pictures have come (``until``), which interleaves the two.
    """

    def __init__(
        self,
        source: Path,
        target: OutputContainer,
        begin_s: Fraction | float,
        shift_s: Fraction,
        pictures: StreamClock,
        *,
        wanted: bool = True,
        exact: bool = False,
    ) -> None:
        """Sound before ``begin_s`` is left out; all is moved ``shift_s`` seconds earlier.

        ``pictures`` is the clock that the pictures go by: times are in its seconds. Where it is
        not ``wanted``, there is none. ``exact``: it is cut to the sample, at ``begin_s`` and at
        the last time that ``until`` was called with.
        """
        self._target = target
        self._begin_s = begin_s - LEAD_S if exact else begin_s
        self._reached_s: Fraction | float = begin_s
        self._lost: Counter[str] = Counter()
        self._reasons: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._input = probe.open_alone(source)
        wraps = probe.wraps(self._input)
        self._tracks: dict[int, _Track] = {}
        for source_track in self._input.streams.audio if wanted else ():
            try:
                track = _Track(
                    source_track, target, shift_s, pictures, wraps, begin_s if exact else None
                )
            except _survivable() as error:
                self._leave_out(error, "tracks")
            else:
                self._tracks[source_track.index] = track
        self._restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._packets.close()
        self._input.close()

    def __bool__(self) -> bool:
        """Whether there is any sound."""
        return bool(self._tracks)

    @property
    def warnings(self) -> list[str]:
        """What was left out so far."""
        lines = []
        for what, count in self._lost.items():
            number = f"{count} {what}" if count > 1 else f"1 {what.removesuffix('s')}"
            why = "; ".join(list(self._reasons[what])[:3])
            lines.append(f"sound left out: {number} ({why})")
        return lines

    def approach(self) -> None:
        """Skip to shortly before the begin; only where every time stamp is used as it stands."""
        with suppress(*_survivable()):
            self._input.seek(max(0, int((self._begin_s - 1) * 1_000_000)))
            self._packets.close()
            self._restart()

    def _restart(self) -> None:
        self._packets = self._read()
        self._queue = self._with_following()
        self._next = next(self._queue, None)

    def until(self, time_s: Fraction | float) -> None:
        """Write what begins before ``time_s``, in the pictures' time."""
        self._take(time_s)
        self._reached_s = time_s
        for track in self._tracks.values():
            self._mux(partial(track.released, time_s))

    def _take(self, time_s: Fraction | float) -> None:
        while self._next is not None:
            track, packet, following = self._next
            choice = track.clock.choose(probe.stamp(packet), following, packet.pos)
            now_s = choice.time * track.clock.tick_s
            if now_s >= time_s:
                return
            if track.clock.waits(choice, packet.pos) and time_s < track.reached_s + _PATIENCE_S:
                return  # the pictures say where this recording begins
            if choice.rule in ESTIMATES and choice.rule != "missing":
                self._leave_out("time stamps out of order")
            else:
                track.clock.accept(choice)
                if now_s >= self._begin_s:
                    self._mux(partial(track.written, packet, choice.time))
            self._next = next(self._queue, None)

    def finish(self) -> None:
        """Write what the encoders still hold."""
        for track in self._tracks.values():
            self._mux(partial(track.rest, self._reached_s))

    def _mux(self, made: Callable[[], list[Packet]]) -> None:
        try:
            self._target.mux(made())
        except _survivable() as error:
            self._leave_out(error)

    def _leave_out(self, why: BaseException | str, what: str = "packets") -> None:
        if isinstance(why, BaseException) and of_system(why):  # not a fault of the sound
            raise why
        self._lost[what] += 1
        if isinstance(why, BaseException):
            why = getattr(why, "strerror", None) or str(why) or type(why).__name__
        self._reasons[what][why] = None

    def _read(self) -> Generator[Packet]:
        tracks = [track.source for track in self._tracks.values()]
        try:
            for packet in self._input.demux(*tracks) if tracks else ():
                if packet.size:  # leaves out the empty ones that end a stream
                    yield packet
        except _survivable():
            return  # a damaged end: the pictures' reader has reported it

    def _with_following(self) -> Iterator[_Queued]:
        """Each packet with the stamp of the next one of its track."""
        held: dict[int, Packet] = {}
        for packet in self._packets:
            before = held.pop(packet.stream_index, None)
            if before is not None:
                yield _Queued(self._tracks[packet.stream_index], before, probe.stamp(packet))
            held[packet.stream_index] = packet
        for index, packet in held.items():
            yield _Queued(self._tracks[index], packet, None)


class _Track:
    """One sound track, copied or encoded anew."""

    def __init__(
        self,
        source: AudioStream,
        target: OutputContainer,
        shift_s: Fraction,
        pictures: StreamClock,
        wraps: bool,
        begin_s: Fraction | float | None = None,
    ) -> None:
        """``begin_s``: cut to the sample, from there on. ValueError where the track lacks what a
        copy needs."""
        context = source.codec_context
        tick_s = source.time_base
        if context is None or not source.rate or not source.channels or not tick_s:
            raise ValueError("a track of an unknown codec or form")
        self.source = source
        step = max(1, round(Fraction(context.frame_size or 1024, source.rate) / tick_s))
        self.clock = StreamClock(step, tick_s, wraps=wraps, leader=pictures)
        self._shift = round(shift_s / tick_s)
        self._last: int | None = None
        self.copied = begin_s is None and context.codec.canonical_name in _COPIED
        if self.copied:
            self.stream = target.add_stream_from_template(source)
        else:
            self.stream = target.add_stream("aac", rate=_rate(source.rate), layout=_layout(source))
        self._cutter = None if begin_s is None else Cutter(source, self.stream, float(begin_s))

    @property
    def reached_s(self) -> Fraction | float:
        """Seconds up to which packets were written; infinite before the first."""
        return math.inf if self._last is None else (self._last + self._shift) * self.clock.tick_s

    def written(self, packet: Packet, time: int) -> list[Packet]:
        """The packets to write for one of the source's, which belongs at ``time`` ticks."""
        time -= self._shift
        if self._last is not None and time <= self._last:
            return []  # two recordings overlap here; the muxer would refuse it
        self._last = time
        if self._cutter is not None:
            self._cutter.take(packet, float((time + self._shift) * self.clock.tick_s))
            return []
        packet.pts = packet.dts = time
        if self.copied:
            packet.stream = self.stream
            return [packet]
        frames = self.source.decode(packet)
        return [out for frame in frames for out in self.stream.encode(frame)]

    def released(self, time_s: Fraction | float) -> list[Packet]:
        """What a cut track holds of the sound before ``time_s``."""
        return [] if self._cutter is None else self._cutter.released(time_s)

    def rest(self, end_s: Fraction | float) -> list[Packet]:
        """The end of an encoded track, at ``end_s`` where it is cut."""
        if self._cutter is not None:
            return self._cutter.rest(end_s)
        return [] if self.copied else list(self.stream.encode(None))


class _Queued(NamedTuple):
    track: _Track
    packet: Packet
    following: int | None  # the next stamp of the track


def _survivable() -> tuple[type[Exception], ...]:
    """What PyAV raises for sound that is damaged, or that it cannot handle."""
    import av

    # IndexError: a stream that began late.
    return av.error.FFmpegError, ValueError, TypeError, IndexError, NotImplementedError


def _rate(rate: int) -> int:
    """The lowest sample rate, in Hz, of AAC that keeps all of ``rate``; 48000 at most."""
    import av

    known = sorted(av.Codec("aac", "w").audio_rates or [44100, 48000])
    return next((hz for hz in known if rate <= hz <= 48000), 48000)


def _layout(source: AudioStream) -> str:
    return "mono" if source.channels == 1 else "stereo"
