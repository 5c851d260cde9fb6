"""Fragments of one object, broken by occlusion or missed detections, become one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.assignment import assign
from cospal_cli.boxes import centres
from cospal_cli.track.affinity import likenesses
from cospal_cli.track.camera import Motion
from cospal_cli.types import FloatArray, IntArray

_REACH, _REACH_PER_S = 0.7, 0.8  # box sizes that the place may be off, at once and per second
_STRETCH = 1.1  # log of the ratio of box sizes that a link may bridge
_ALIKE = 0.4  # least likeness of colours
_LIMIT = 0.75  # dearest link: place (0..1) and unlikeness (0..1) weigh the same
_FIT_S = 0.5  # velocity is fitted to this much of a fragment's end
_FADE_S = 0.7  # time constant with which an unseen velocity is forgotten
_BRIEF_S, _BRIEF = 0.3, 4  # a gap may last so long, or so many times the briefer side of it
_END = 12  # observations at an end whose colours count


@dataclass(frozen=True)
class Fragment:
    """Observations of one object in one shot; ``rows`` point into the history's columns."""

    tracks: tuple[int, ...]
    kind: int
    shot: int
    rows: IntArray  # (m,) in order of time
    label_sum: FloatArray  # (L,)

    def joined(self, later: Fragment) -> Fragment:
        """This fragment followed by a later one."""
        return Fragment(
            self.tracks + later.tracks,
            self.kind,
            self.shot,
            np.concatenate([self.rows, later.rows]),
            self.label_sum + later.label_sum,
        )


@dataclass(frozen=True)
class World:
    """What links are judged by: every observation's time and box with the camera's motion undone."""

    times_s: NDArray[np.float64]  # (M,)
    boxes: FloatArray  # (M, 4)
    colours: NDArray[np.uint8]  # (M, R, C)

    @classmethod
    def of(
        cls,
        frames: NDArray[np.integer],
        times_s: NDArray[np.float64],
        boxes: FloatArray,
        colours: NDArray[np.uint8],
        camera: list[Motion],
    ) -> World:
        """``camera`` holds the motion from the first sampled frame to each."""
        back = [motion.inverse() for motion in camera]
        zoom = np.array([m.zoom for m in back], np.float32)[frames, None]
        shift = np.array([m.shift * 2 for m in back], np.float32).reshape(-1, 4)[frames]
        return cls(times_s[frames], boxes * zoom + shift, colours)


@dataclass(frozen=True)
class _End:
    """One end of a fragment."""

    time_s: float
    centre: NDArray[np.float64]  # (2,)
    velocity: NDArray[np.float64]  # (2,) per second
    size: float
    colours: FloatArray  # (R, C)


def link(fragments: list[Fragment], world: World, gap_s: float) -> list[Fragment]:
    """Join what belongs together, gap by gap, until nothing more does.

    Only fragments of one kind and shot, apart by at most ``gap_s``, near the place and size that
    the motion before and after the gap tells, and of like colours. Each round is one assignment of
    all ends to all beginnings.
    """
    while len(fragments) > 1:
        cost = _costs(fragments, world, gap_s)
        before, after = assign(cost, _LIMIT)
        if not len(before):
            break
        following = dict(zip(before.tolist(), after.tolist(), strict=True))
        heads = set(range(len(fragments))) - set(following.values())
        chained = []
        for head in sorted(heads):
            whole, at = fragments[head], head
            while at in following:
                at = following[at]
                whole = whole.joined(fragments[at])
            chained.append(whole)
        fragments = chained
    return fragments


def _costs(fragments: list[Fragment], world: World, gap_s: float) -> FloatArray:
    """Cost (n, n) of fragment j following fragment i, infinite where it cannot."""
    first = np.array([world.times_s[f.rows[0]] for f in fragments])
    last = np.array([world.times_s[f.rows[-1]] for f in fragments])
    kinds = np.array([(f.kind, f.shot) for f in fragments])
    gaps = first[None] - last[:, None]
    same = (kinds[:, None] == kinds[None]).all(axis=2)
    seen = last - first
    longest = np.clip(_BRIEF * np.minimum(seen[:, None], seen[None]), _BRIEF_S, gap_s)
    pairs = np.argwhere(same & (gaps > 1e-9) & (gaps <= longest))
    cost = np.full(gaps.shape, np.inf, np.float32)
    ends = {int(i): _end(fragments[i].rows[::-1], world) for i in np.unique(pairs[:, 0])}
    starts = {int(j): _end(fragments[j].rows, world) for j in np.unique(pairs[:, 1])}
    for i, j in pairs.tolist():
        cost[i, j] = _cost(ends[i], starts[j])
    return cost


def _end(rows: IntArray, world: World) -> _End:
    """The end of a fragment that ``rows`` begins with."""
    times, boxes = world.times_s[rows], world.boxes[rows].astype(np.float64)
    near = np.abs(times - times[0]) <= _FIT_S
    since, middle = times[near] - times[0], centres(boxes[near])
    velocity = np.zeros(2)
    if near.sum() > 2:
        lever = since - since.mean()
        velocity = (lever[:, None] * middle).sum(axis=0) / (lever**2).sum()
    sides = np.maximum(boxes[near, 2:] - boxes[near, :2], 1)
    size = float(np.median(np.sqrt(sides.prod(axis=1))))
    colours = world.colours[rows[:_END]].mean(axis=0, dtype=np.float32)
    return _End(float(times[0]), middle[: min(3, len(middle))].mean(axis=0), velocity, size, colours)


def _cost(a: _End, b: _End) -> float:
    """Cost of ``b`` beginning what ``a`` left off."""
    gap = b.time_s - a.time_s
    stretch = abs(np.log(b.size / a.size))
    alike = float(likenesses(a.colours[None], b.colours[None])[0, 0])
    if stretch > _STRETCH or alike < _ALIKE:
        return np.inf
    # Things wait behind what hides them as often as they walk on: any of standing still, moving on
    # as before and moving as after may explain the gap.
    ahead = _FADE_S * (1 - np.exp(-gap / _FADE_S))
    apart = b.centre - a.centre
    moves = (0, a.velocity * ahead, b.velocity * ahead, (a.velocity + b.velocity) * gap / 2)
    off = min(float(np.hypot(*(apart - move))) for move in moves)
    place = off / (max(a.size, b.size) * (_REACH + _REACH_PER_S * gap))
    return float(place + (1 - alike)) / 2 + 0.2 * stretch if place <= 1 else np.inf
