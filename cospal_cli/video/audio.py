"""Sound beside the pictures: packets copied as they are, or AAC where MP4 players refuse them."""

from __future__ import annotations

from collections.abc import Generator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cospal_cli.video.probe import open_alone

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

# What MP4 may hold and players play. It also takes PCM and Vorbis, which few of them do.
_COPIED = {"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"}


class Sound:
    """Every sound track of ``source``, added to ``target``; nothing where there is none.

    The source is read a second time, so that the pictures' reader stays simple; packets are
    written as far as the pictures have come (``until``), which interleaves the two.
    """

    def __init__(
        self, source: Path, target: OutputContainer, begin_s: float, shift_s: Fraction
    ) -> None:
        """Sound before ``begin_s`` is left out; all is moved ``shift_s`` seconds earlier."""
        self._target = target
        self._begin_s = begin_s
        self._input = open_alone(source)
        self._tracks = {
            track.index: _Track(track, target, shift_s)
            for track in self._input.streams.audio
            if track.codec_context is not None and track.rate and track.channels
        }
        streams = [track.source for track in self._tracks.values()]
        self._packets = self._read(streams)
        self._next = next(self._packets, None)

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

    def until(self, time_s: float) -> None:
        """Write what begins before ``time_s``, in the source's own time."""
        while self._next is not None and _time_s(self._next) < time_s:
            packet = self._next
            if _time_s(packet) >= self._begin_s:
                self._target.mux(self._tracks[packet.stream_index].written(packet))
            self._next = next(self._packets, None)

    def finish(self) -> None:
        """Write what the encoders still hold."""
        for track in self._tracks.values():
            self._target.mux(track.rest())

    def _read(self, streams: list[AudioStream]) -> Generator[Packet]:
        import av

        try:
            for packet in self._input.demux(*streams) if streams else ():
                if packet.dts is not None:  # also leaves out the empty ones that end a stream
                    yield packet
        except av.error.FFmpegError:
            return  # a damaged end: the pictures' reader has told of it


class _Track:
    """One sound track, copied or encoded anew."""

    def __init__(self, source: AudioStream, target: OutputContainer, shift_s: Fraction) -> None:
        self.source = source
        self._shift_s = shift_s
        self._last_dts: int | None = None
        self.copied = source.codec_context.codec.canonical_name in _COPIED
        if self.copied:
            self.stream = target.add_stream_from_template(source)
        else:
            rate = min(source.rate, 48000)
            self.stream = target.add_stream("aac", rate=rate, layout=_layout(source))

    def written(self, packet: Packet) -> list[Packet]:
        """The packets to write for one of the source's; none for a damaged one."""
        import av

        if self.copied:
            return self._moved(packet)
        try:
            frames = self.source.decode(packet)
        except av.error.FFmpegError:
            return []
        out: list[Packet] = []
        for frame in frames:
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(self._shift_s / frame.time_base)
            out += self.stream.encode(frame)
        return out

    def _moved(self, packet: Packet) -> list[Packet]:
        dts = packet.dts
        if dts is None or (self._last_dts is not None and dts <= self._last_dts):
            return []  # the muxer would refuse it, and with it the whole file
        self._last_dts = dts
        ticks = round(self._shift_s / packet.time_base)
        packet.pts = (dts if packet.pts is None else packet.pts) - ticks
        packet.dts = dts - ticks
        packet.stream = self.stream
        return [packet]

    def rest(self) -> list[Packet]:
        """The end of an encoded track."""
        return [] if self.copied else list(self.stream.encode(None))


def _layout(source: AudioStream) -> str:
    return "mono" if source.channels == 1 else "stereo"


def _time_s(packet: Packet) -> float:
    stamp = packet.pts if packet.pts is not None else packet.dts
    return float((stamp or 0) * packet.time_base)
