"""What the videos of a data set really are, as opposed to what annotations say of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cospal_cli.core.progress import Progress, failures, silent
from cospal_cli.core.worker_pool import Failure, attempt_all
from cospal_cli.settings import VideoConfig
from cospal_cli.video import probe
from cospal_cli.video.reader import VideoReader

OPENED, DECODED = 250, 8  # fewer videos than this are not worth a process of their own
COUNTED_BYTES = 500_000_000  # of larger files without a frame count the packets are not counted


@dataclass(frozen=True)
class VideoState:
    """A video that could be opened."""

    size: tuple[int, int]  # displayed width and height
    fps: float  # average
    frames: int  # declared in the header; else what the duration promises, or counted packets
    declared: bool = True  # AVI's does not count: repeats are in it. Else off by a few
    decoded: int | None = None  # frames, where it was decoded to its end
    aspect: float = 1.0  # of one pixel, width by height
    rotation: int = 0  # degrees that it was turned for display
    warnings: tuple[str, ...] = ()


def examine(video: Path, decode: bool = False) -> VideoState:
    """Open a video and decode its first frame, or all of them. InputError where that fails."""
    with VideoReader(video, VideoConfig()) as reader:
        info, decoded = reader.info, None
        declared = info.frames_declared if video.suffix.lower() != ".avi" else None
        frames = declared or _packets(video)
        if not frames and info.duration_s is not None:
            frames = round(info.duration_s * info.avg_fps)
        if decode or not frames:
            decoded = sum(1 for _ in reader.frames())
        return VideoState(
            size=(info.width, info.height),
            fps=float(info.avg_fps),
            frames=frames or decoded or 0,
            declared=declared is not None,
            decoded=decoded,
            aspect=float(info.sample_aspect),
            rotation=info.rotation,
            warnings=tuple(reader.warnings) if decoded and reader.timeline.damaged else (),
        )


def examine_all(
    videos: Iterable[Path], *, decode: bool = False, workers: int = 0, progress: Progress = silent
) -> dict[Path, VideoState | Failure]:
    """The state of each video, or why it has none. ``workers``: at most so many processes."""
    every = sorted(set(videos))
    workers = min(workers, len(every) // (DECODED if decode else OPENED))
    states: dict[Path, VideoState | Failure] = {}
    failed = 0
    for video, state in attempt_all(every, partial(examine, decode=decode), workers):
        states[video] = state
        failed += isinstance(state, Failure)
        progress("check", len(states), len(every), failures(failed))
    return states


def _packets(video: Path) -> int:
    """How many packets of video the file holds, about one a frame. 0 where the duration in the
    header says as much, or where the file is too large to count."""
    container, stream = probe.open_video(video, VideoConfig().max_pixels)
    try:
        if probe.duration_is_videos(container, stream) or video.stat().st_size > COUNTED_BYTES:
            return 0
        return sum(bool(packet.size) for packet in container.demux(stream))
    except OSError:  # FFmpeg's errors are of this kind: the file is damaged
        return 0
    finally:
        container.close()
