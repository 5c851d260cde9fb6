"""A tubelet with all that ranking needs, computed once per video and shared by its queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import area, centres, iou
from cospal_cli.core.brief import brief
from cospal_cli.core.colours import NAMES, REGIONS
from cospal_cli.core.frames import Timeline
from cospal_cli.core.middle import median
from cospal_cli.core.tubelets import Tubelet
from cospal_cli.features.motion import MotionCurves, motion

_ECHO_TIME, _ECHO_IOU = 0.6, 0.45  # shares of a tubelet's life and of its boxes
_EDGE_S = 0.35  # nearer than this to the video's ends is neither entering nor leaving


@dataclass(frozen=True)
class Candidate:
    """One tubelet that may be meant. Positions and sizes are shares of the frame."""

    tubelet: Tubelet
    frame: tuple[int, int]  # (W, H)
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

    @cached_property
    def motion(self) -> MotionCurves:
        """How it moves."""
        return motion(self.tubelet, self.frame)


def candidates(
    tubelets: Sequence[Tubelet], size: tuple[int, int], timeline: Timeline
) -> list[Candidate]:
    """Every tubelet, in the order of ``tubelets``. ``size`` is the displayed (W, H)."""
    start, end = float(timeline.times_s[0]), timeline.end_s
    order = sorted(tubelets, key=lambda t: (len(t), float(t.scores.mean())))
    likely = _may_echo(order)
    echoes = {
        order[at].id
        for at in np.flatnonzero(likely.any(axis=1))
        if any(_lies_on(order[at], order[other]) for other in np.flatnonzero(likely[at]))
    }
    return [_candidate(tubelet, size, start, end, tubelet.id in echoes) for tubelet in tubelets]


def _may_echo(order: Sequence[Tubelet]) -> NDArray[np.bool_]:
    """(K, K) whether a tubelet is there most of its life with a later one of its own kind."""
    if not order:
        return np.zeros((0, 0), bool)
    first, last = np.array([(t.times_s[0], t.times_s[-1]) for t in order]).T
    shared = np.minimum(last, last[:, None]) - np.maximum(first, first[:, None])
    kinds = np.stack([t.label_scores for t in order])
    norms = np.linalg.norm(kinds, axis=1)
    alike = kinds @ kinds.T >= 0.5 * norms * norms[:, None]
    return np.triu(alike & (shared >= _ECHO_TIME * (last - first)[:, None]), 1)


def _lies_on(tubelet: Tubelet, other: Tubelet) -> bool:
    """Whether the boxes of two tubelets are much the same."""
    _, rows, others = np.intersect1d(
        tubelet.frame_indices, other.frame_indices, assume_unique=True, return_indices=True
    )
    overlaps = iou(tubelet.boxes_xyxy[rows], other.boxes_xyxy[others])
    return len(rows) > 0 and float(median(overlaps)) > _ECHO_IOU


def _candidate(
    tubelet: Tubelet, size: tuple[int, int], start: float, end: float, echo: bool
) -> Candidate:
    first, last = float(tubelet.times_s[0]), float(tubelet.times_s[-1])
    share = np.sqrt(median(area(tubelet.boxes_xyxy)) / (size[0] * size[1]))
    return Candidate(
        tubelet,
        size,
        _colours(tubelet),
        median(centres(tubelet.boxes_xyxy) / np.array(size, np.float32), axis=0),
        float(share),
        float(median(np.diff(tubelet.boxes_xyxy[:, 1::2]))) / size[1],
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
