"""A moment cut out without encoding: from the key frame before it, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cospal_cli.core import files
from cospal_cli.core.errors import DeviceError, InputError
from cospal_cli.core.foreign import of_system
from cospal_cli.video import probe
from cospal_cli.video.moment import Moment
from cospal_cli.video.ranges import parse_mark
from cospal_cli.video.reader import VideoReader
from cospal_cli.video.writer import Written, timescale

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer
    from av.video.stream import VideoStream

_HELD = {"h264", "hevc", "av1", "vp9", "mpeg4"}  # what players expect in an MP4
_ANEW = "cut it with --clip, which encodes it anew"
_BEGINNING = -(2**62)  # a stamp before any


def write_copy(
    moment: Moment, target: Path, pad: str = "0", before: Callable[[], None] = lambda: None
) -> Written:
    """Write the moment, and ``pad`` around it, as an MP4 with the source's own packets.

    It begins at the last key frame that is not after the wanted start, and may end a few frames
    late: ``Written.span_s`` says what of the source is in it. Written whole, or not at all.
    InputError where the source cannot be cut so, UsageError for a bad ``pad``, DeviceError when
    the disk is full. ``before``: called when the file is whole, just before it gets its name.
    """
    import av

    mark, tube = parse_mark(pad, "pad"), moment.tube
    with VideoReader(moment.source, moment.whole) as reader:
        info = reader.info
        if not moment.straight:
            raise InputError(f"the time stamps of {info.path!r} had to be put right", _ANEW)
        if probe.pictures(moment.source) or info.codec not in _HELD:
            raise InputError(f"{info.codec} video cannot be copied into an MP4", _ANEW)
        more_s = mark.seconds or float((mark.frames or 0) / info.avg_fps)
        start = int(tube.pts[0]) - math.ceil(more_s / info.time_base)
        end_s = tube.span_s[1] + more_s
        end = info.start_pts + math.floor(Fraction(end_s).limit_denominator(10**7) / info.time_base)
        with files.replacing(target) as part:
            try:
                written = _copied(moment, reader, part, (max(start, info.start_pts), end))
            except av.error.FFmpegError as error:
                if of_system(error):
                    raise
                why = error.strerror or str(error)
                raise DeviceError(
                    f"MP4 cannot hold {info.path!r} as it is: {why}", _ANEW
                ) from error
            before()
    return written


def _copied(moment: Moment, reader: VideoReader, part: Path, span: tuple[int, int]) -> Written:
    """Write the packets of the pictures between two stamps, and the sound that goes with them."""
    import av

    from cospal_cli.video.audio import Sound

    info, config = reader.info, moment.video
    options = {"movflags": "+faststart", "movie_timescale": str(timescale(info.time_base))}
    source, stream = probe.open_video(
        moment.source, config.max_pixels, config.stream, config.image_fps
    )
    with source, av.open(f"file:{part}", "w", format="mp4", container_options=options) as out:
        packets = _between(source, stream, *span)
        first = next(packets)
        end = key = first.pts
        key_s = key * info.time_base
        copy = out.add_stream_from_template(stream, opaque=True)  # not by the decoder's name
        with Sound(moment.source, out, key_s, key_s, reader.clock) as sound:
            sound.approach()
            for shown, decoded, packet in chain([first], packets):
                end = max(end, shown + (packet.duration or 0))
                packet.pts, packet.dts, packet.stream = shown - key, decoded - key, copy
                out.mux(packet)
                sound.until(decoded * info.time_base)
            sound.until(end * info.time_base)
            sound.finish()
    tick_s = float(info.time_base)
    shown_s = ((key - info.start_pts) * tick_s, (end - info.start_pts) * tick_s)
    return Written(True, tuple(sound.warnings), shown_s)


class _Stamped(NamedTuple):
    pts: int
    dts: int
    packet: Packet


def _between(
    container: InputContainer, stream: VideoStream, start: int, end: int
) -> Iterator[_Stamped]:
    """The packets, in order of decoding, from the key frame at or before ``start`` to ``end``."""
    packets, begin = _sought(container, stream, start)
    late: list[_Stamped] = []  # shown at the end or after; only needed where another follows
    for one in chain(begin, packets):
        if one.dts >= end:
            return
        if one.pts < begin[0].pts:  # belongs to what came before the key frame
            continue
        late.append(one)
        if one.pts < end:
            yield from late
            late = []


def _sought(
    container: InputContainer, stream: VideoStream, start: int
) -> tuple[Iterator[_Stamped], list[_Stamped]]:
    """What follows, and what is from the key frame up to ``start``; from the file's beginning
    where searching does not help: some containers then give no stamps."""
    for place in (start, _BEGINNING):
        container.seek(place, stream=stream)
        packets = _stamped(container, stream)
        try:
            begin = _from_key(packets, start)
        except InputError:
            if place == _BEGINNING:
                raise
            continue
        if begin:
            return packets, begin
    raise InputError("no key frame can be found before the moment", _ANEW)


def _from_key(packets: Iterator[_Stamped], start: int) -> list[_Stamped]:
    """From the last key frame at or before ``start`` on; what follows is left in ``packets``."""
    begin: list[_Stamped] = []
    for one in packets:
        if one.packet.is_keyframe and one.pts <= start:
            begin = [one]
        elif begin:
            begin.append(one)
        if one.dts > start:
            break
    return begin


def _stamped(container: InputContainer, stream: VideoStream) -> Iterator[_Stamped]:
    """The packets; where the container has no order of decoding at first, they get one."""
    held: list[Packet] = []
    for packet in container.demux(stream):
        if not packet.size:
            continue  # the end
        if packet.pts is None:
            raise InputError("some of its packets have no time stamp", _ANEW)
        if packet.dts is None:
            held.append(packet)
            continue
        step = packet.duration or 1
        for before, one in zip(range(len(held), 0, -1), held, strict=True):
            yield _Stamped(one.pts or 0, packet.dts - before * step, one)
        held = []
        yield _Stamped(packet.pts, packet.dts, packet)
    if held:
        raise InputError("its packets have no order of decoding", _ANEW)
