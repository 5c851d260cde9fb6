"""What is compared: a ground truth and a prediction, in 0-based half-open frames of the video."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.brief import brief
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.metrics import Frames


@dataclass(frozen=True)
class Track:
    """One box at each of some frames. ValueError where the two do not fit."""

    frames: Frames  # (T,) strictly increasing
    boxes_xyxy: NDArray[np.float64]  # (T, 4) pixels of the displayed frame

    __repr__ = brief

    def __post_init__(self) -> None:
        frames = np.asarray(self.frames, np.int64)
        boxes = np.asarray(self.boxes_xyxy, np.float64).reshape(-1, 4)
        object.__setattr__(self, "frames", frames)
        object.__setattr__(self, "boxes_xyxy", boxes)
        if len(frames) != len(boxes):
            raise ValueError(f"boxes: expected one per frame, {len(frames)}, found {len(boxes)}")
        if np.any(np.diff(frames) <= 0):
            raise ValueError("frames: expected strictly increasing numbers")
        if not np.isfinite(boxes).all():
            raise ValueError("boxes: expected finite numbers")

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def span(self) -> FrameSpan:
        """From its first frame to after its last; (0, 0) for no frame."""
        if not len(self):
            return FrameSpan(0, 0)
        return FrameSpan(int(self.frames[0]), int(self.frames[-1]) + 1)

    def cut(self, span: FrameSpan) -> Track:
        """Its part inside ``span``."""
        low, high = np.searchsorted(self.frames, span)
        return Track(self.frames[low:high], self.boxes_xyxy[low:high])


NOTHING = Track(np.empty(0, np.int64), np.empty((0, 4)))


@dataclass(frozen=True)
class Truth:
    """The subject's tube. Frames of ``span`` without a box are not part of ``track``."""

    span: FrameSpan  # when the sentence is true
    track: Track  # boxes, all inside ``span``
    segment: FrameSpan  # frames of the video that the sentence is searched in
    fps: float  # the rate that protocols with sampled frames assume
    form: str = "declarative"  # or interrogative
    video: str = ""  # sentences about one video are not independent of each other

    __repr__ = brief

    def __post_init__(self) -> None:
        start, end = self.span
        low, high = self.track.span
        if not (start < end and self.segment[0] < self.segment[1]):
            raise ValueError(f"span: expected start < end, found {self.span} in {self.segment}")
        if not (len(self.track) and start <= low and high <= end):
            raise ValueError(f"track: expected boxes inside {self.span}, found {(low, high)}")
        if not 0 < self.fps < float("inf"):
            raise ValueError(f"fps: expected a positive number, found {self.fps}")

    @property
    def frames(self) -> Frames:
        """Every frame of the span."""
        return np.arange(*self.span)


@dataclass(frozen=True)
class Prediction:
    """A prediction: one tubelet cut to a span; the rest is for what-if rows and top-1."""

    track: Track  # the chosen tubelet over its whole life, or the bare tube
    span: FrameSpan
    tubelets: tuple[Track, ...] = field(default=())  # all that could have been chosen
    beyond: Track | None = None  # boxes of the tube, where the span leaves the tubelet's life

    __repr__ = brief

    @cached_property
    def tube(self) -> Track:
        """What is scored: the chosen boxes inside the span."""
        return self.track.cut(self.span) if self.beyond is None else self.beyond
