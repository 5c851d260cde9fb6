"""The field's ways to score one tube against one truth. They differ by frames and denominators.

plain     every frame; sets of frames (method: metrics). Frames of the truth's span that have no
          box count for time but not for boxes.
tubedetr  boxes only on frames sampled at 5 a second (at most 200), vIoU over those in the hull.
stcat     the truth's last frame is stored inclusively but read half-open, so it is lost: a
          perfect tube of n frames scores (n - 1) / n. vIoU over the hull.
hcvg      HC-STVG's own script: everything over the hull; equal to plain for tubes without holes.

The hull goes from the earlier start to the later end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cospal_cli.core.errors import UsageError
from cospal_cli.core.observation import FrameSpan
from cospal_cli.evaluation.metrics import Frames, common_ious, s_iou, t_iou
from cospal_cli.evaluation.tubes import Track, Truth

SAMPLED_FPS = 5
MOST_SAMPLED = 200


class Score(NamedTuple):
    """Overlaps in [0, 1]: of time, of tubes, and of boxes alone at the truth's frames."""

    t_iou: float
    v_iou: float
    s_iou: float


def plain(truth: Truth, tube: Track, whole: Track) -> Score:
    """Sets of frames; see the module."""
    _, overlaps = _common(tube, truth)
    frames = truth.frames
    union = len(tube) + len(frames) - len(tube.cut(truth.span))
    scored = union - (len(frames) - len(truth.track))
    return Score(t_iou(tube.frames, frames), float(overlaps.sum()) / scored, _spatial(truth, whole))


def tubedetr(truth: Truth, tube: Track, whole: Track) -> Score:
    """Boxes on sampled frames, times on raw frame numbers; see the module."""
    grid = sampled(truth)
    common, overlaps = _common(tube, truth)
    hull = _within(grid, *_hull(truth.span, tube.span))
    on_grid = np.isin(common, grid, assume_unique=True)
    seen, spatial = _common(whole, truth)
    truths = np.isin(truth.track.frames, grid, assume_unique=True).sum()
    return Score(
        _range_iou(truth.span, tube.span),
        float(overlaps[on_grid].sum()) / max(hull, 1),
        float(spatial[np.isin(seen, grid, assume_unique=True)].sum()) / max(int(truths), 1),
    )


def stcat(truth: Truth, tube: Track, whole: Track) -> Score:
    """The truth's range one frame short; see the module. Also that of CG-STVG and TA-STVG."""
    short = FrameSpan(truth.span[0], truth.span[1] - 1)
    common, overlaps = _common(tube, truth)
    low, high = _hull(short, tube.span)
    total = float(overlaps[common < short[1]].sum())
    return Score(_range_iou(short, tube.span), total / max(high - low, 1), _spatial(truth, whole))


def hcvg(truth: Truth, tube: Track, whole: Track) -> Score:
    """Over the hull; see the module."""
    common, overlaps = _common(tube, truth)
    low, high = _hull(truth.span, tube.span)
    frames = high - low
    return Score(len(common) / frames, float(overlaps.sum()) / frames, _spatial(truth, whole))


PROTOCOLS: dict[str, Callable[[Truth, Track, Track], Score]] = {
    "plain": plain,
    "tubedetr": tubedetr,
    "stcat": stcat,
    "hcvg": hcvg,
}


def score(protocol: str, truth: Truth, tube: Track, whole: Track | None = None) -> Score:
    """``tube`` against ``truth``; ``whole`` is what the boxes alone are judged by (None: tube).

    A tube without boxes scores 0 in time and as a tube. UsageError for an unknown protocol.
    """
    if protocol not in PROTOCOLS:
        raise UsageError(f"unknown protocol {protocol!r}", f"known: {', '.join(PROTOCOLS)}")
    overlaps = PROTOCOLS[protocol](truth, tube, tube if whole is None else whole)
    return overlaps if len(tube) else Score(0.0, 0.0, overlaps.s_iou)


def sampled(truth: Truth) -> Frames:
    """The frames of the segment that tubedetr samples: where f · 5 / fps passes a whole number.

    The last frame of the segment is never among them, and at most 200 evenly chosen ones are.
    """
    start, end = truth.segment
    frames = np.arange(start, max(end - 1, start + 1))
    ticks = (frames * (SAMPLED_FPS / truth.fps)).astype(np.int64)
    kept = frames[np.r_[True, np.diff(ticks) > 0]]
    if len(kept) > MOST_SAMPLED:
        kept = kept[np.arange(MOST_SAMPLED) * len(kept) // MOST_SAMPLED]
    return kept


def _common(tube: Track, truth: Truth) -> tuple[Frames, np.ndarray]:
    """The frames (C,) at which both have a box, and the boxes' IoU (C,)."""
    track = truth.track
    rows, ious = common_ious(tube.frames, tube.boxes_xyxy, track.frames, track.boxes_xyxy)
    return tube.frames[rows], ious


def _spatial(truth: Truth, whole: Track) -> float:
    return s_iou(whole.frames, whole.boxes_xyxy, truth.track.frames, truth.track.boxes_xyxy)


def _hull(a: FrameSpan, b: FrameSpan) -> FrameSpan:
    return FrameSpan(min(a[0], b[0]), max(a[1], b[1]))


def _within(frames: Frames, start: int, end: int) -> int:
    """How many of the sorted ``frames`` lie in [start, end)."""
    low, high = np.searchsorted(frames, (start, end))
    return int(high - low)


def _range_iou(a: FrameSpan, b: FrameSpan) -> float:
    common = max(0, min(a[1], b[1]) - max(a[0], b[0]))
    return common / (a[1] - a[0] + b[1] - b[0] - common) if common else 0.0
