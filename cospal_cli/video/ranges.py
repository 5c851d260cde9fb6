"""``--start``, ``--end`` and ``--duration``: frames, seconds or clock time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cospal_cli.core.errors import UsageError
from cospal_cli.settings import VideoConfig

_FRAMES = re.compile(r"\d+")
_SECONDS = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*s")
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d*)?)")
_HINT = 'write frames ("120"), seconds ("12.5s") or "HH:MM:SS.mmm"'


@dataclass(frozen=True)
class Mark:
    """A place on the time line or a length: a number of frames or of seconds (one is None)."""

    frames: int | None = None
    seconds: float | None = None

    def reached(self, index: int, time_s: float) -> bool:
        """Whether a frame with this ordinal and time is at or after the mark."""
        if self.frames is not None:
            return index >= self.frames
        assert self.seconds is not None
        return time_s >= self.seconds - 1e-6  # pts round to ticks, never to less than a microsecond


def parse_mark(text: str, option: str) -> Mark:
    """ "120", "12.5s", "01:02.5" or "1:02:03.25" as a Mark; UsageError names ``option``."""
    text = text.strip()
    if _FRAMES.fullmatch(text):
        return Mark(frames=int(text))
    if match := _SECONDS.fullmatch(text):
        return Mark(seconds=float(match[1]))
    match = _CLOCK.fullmatch(text)
    if match is None or int(match[2]) >= 60 or float(match[3]) >= 60:
        raise UsageError(f"--{option} {text!r} is not a time", _HINT)
    return Mark(seconds=int(match[1] or 0) * 3600 + int(match[2]) * 60 + float(match[3]))


@dataclass(frozen=True)
class Window:
    """The half-open range [start, end) of frames to read; None leaves a side open."""

    start: Mark | None = None
    end: Mark | None = None
    length: Mark | None = None  # counted from the first frame that is read

    @classmethod
    def parse(cls, config: VideoConfig) -> Window:
        """From the three options; UsageError when they contradict or leave nothing."""
        if config.end and config.duration:
            raise UsageError(
                f"--end {config.end!r} and --duration {config.duration!r} cannot be combined",
                "give only one of them",
            )
        given = {
            name: parse_mark(text, name) if text else None
            for name, text in (
                ("start", config.start),
                ("end", config.end),
                ("duration", config.duration),
            )
        }
        start, end, length = given["start"], given["end"], given["duration"]
        zero = Mark(0) if end and end.frames is not None else Mark(seconds=0.0)
        if end and _not_after(end, start or zero):
            raise UsageError(
                f"--end {config.end!r} is not after --start {config.start or '0'!r}", _HINT
            )
        if length and not (length.frames or length.seconds):
            raise UsageError(f"--duration {config.duration!r} is empty", _HINT)
        return cls(start, end, length)

    def begins(self, index: int, time_s: float) -> bool:
        """Whether the frame is not before the range."""
        return self.start is None or self.start.reached(index, time_s)

    def ends(self, index: int, time_s: float, first: tuple[int, float]) -> bool:
        """Whether the frame is past the range that began at ``first`` (ordinal, time)."""
        if self.end is not None and self.end.reached(index, time_s):
            return True
        if self.length is None:
            return False
        # A start in seconds is the exact origin of a length in seconds, not the frame after it.
        origin_s = first[1]
        if self.start is not None and self.start.seconds is not None:
            origin_s = self.start.seconds
        return self.length.reached(index - first[0], time_s - origin_s)

    def seconds(self, total_s: float, fps: float) -> float:
        """Length of the range within a video of ``total_s`` seconds, for progress only."""

        def place(mark: Mark) -> float:
            return mark.frames / fps if mark.frames is not None else float(mark.seconds or 0)

        start = place(self.start) if self.start else 0.0
        end = place(self.end) if self.end else total_s
        if self.length:
            end = start + place(self.length)
        return max(0.0, min(end, total_s) - start)


def _not_after(end: Mark, start: Mark) -> bool:
    """Whether ``end`` <= ``start`` for certain; marks of different units wait for the video."""
    if end.frames is not None and start.frames is not None:
        return end.frames <= start.frames
    if end.seconds is not None and start.seconds is not None:
        return end.seconds <= start.seconds
    return False
