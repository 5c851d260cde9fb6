"""A video and its frames: what decoding leaves."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import IntArray
from cospal_cli.core.brief import brief
from cospal_cli.core.contract import expect


@dataclass(frozen=True)
class VideoInfo:
    """The metadata of a video. ``width``/``height`` are those of the displayed frame."""

    path: str
    width: int
    height: int
    rotation: int  # degrees clockwise that were applied: 0, 90, 180 or 270
    time_base: Fraction
    avg_fps: Fraction
    start_pts: int = 0
    frames_declared: int | None = None
    duration_s: float | None = None
    bytes: int | None = None
    sample_aspect: Fraction = Fraction(1)
    codec: str = ""
    assumed_fps: float | None = None  # of pictures, which do not say; None: the file's own stamps


@dataclass(frozen=True)
class FrameBatch:
    """Sampled frames. ``images`` (N, h, w, 3) may be smaller than the displayed ``size`` (W, H)."""

    images: NDArray[np.uint8]
    indices: IntArray  # 0-based presentation ordinals in the source
    times_s: NDArray[np.float64]
    size: tuple[int, int]  # displayed (width, height)

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.images)
        expect("images", self.images, (n, None, None, 3), "u")
        expect("indices", self.indices, (n,), "i")
        expect("times_s", self.times_s, (n,), "f")

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class TimeRule:
    """A rule by which time stamps were put right (the table is in ``video.timing``)."""

    rule: str
    count: int  # frames, or places on the time line
    first_s: float  # where first


@dataclass(frozen=True)
class Timeline:
    """Every decoded source frame of the chosen range, in presentation order. Length F."""

    indices: IntArray  # ordinals in the source; consecutive
    pts: IntArray  # source time base units, strictly increasing (estimated where damaged)
    times_s: NDArray[np.float64]  # strictly increasing
    end_s: float  # time at which the last frame's display ends
    vfr: bool = False
    warnings: tuple[str, ...] = ()
    damaged: bool = False  # some of it could not be read; the warnings say what
    rules: tuple[TimeRule, ...] = ()  # none: every time stamp is used as it stands

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.indices)
        expect("pts", self.pts, (n,), "i")
        expect("times_s", self.times_s, (n,), "f")
