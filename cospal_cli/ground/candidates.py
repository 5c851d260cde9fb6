"""A tubelet with all that ranking needs, computed once per video and shared by its queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cospal_cli.boxes import area, centres
from cospal_cli.colours import NAMES, REGIONS
from cospal_cli.features.motion import Motion, motion
from cospal_cli.types import FloatArray, Timeline, Tubelet


@dataclass(frozen=True)
class Candidate:
    """One tubelet in the race. Positions and sizes are shares of the frame."""

    tubelet: Tubelet
    motion: Motion
    colours: FloatArray  # (R, C) mean share of each colour name in each region
    centre: FloatArray  # (2,) median centre
    size: float  # square root of the median share of the frame's area
    length_s: float
    enters: bool  # appears after the video began
    leaves: bool  # disappears before the video ends


EDGE_S = 0.35  # nearer than this to the video's ends is no entering or leaving


def candidates(
    tubelets: Sequence[Tubelet], size: tuple[int, int], timeline: Timeline
) -> list[Candidate]:
    """The race's field, in the order of ``tubelets``. ``size`` is the displayed (W, H)."""
    start, end = float(timeline.times_s[0]), timeline.end_s
    return [_candidate(tubelet, size, start, end) for tubelet in tubelets]


def _candidate(tubelet: Tubelet, size: tuple[int, int], start: float, end: float) -> Candidate:
    first, last = float(tubelet.times_s[0]), float(tubelet.times_s[-1])
    share = np.sqrt(np.median(area(tubelet.boxes_xyxy)) / (size[0] * size[1]))
    return Candidate(
        tubelet,
        motion(tubelet, size),
        _colours(tubelet),
        np.median(centres(tubelet.boxes_xyxy) / np.array(size, np.float32), axis=0),
        float(share),
        last - first,
        first - start > EDGE_S,
        end - last > EDGE_S,
    )


def _colours(tubelet: Tubelet) -> FloatArray:
    """Mean over observations, weighted by score: weak boxes are often half background."""
    if tubelet.looks is None:
        return np.full((len(REGIONS), len(NAMES)), 1 / len(NAMES), np.float32)
    weights = np.maximum(tubelet.scores[tubelet.observed], 0.05)
    shares = tubelet.looks.colours.astype(np.float32) / 255
    return np.einsum("t,trc->rc", weights / weights.sum(), shares)
