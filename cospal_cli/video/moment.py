"""A tube with its video: what pictures and clips are made of, and the frames that they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.errors import InputError
from cospal_cli.core.foreign import of_system
from cospal_cli.core.tube import Tube
from cospal_cli.settings import VideoConfig
from cospal_cli.video import probe
from cospal_cli.video.reader import VideoReader

if TYPE_CHECKING:
    from av import VideoFrame

_NEAR_S = 4  # decoding on is about as fast as looking for a key frame so near


@dataclass(frozen=True)
class Moment:
    """One tube and the video in which it was found."""

    source: Path
    tube: Tube
    # How the source is read: its stream, the rate of pictures. Its range plays no part.
    video: VideoConfig = field(default_factory=VideoConfig)
    # Every time stamp was used as it stands (``Timeline.rules`` is empty): frames can be found by
    # it, without decoding all that comes before.
    straight: bool = False

    @property
    def whole(self) -> VideoConfig:
        """``video`` without a range; what is damaged elsewhere does not matter."""
        return replace(self.video, start=None, end=None, duration=None, strict=False)


class Frames(NamedTuple):
    """Some frames of a video, as displayed."""

    images: list[NDArray[np.uint8]]  # RGB (h, w, 3)
    size: tuple[int, int]  # (W, H) at full size, whose pixels boxes count
    aspect: Fraction  # width of a pixel by its height


def clock(time_s: float, digits: int = 1) -> str:
    """Seconds as people read a time: "0:03.2", "1:02:03.2"; ``digits`` after the point."""
    units = round(max(0.0, time_s) * 10**digits)
    minutes, rest = divmod(units, 60 * 10**digits)
    seconds = f"{rest / 10**digits:0{digits + 3 if digits else 2}.{digits}f}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def along(tube: Tube, count: int) -> list[int]:
    """Up to ``count`` rows of ``tube``, the first and the last among them, evenly by time."""
    if count < 2:
        return [len(tube.times_s) // 2]
    at_s = np.linspace(tube.times_s[0], tube.times_s[-1], count)
    later = np.clip(np.searchsorted(tube.times_s, at_s), 1, max(1, len(tube.times_s) - 1))
    if len(tube.times_s) == 1:
        return [0]
    nearer = at_s - tube.times_s[later - 1] < tube.times_s[later] - at_s
    return sorted({int(row) for row in later - nearer})


def pictures(moment: Moment, rows: Sequence[int], side: int) -> Frames:
    """The frames of the tube's ``rows``, ascending.

    Their longer side is at most ``side`` pixels; they are never enlarged. InputError where the
    video cannot be read or lacks such a frame.
    """
    with VideoReader(moment.source, moment.whole) as reader:
        size = reader.info.width, reader.info.height
        scale = min(1.0, side / max(size))
        if moment.straight:
            try:
                found = [reader.picture(raw, scale) for raw in _sought(moment, rows)]
                return Frames(found, size, reader.info.sample_aspect)
            except LookupError:
                pass  # the container cannot be searched: count from its beginning
        found = [reader.picture(raw, scale) for raw in _counted(moment, reader, rows)]
        return Frames(found, size, reader.info.sample_aspect)


def _sought(moment: Moment, rows: Sequence[int]) -> Iterator[VideoFrame]:
    """The frames by their time stamps, from the key frame before; LookupError if one is missing."""
    import av

    config = moment.video
    container, stream = probe.open_video(
        moment.source, config.max_pixels, config.stream, config.image_fps
    )
    reached: int | None = None
    near = _NEAR_S / (stream.time_base or 1)
    frames: Iterator[VideoFrame] = iter(())
    with container:
        for wanted in moment.tube.pts[list(rows)].tolist():
            try:
                if reached is None or wanted - reached > near:
                    container.seek(wanted, stream=stream)
                    frames = container.decode(stream)
                raw = next((raw for raw in frames if (probe.stamp(raw) or 0) >= wanted), None)
            except av.error.FFmpegError as error:
                if of_system(error):
                    raise
                raise LookupError(str(error)) from error
            reached = None if raw is None else probe.stamp(raw)
            if raw is None or reached != wanted:
                raise LookupError(f"no frame at {wanted}")
            yield raw


def _counted(moment: Moment, reader: VideoReader, rows: Sequence[int]) -> Iterator[VideoFrame]:
    """The frames by their number, from the video's first on."""
    wanted = moment.tube.frame_indices[list(rows)].tolist()
    left = iter(wanted)
    due = next(left, None)
    for frame in reader.frames() if wanted else ():
        if frame.index == due:
            yield frame.raw
            due = next(left, None)
            if due is None:
                return
    if due is not None:
        raise InputError(
            f"{str(moment.source)!r} has no frame {due}, which the tube has",
            "ground it again: it is not the video in which the tube was found",
        )
