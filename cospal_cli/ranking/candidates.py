"""A tubelet with all that ranking needs, computed once per video and shared by its queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cospal_cli.core.boxes import area, centres, iou
from cospal_cli.core.brief import brief
from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.types import FloatArray, Timeline, Tubelet
from cospal_cli.features.motion import MotionCurves, motion

_ECHO_TIME, _ECHO_IOU = 0.6, 0.45  # shares of a tubelet's life and of its boxes
_EDGE_S = 0.35  # nearer than this to the video's ends is neither entering nor leaving


@dataclass(frozen=True)
class Candidate:
    """One tubelet that may be meant. Positions and sizes are shares of the frame."""

    tubelet: Tubelet
    motion: MotionCurves
    colours: FloatArray  # (R, C) mean share of each colour name in each region
    centre: FloatArray  # (2,) median centre
    size: float  # square root of the median share of the frame's area
    height: float  # median share of the frame's height
    start: float  # share of the video's time after which it appears
    length_s: float
    enters: bool  # appears after the video began
    leaves: bool  # disappears before the video ends
    echo: bool = False  # a part of another candidate, detected beside the whole

    __repr__ = brief


def candidates(
    tubelets: Sequence[Tubelet], size: tuple[int, int], timeline: Timeline
) -> list[Candidate]:
    """Every tubelet, in the order of ``tubelets``. ``size`` is the displayed (W, H)."""
    start, end = float(timeline.times_s[0]), timeline.end_s
    order = sorted(tubelets, key=lambda t: (len(t), float(t.scores.mean())))
    echoes = {t.id for n, t in enumerate(order) if any(_echoes(t, o) for o in order[n + 1 :])}
    return [_candidate(tubelet, size, start, end, tubelet.id in echoes) for tubelet in tubelets]


def _echoes(tubelet: Tubelet, other: Tubelet) -> bool:
    """Whether ``tubelet`` lies on a longer one of its own kind for most of its life."""
    shared = min(tubelet.times_s[-1], other.times_s[-1]) - max(tubelet.times_s[0], other.times_s[0])
    if shared < _ECHO_TIME * (tubelet.times_s[-1] - tubelet.times_s[0]):
        return False
    kinds = tubelet.label_scores, other.label_scores
    if kinds[0] @ kinds[1] < 0.5 * np.linalg.norm(kinds[0]) * np.linalg.norm(kinds[1]):
        return False
    _, rows, others = np.intersect1d(
        tubelet.frame_indices, other.frame_indices, assume_unique=True, return_indices=True
    )
    overlaps = iou(tubelet.boxes_xyxy[rows], other.boxes_xyxy[others])
    return len(rows) > 0 and float(np.median(overlaps)) > _ECHO_IOU


def _candidate(
    tubelet: Tubelet, size: tuple[int, int], start: float, end: float, echo: bool
) -> Candidate:
    first, last = float(tubelet.times_s[0]), float(tubelet.times_s[-1])
    share = np.sqrt(np.median(area(tubelet.boxes_xyxy)) / (size[0] * size[1]))
    return Candidate(
        tubelet,
        motion(tubelet, size),
        _colours(tubelet),
        np.median(centres(tubelet.boxes_xyxy) / np.array(size, np.float32), axis=0),
        float(share),
        float(np.median(np.diff(tubelet.boxes_xyxy[:, 1::2]))) / size[1],
        (first - start) / max(end - start, 1e-6),
        last - first,
        first - start > _EDGE_S,
        end - last > _EDGE_S,
        echo,
    )


def _colours(tubelet: Tubelet) -> FloatArray:
    """Mean over observations, weighted by score: weak boxes are often half background."""
    if tubelet.colours is None:
        return np.full((len(REGIONS), len(NAMES)), 1 / len(NAMES), np.float32)
    weights = np.maximum(tubelet.scores[tubelet.observed], 0.05)
    shares = tubelet.colours.shares.astype(np.float32) / 255
    return np.einsum("t,trc->rc", weights / weights.sum(), shares)
