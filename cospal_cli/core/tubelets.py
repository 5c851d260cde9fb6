"""What is found in the frames: detections, their colours, and tubelets; see ``core.arrays``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.brief import brief
from cospal_cli.core.clips import Clips
from cospal_cli.core.contract import expect


@dataclass(frozen=True)
class Detections:
    """One frame's boxes, best first."""

    frame_index: int
    boxes_xyxy: FloatArray  # (D, 4)
    scores: FloatArray  # (D,)
    labels: IntArray  # (D,) index into the detector's class names
    label_scores: FloatArray  # (D, L) every class's score for the box
    features: FloatArray | None = None  # (D, F)
    # Only from a detector that was prompted with the sentence:
    referral: FloatArray | None = None  # (D,) how well the box fits the referral phrase
    token_scores: FloatArray | None = None  # (D, W) the score of every word of the sentence

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.boxes_xyxy)
        expect("boxes_xyxy", self.boxes_xyxy, (n, 4), "f")
        expect("scores", self.scores, (n,), "f")
        expect("labels", self.labels, (n,), "i")
        expect("label_scores", self.label_scores, (n, None), "f")
        for name, shape in (
            ("features", (n, None)),
            ("referral", (n,)),
            ("token_scores", (n, None)),
        ):
            if getattr(self, name) is not None:
                expect(name, getattr(self, name), shape, "f")

    def __len__(self) -> int:
        return len(self.boxes_xyxy)


@dataclass(frozen=True)
class BoxColours:
    """Colours and thumbnails of D boxes; small enough to keep for hours of video.

    ``shares`` (D, R, C) uint8: share (0..255) of colour name c in region r, the names and regions
    of ``colours.NAMES`` and ``colours.REGIONS``. ``thumbs`` (D, S, S) uint8: gray box thumbnail.
    """

    shares: NDArray[np.uint8]
    thumbs: NDArray[np.uint8]

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.shares)
        expect("shares", self.shares, (n, None, None), "u")
        expect("thumbs", self.thumbs, (n, None, None), "u")

    def __len__(self) -> int:
        return len(self.shares)

    def take(self, rows: IntArray) -> BoxColours:
        """Those of some boxes, in the order of ``rows``."""
        return BoxColours(self.shares[rows], self.thumbs[rows])


@dataclass(frozen=True)
class Tubelet:
    """One object through time, at the sampled frames from its first to its last (gaps filled)."""

    id: int
    frame_indices: IntArray  # (T,) source ordinals, strictly increasing
    times_s: NDArray[np.float64]  # (T,)
    boxes_xyxy: FloatArray  # (T, 4)
    scores: FloatArray  # (T,); interpolated where not observed
    observed: NDArray[np.bool_]  # (T,)
    label_scores: FloatArray  # (L,) mean over observations
    colours: BoxColours | None = None  # one row per *observed* frame
    camera_xy: FloatArray | None = None  # (T, 2) where the camera's motion alone carries a point,
    # in displayed pixels, relative to the video's first frame: centre - camera_xy is world motion
    track_ids: tuple[int, ...] = ()  # the tracker's ids that were linked into this tubelet
    referral: FloatArray | None = None  # (O,) the detections' own, one per *observed* frame
    features: NDArray[np.float16] | None = None  # (O, F) likewise
    clips: Clips | None = None  # of what lies inside its box, while it is there

    __repr__ = brief

    def __post_init__(self) -> None:
        n = len(self.frame_indices)
        expect("boxes_xyxy", self.boxes_xyxy, (n, 4), "f")
        for name in ("times_s", "scores", "observed"):
            expect(name, getattr(self, name), (n,), "bf")
        expect("label_scores", self.label_scores, (None,), "f")
        if self.camera_xy is not None:
            expect("camera_xy", self.camera_xy, (n, 2), "f")
        seen = int(self.observed.sum())
        for name in ("colours", "referral", "features"):
            rows = getattr(self, name)
            if rows is not None and len(rows) != seen:
                raise ValueError(
                    f"{name}: one row per observation, expected {seen}, found {len(rows)}"
                )

    def __len__(self) -> int:
        return len(self.frame_indices)
