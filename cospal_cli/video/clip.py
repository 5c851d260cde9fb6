"""The found moment cut out of its video.

clip = write_clip(Moment(Path("film.mp4"), tube), Path("film.clip.mp4"), pad="1s")
clip.span_s   # (12.32, 17.8): what of the film it shows, in seconds from its first frame
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cospal_cli.core.progress import Progress, never, silent
from cospal_cli.settings import OutputConfig, VideoConfig
from cospal_cli.video.crop import crop_path
from cospal_cli.video.moment import Moment
from cospal_cli.video.paint import Cropped, Painter, Upright
from cospal_cli.video.ranges import parse_mark
from cospal_cli.video.reader import SourceFrame, VideoReader
from cospal_cli.video.writer import Rendering, Written, write_video

NO_PAD = "0"


def write_clip(
    moment: Moment,
    target: Path,
    pad: str = NO_PAD,
    output: OutputConfig | None = None,
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
    before: Callable[[], None] = lambda: None,
) -> Written:
    """Write the moment, and ``pad`` more before and after it, as an MP4 that browsers play.

    H.264, AAC, encoded anew: its first and last frames are those of the tube, the sound is cut to
    the sample. ``pad``: frames or a time, as --start takes them; it ends with the video.
    ``Written.span_s`` says what of the source is in it. Written whole, or not at all: InputError
    where the source cannot be read, UsageError for a bad ``pad``, DeviceError when the disk is
    full. ``progress``, ``stopped`` and ``before``: as ``write_video``.
    """
    return _write(moment, target, pad, Upright, output, progress, stopped, before)


def write_crop(
    moment: Moment,
    target: Path,
    pad: str = NO_PAD,
    output: OutputConfig | None = None,
    progress: Progress = silent,
    stopped: Callable[[], bool] = never,
    before: Callable[[], None] = lambda: None,
) -> Written:
    """``write_clip`` of a window that follows the subject (``crop_path``)."""

    def painter(reader: VideoReader, first: SourceFrame) -> Painter:
        info = reader.info
        size = (info.width, info.height)
        return Cropped(reader, first, crop_path(moment.tube, size, float(info.sample_aspect)))

    return _write(moment, target, pad, painter, output, progress, stopped, before)


def _write(
    moment: Moment,
    target: Path,
    pad: str,
    painter: Callable[[VideoReader, SourceFrame], Painter],
    output: OutputConfig | None,
    progress: Progress,
    stopped: Callable[[], bool],
    before: Callable[[], None],
) -> Written:
    drawing = Rendering(painter, exact_sound=True, straight=moment.straight)
    config = padded(moment, pad)
    settings = output or OutputConfig()
    return write_video(moment.source, target, drawing, config, settings, progress, stopped, before)


def padded(moment: Moment, pad: str) -> VideoConfig:
    """How to read the moment and ``pad`` around it. UsageError where ``pad`` is not a length."""
    mark, tube = parse_mark(pad, "pad"), moment.tube
    if (mark.frames and mark.frames > 0) or (not moment.straight and mark.seconds is None):
        frames = mark.frames or 0
        start, end = int(tube.frame_indices[0]) - frames, int(tube.frame_indices[-1]) + 1 + frames
        return replace(moment.whole, start=str(max(0, start)), end=str(end))
    more_s = mark.seconds or 0.0  # times can be found without counting frames
    start_s, end_s = max(0.0, float(tube.times_s[0]) - more_s), tube.span_s[1] + more_s
    return replace(moment.whole, start=f"{start_s:.6f}s", end=f"{end_s:.6f}s")
