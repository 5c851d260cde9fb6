"""What one pass over a video leaves: plain data, storable, and the only type of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.brief import brief
from cospal_cli.core.clips import Clips
from cospal_cli.core.errors import InputError
from cospal_cli.core.frames import Timeline, VideoInfo
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.core.unchanged import Unchanged

Crops = Mapping[int, tuple[tuple[float, bytes], ...]]  # track id -> (seconds, JPEG) by time

Shown = Mapping[int, FloatArray]  # tubelet id -> mean ImageNet-1k probabilities (1000,)


class FrameSpan(NamedTuple):
    """Source frames ``first`` to before ``stop``."""

    first: int
    stop: int


class TimeSpan(NamedTuple):
    """Seconds from the video's first frame, half-open; or, where said, shares of the video."""

    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Observation:
    """One pass over a video: answers any number of queries.

    Where the detector is prompted with the sentence, those of that sentence alone.
    """

    info: VideoInfo
    timeline: Timeline
    tubelets: tuple[Tubelet, ...]
    classes: tuple[str, ...]  # the detector's
    model: Mapping[str, str] = field(default_factory=dict)  # id and sha256 of the detector
    crops: Crops = field(default_factory=dict, repr=False)  # pictures of the tubelets' tracks
    appearance: Shown = field(default_factory=dict, repr=False)  # what they show, where computed
    clips: Clips | None = None  # where trained heads are to be run
    interrupted: bool = False  # ends before the range does
    source: Unchanged | None = None  # the file as it was before the pass; None: not known

    __repr__ = brief

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the displayed frame."""
        return self.info.width, self.info.height

    @property
    def span_s(self) -> TimeSpan:
        """From the first frame's time to the end of the last one's display."""
        return TimeSpan(float(self.timeline.times_s[0]), self.timeline.end_s)

    def check_source(self, needed: bool = True) -> None:
        """InputError if the video's file is no longer the one observed; see ``Unchanged.check``."""
        if self.source is not None:
            self.source.check(needed)

    def without_clips(self) -> Observation:
        """Likewise, without the clips of the video and of its tubelets."""
        tubelets = tuple(replace(one, clips=None) for one in self.tubelets)
        return replace(self, clips=None, tubelets=tubelets)

    def within(self, span: FrameSpan) -> Observation:
        """Only the part of the video in ``span``. InputError where it has no frame there."""
        line = self.timeline
        rows = np.flatnonzero((line.indices >= span.first) & (line.indices < span.stop))
        if not len(rows):
            raise InputError(
                f"{self.info.path}: no frame of the annotated segment {span.first} to {span.stop}",
                f"the video has {len(line.indices)} frames",
            )
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        end_s = float(line.times_s[part.stop]) if part.stop < len(line.times_s) else line.end_s
        cut = replace(
            line, indices=line.indices[part], pts=line.pts[part], times_s=line.times_s[part],
            end_s=end_s,
        )  # fmt: skip
        kept = [one for tubelet in self.tubelets if (one := _within(tubelet, span)) is not None]
        return replace(self, timeline=cut, tubelets=tuple(kept))


@dataclass(frozen=True)
class HeadFeatures:
    """What the heads see of an observation. K tubelets, T times, C clips."""

    ids: tuple[int, ...]  # (K) of the tubelets
    tubelets: FloatArray  # (K, T, F)
    tubelet_mask: NDArray[np.bool_]  # (K, T)
    clips: FloatArray  # (C, Dv)


def _within(tubelet: Tubelet, span: FrameSpan) -> Tubelet | None:
    """The tubelet from its first to its last observation in ``span``; None without any."""
    inside = (tubelet.frame_indices >= span.first) & (tubelet.frame_indices < span.stop)
    rows = np.flatnonzero(inside & tubelet.observed)
    if not len(rows):
        return None
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    before = int(tubelet.observed[: part.start].sum())
    seen = slice(before, before + len(rows))
    colours = tubelet.colours
    return replace(
        tubelet,
        frame_indices=tubelet.frame_indices[part],
        times_s=tubelet.times_s[part],
        boxes_xyxy=tubelet.boxes_xyxy[part],
        scores=tubelet.scores[part],
        observed=tubelet.observed[part],
        camera_xy=None if tubelet.camera_xy is None else tubelet.camera_xy[part],
        colours=None if colours is None else colours.take(np.arange(seen.start, seen.stop)),
        referral=None if tubelet.referral is None else tubelet.referral[seen],
        features=None if tubelet.features is None else tubelet.features[seen],
    )
