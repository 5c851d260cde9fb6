"""From tracks to tubelets: fragments linked, gaps filled, boxes smoothed, twins merged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.boxes import centres, clip, iou
from cospal_cli.core.tubelets import BoxColours, Tubelet
from cospal_cli.settings import TrackerConfig
from cospal_cli.track.history import Columns, History
from cospal_cli.track.kinds import Kinds
from cospal_cli.track.link import Fragment, World, link
from cospal_cli.track.moved import Moved, parts_of
from cospal_cli.track.path import CameraPath
from cospal_cli.track.swaps import unswapped

_TWIN = 0.7  # IoU above which two boxes of one kind show one thing
_MOST = 0.6  # share of the shorter tubelet's frames on which twins must overlap so
_WINDOW = 2.0  # smoothing kernel's reach, in standard deviations
_PULL = 0.08  # smoothing moves no edge by more, of the box's side


def build(
    history: History, kinds: Kinds, config: TrackerConfig, size: tuple[int, int]
) -> tuple[list[Tubelet], list[Moved]]:
    """All tubelets with at least ``config.min_observations``, by first frame, then score.

    Where fewer frames were sampled, those that were seen in every one. And the parts of tracks that
    became other tracks.
    """
    columns = history.columns()
    if columns is None:
        return [], []
    film = _Film(
        np.array(history.indices, np.int64),
        np.array(history.times_s),
        CameraPath.of(history.camera),
        size,
    )
    boxes = film.camera.to_world(columns.frames.astype(np.int64), columns.boxes)
    world = World(film.times_s[columns.frames], boxes, columns.colours)
    fragments = link(_fragments(columns, history, kinds), world, config.link_gap_s)
    parted = unswapped(fragments, world, config.link_gap_s)
    fragments = link(parted, world, config.link_gap_s)
    least = min(config.min_observations, len(film.indices))  # a single frame has no second look
    fragments = [f for f in fragments if len(f.rows) >= least]
    fragments = _without_twins(fragments, columns)
    fragments.sort(key=lambda f: (columns.frames[f.rows[0]], -columns.scores[f.rows].sum()))
    pieces = parts_of(
        [columns.tracks[f.rows].astype(np.int64) for f in fragments],
        [world.times_s[f.rows] for f in fragments],
        len(history.track_shots),
    )
    tubelets = [
        _tubelet(number, fragment, tracks, columns, film, config.smooth_s)
        for number, (fragment, tracks) in enumerate(zip(fragments, pieces.tracks, strict=True))
    ]
    return tubelets, pieces.moved


@dataclass(frozen=True)
class _Film:
    """The sampled frames."""

    indices: IntArray  # (N,) source ordinals
    times_s: NDArray[np.float64]  # (N,)
    camera: CameraPath
    size: tuple[int, int]


def _fragments(columns: Columns, history: History, kinds: Kinds) -> list[Fragment]:
    """One fragment per track; its kind is the one that its scores add up to."""
    starts = np.flatnonzero(np.diff(columns.tracks, prepend=-1))
    fragments = []
    for rows in np.split(np.arange(len(columns.tracks)), starts[1:]):
        track = int(columns.tracks[rows[0]])
        labels = history.labels_of(track)
        kind = int(kinds.of_label[labels.argmax()])
        shot = history.track_shots[track]
        fragments.append(Fragment((track,), kind, shot, rows, labels, len(rows)))
    return fragments


def _without_twins(fragments: list[Fragment], columns: Columns) -> list[Fragment]:
    """Of two fragments of one kind that are one box for most of the shorter's life, the better."""
    kept: list[Fragment] = []
    spans = np.zeros((len(fragments), 4), np.int64)  # kind, shot, first and last frame of the kept
    for fragment in sorted(fragments, key=lambda f: -float(columns.scores[f.rows].sum())):
        first, last = columns.frames[fragment.rows[[0, -1]]]
        known = spans[: len(kept)]
        near = (known[:, :2] == (fragment.kind, fragment.shot)).all(axis=1)
        near &= (known[:, 2] <= last) & (known[:, 3] >= first)
        candidates = np.flatnonzero(near).tolist()
        twin = next((i for i in candidates if _twins(kept[i], fragment, columns)), None)
        if twin is None:
            spans[len(kept)] = fragment.kind, fragment.shot, first, last
            kept.append(fragment)
        else:
            kept[twin] = replace(
                kept[twin],
                label_sum=kept[twin].label_sum + fragment.label_sum,
                seen=kept[twin].seen + fragment.seen,
            )
    return kept


def _twins(a: Fragment, b: Fragment, columns: Columns) -> bool:
    """Whether two fragments are one box for most of the briefer's observations."""
    frames_a, frames_b = columns.frames[a.rows], columns.frames[b.rows]
    _, in_a, in_b = np.intersect1d(frames_a, frames_b, assume_unique=True, return_indices=True)
    overlap = iou(columns.boxes[a.rows[in_a]], columns.boxes[b.rows[in_b]])
    return bool((overlap > _TWIN).sum() > _MOST * min(len(frames_a), len(frames_b)))


def _tubelet(
    number: int,
    fragment: Fragment,
    tracks: tuple[int, ...],
    columns: Columns,
    film: _Film,
    smooth_s: float,
) -> Tubelet:
    """The tubelet of one fragment."""
    rows = fragment.rows
    seen = columns.frames[rows].astype(np.int64)
    frames = np.arange(seen[0], seen[-1] + 1)
    times = film.times_s[frames]
    observed = np.isin(frames, seen)
    # Gaps are bridged in straight lines in the world, not in the picture.
    world = film.camera.to_world(seen, columns.boxes[rows])
    sides = [np.interp(times, times[observed], world[:, side]) for side in range(4)]
    boxes = film.camera.to_frame(frames, np.stack(sides, axis=1))
    boxes[observed] = columns.boxes[rows]
    boxes = clip(smooth(boxes, times, smooth_s), *film.size)
    scores = np.interp(times, times[observed], columns.scores[rows])
    return Tubelet(
        id=number,
        frame_indices=film.indices[frames],
        times_s=times,
        boxes_xyxy=boxes,
        scores=scores.astype(np.float32),
        observed=observed,
        label_scores=fragment.label_sum / np.float32(fragment.seen),
        colours=BoxColours(_pick(columns.colours, rows), _pick(columns.thumbs, rows)),
        referral=None if columns.referral is None else _pick(columns.referral, rows),
        features=None if columns.features is None else _pick(columns.features, rows),
        camera_xy=film.camera.carried(frames, centres(boxes)),
        track_ids=tracks,
    )


def _pick(column: NDArray, rows: IntArray) -> NDArray:
    """``column[rows]``, without a copy where the rows lie together: most tubelets are one track."""
    first, last = int(rows[0]), int(rows[-1])
    return column[first : last + 1] if last - first == len(rows) - 1 else column[rows]


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
