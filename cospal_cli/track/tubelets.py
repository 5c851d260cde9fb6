"""Tracked detections become tubelets: fragments linked, gaps filled, boxes smoothed, twins merged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cospal_cli.boxes import centres, clip, iou
from cospal_cli.config import TrackerConfig
from cospal_cli.track.camera import Motion
from cospal_cli.track.history import Columns, History
from cospal_cli.track.kinds import Kinds
from cospal_cli.track.link import Fragment, World, link
from cospal_cli.types import FloatArray, IntArray, Looks, Tubelet

_TWIN = 0.7  # IoU above which two boxes of one kind show one thing
_MOST = 0.6  # share of the shorter tubelet's frames on which twins must overlap so
_WINDOW = 2.0  # smoothing kernel's reach, in standard deviations
_PULL = 0.08  # smoothing moves no edge by more, of the box's side


def build(
    history: History, kinds: Kinds, config: TrackerConfig, size: tuple[int, int]
) -> list[Tubelet]:
    """All tubelets with at least ``config.min_observations``, by first frame, then score."""
    columns = history.columns()
    if columns is None:
        return []
    times = np.array(history.times_s)
    world = World.of(columns.frames, times, columns.boxes, columns.colours, history.camera)
    fragments = link(_fragments(columns, history, kinds), world, config.link_gap_s)
    fragments = [f for f in fragments if len(f.rows) >= config.min_observations]
    fragments = _without_twins(fragments, columns)
    fragments.sort(key=lambda f: (columns.frames[f.rows[0]], -columns.scores[f.rows].sum()))
    return [
        _tubelet(number, fragment, columns, history, config, size)
        for number, fragment in enumerate(fragments)
    ]


def _fragments(columns: Columns, history: History, kinds: Kinds) -> list[Fragment]:
    """One fragment per track; its kind is the one that its scores add up to."""
    starts = np.flatnonzero(np.diff(columns.tracks, prepend=-1))
    fragments = []
    for rows in np.split(np.arange(len(columns.tracks)), starts[1:]):
        track = int(columns.tracks[rows[0]])
        labels = history.label_sums[track]
        kind = int(kinds.of_label[labels.argmax()])
        fragments.append(Fragment((track,), kind, history.track_shots[track], rows, labels))
    return fragments


def _without_twins(fragments: list[Fragment], columns: Columns) -> list[Fragment]:
    """Of two fragments of one kind that are one box for most of the shorter's life, the better."""
    better = sorted(fragments, key=lambda f: -float(columns.scores[f.rows].sum()))
    kept: list[Fragment] = []
    for fragment in better:
        twin = next((i for i, k in enumerate(kept) if _twins(k, fragment, columns)), None)
        if twin is None:
            kept.append(fragment)
            continue
        weight = len(kept[twin].rows) / max(len(kept[twin].rows) + len(fragment.rows), 1)
        merged = weight * (kept[twin].label_sum + fragment.label_sum)
        kept[twin] = replace(kept[twin], label_sum=merged)
    return kept


def _twins(a: Fragment, b: Fragment, columns: Columns) -> bool:
    if (a.kind, a.shot) != (b.kind, b.shot):
        return False
    frames_a, frames_b = columns.frames[a.rows], columns.frames[b.rows]
    if frames_a[0] > frames_b[-1] or frames_b[0] > frames_a[-1]:
        return False
    _, in_a, in_b = np.intersect1d(frames_a, frames_b, assume_unique=True, return_indices=True)
    overlap = iou(columns.boxes[a.rows[in_a]], columns.boxes[b.rows[in_b]])
    return bool((overlap > _TWIN).sum() > _MOST * min(len(frames_a), len(frames_b)))


def _tubelet(
    number: int,
    fragment: Fragment,
    columns: Columns,
    history: History,
    config: TrackerConfig,
    size: tuple[int, int],
) -> Tubelet:
    seen = columns.frames[fragment.rows].astype(np.int64)
    frames = np.arange(seen[0], seen[-1] + 1)
    times = np.array(history.times_s[frames[0] : frames[-1] + 1])
    camera = history.camera[frames[0] : frames[-1] + 1]
    observed = np.zeros(len(frames), bool)
    observed[seen - seen[0]] = True
    boxes = _fill(columns.boxes[fragment.rows], observed, times, camera)
    boxes = clip(smooth(boxes, times, config.smooth_s), *size)
    scores = np.interp(times, times[observed], columns.scores[fragment.rows])
    return Tubelet(
        id=number,
        frame_indices=np.array(history.indices, np.int64)[frames],
        times_s=times,
        boxes_xyxy=boxes,
        scores=scores.astype(np.float32),
        observed=observed,
        label_scores=fragment.label_sum / np.float32(len(fragment.rows)),
        looks=Looks(columns.colours[fragment.rows], columns.thumbs[fragment.rows]),
        camera_xy=_carried(boxes, camera),
        track_ids=fragment.tracks,
    )


def _fill(
    boxes: FloatArray,
    observed: NDArray[np.bool_],
    times_s: NDArray[np.float64],
    camera: list[Motion],
) -> FloatArray:
    """Boxes (T, 4) at all times from those (m, 4) observed: straight lines in the still world."""
    if observed.all():
        return boxes
    zoom = np.array([m.zoom for m in camera], np.float32)[:, None]
    shift = np.array([m.shift * 2 for m in camera], np.float32)
    world = (boxes - shift[observed]) / zoom[observed]
    sides = [np.interp(times_s, times_s[observed], world[:, side]) for side in range(4)]
    filled = (np.stack(sides, axis=1) * zoom + shift).astype(np.float32)
    filled[observed] = boxes
    return filled


def smooth(boxes: FloatArray, times_s: NDArray[np.float64], smooth_s: float) -> FloatArray:
    """Boxes (T, 4) less their jitter: a local straight line in time, Gaussian weights.

    ``smooth_s`` is the kernel's full width at half height. Constant motion passes unchanged, at
    the ends too, and no edge moves by more than a small part of its side.
    """
    if smooth_s <= 0 or len(boxes) < 3:
        return boxes
    deviation = smooth_s / 2.355
    reach = _WINDOW * deviation
    low = np.searchsorted(times_s, times_s - reach)
    high = np.searchsorted(times_s, times_s + reach, side="right")
    offsets = np.arange(int((high - low).max()))
    rows = low[:, None] + offsets
    inside = rows < high[:, None]
    rows = np.minimum(rows, len(boxes) - 1)
    lag = times_s[rows] - times_s[:, None]
    weight = np.exp(-((lag / deviation) ** 2) / 2) * inside
    s0, s1, s2 = ((weight * lag**power).sum(axis=1) for power in range(3))
    spread = s0 * s2 - s1**2
    level = np.where(spread > 1e-12, spread, 1)[:, None]
    kernel = np.where(
        (spread > 1e-12)[:, None], weight * (s2[:, None] - s1[:, None] * lag) / level, lag == 0
    )
    line = (kernel[:, :, None] * boxes[rows]).sum(axis=1)
    most = _PULL * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return (boxes + np.clip(line - boxes, -most, most)).astype(np.float32)


def _carried(boxes: FloatArray, camera: list[Motion]) -> FloatArray:
    """Where the camera alone carried the box's centre (T, 2) since the video's first frame."""
    middle = centres(boxes).astype(np.float64)
    start = middle[0] - camera[0].inverse().apply(middle[0])
    steps = [np.asarray(start, np.float64)]
    for at, before, now in zip(middle[:-1], camera[:-1], camera[1:], strict=True):
        zoom = now.zoom / before.zoom
        shift = np.array(now.shift) - zoom * np.array(before.shift)
        steps.append(at * (zoom - 1) + shift)
    return np.cumsum(steps, axis=0).astype(np.float32)


