"""Fragments of one object, broken by occlusion or missed detections, become one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray, IntArray
from cospal_cli.core.assignment import assign
from cospal_cli.core.boxes import centres, iou
from cospal_cli.track.affinity import likenesses

_REACH, _REACH_PER_S = 0.7, 0.8  # box sizes that the place may be off, at once and per second
_STRETCH = 1.1  # log of the ratio of box sizes that a link may bridge
_ALIKE = 0.4  # least likeness of colours
_AS_USUAL = 0.65  # least likeness, of what the less constant of two ends is to itself
_LIMIT = 0.75  # dearest link: place (0..1) and unlikeness (0..1) weigh the same
_FIT_S = 0.5  # velocity is fitted to this much of a fragment's end
_FADE_S = 0.7  # time constant with which an unseen velocity is forgotten
_BRIEF_S, _BRIEF = 0.3, 4  # a gap may last so long, or so many times the briefer side of it
_TAIL_S, _TOUCH = 0.35, 0.3  # so long may both be seen at once, at such an IoU
_WINDOW_S = 20.0  # ends that are assigned together
_END = 12  # observations at an end whose colours count


@dataclass(frozen=True)
class Fragment:
    """Observations of one object in one shot; ``rows`` point into the history's columns."""

    tracks: tuple[int, ...]
    kind: int
    shot: int
    rows: IntArray  # (m,) in order of time
    label_sum: FloatArray  # (L,) over ``seen`` observations
    seen: int

    def joined(self, later: Fragment, times_s: NDArray[np.float64]) -> Fragment:
        """This fragment, then what a later one has after its end; ``times_s`` (M,) by row."""
        return Fragment(
            self.tracks + later.tracks,
            self.kind,
            self.shot,
            np.concatenate([self.rows, later.after(self, times_s)]),
            self.label_sum + later.label_sum,
            self.seen + later.seen,
        )

    def after(self, earlier: Fragment, times_s: NDArray[np.float64]) -> IntArray:
        """The rows of this fragment that come after an earlier one's end."""
        return self.rows[times_s[self.rows] > times_s[earlier.rows[-1]]]


@dataclass(frozen=True)
class World:
    """What links are judged by; boxes with the camera's motion undone."""

    times_s: NDArray[np.float64]  # (M,)
    boxes: FloatArray  # (M, 4)
    colours: NDArray[np.uint8]  # (M, R, C)


@dataclass(frozen=True)
class _End:
    """One end of a fragment."""

    time_s: float
    centre: NDArray[np.float64]  # (2,)
    velocity: NDArray[np.float64]  # (2,) per second
    size: float
    colours: FloatArray  # (R, C)
    usual: float  # mean likeness of its observations to these


def link(fragments: list[Fragment], world: World, gap_s: float) -> list[Fragment]:
    """Join what belongs together until nothing more does.

    Only fragments of one kind and shot, one after the other by at most ``gap_s``, near the place
    and size that the motion before and after the gap predicts, and of like colours.
    """
    while True:
        following = _round(fragments, world, gap_s)
        if not following:
            return fragments
        chained = []
        for head in sorted(set(range(len(fragments))) - set(following.values())):
            whole, at = fragments[head], head
            while at in following:
                at = following[at]
                whole = whole.joined(fragments[at], world.times_s)
            chained.append(whole)
        fragments = chained


def joinable(earlier: Fragment, later: Fragment, world: World, gap_s: float) -> bool:
    """Whether ``link`` might join the two, were there no others."""
    return float(_costs([earlier], [later], world, gap_s)[0, 0]) <= _LIMIT


def _round(fragments: list[Fragment], world: World, gap_s: float) -> dict[int, int]:
    """Which fragment follows which: one assignment of ends to beginnings per window of time.

    Windows bound the size of the assignments in long videos.
    """
    groups: dict[tuple[int, int], list[int]] = {}
    for i, fragment in enumerate(fragments):
        groups.setdefault((fragment.kind, fragment.shot), []).append(i)
    following: dict[int, int] = {}
    for members in groups.values():
        first = np.array([world.times_s[fragments[i].rows[0]] for i in members])
        last = np.array([world.times_s[fragments[i].rows[-1]] for i in members])
        free = np.ones(len(members), bool)
        for window in np.unique(last // _WINDOW_S):
            ends = np.flatnonzero(last // _WINDOW_S == window)
            low, high = last[ends].min() - _TAIL_S, last[ends].max() + gap_s
            starts = np.flatnonzero(free & (first > low) & (first <= high))
            before = [fragments[members[i]] for i in ends]
            after = [fragments[members[j]] for j in starts]
            rows, columns = assign(_costs(before, after, world, gap_s), _LIMIT)
            free[starts[columns]] = False
            for i, j in zip(ends[rows].tolist(), starts[columns].tolist(), strict=True):
                following[members[i]] = members[j]
    return following


def _costs(before: list[Fragment], after: list[Fragment], world: World, gap_s: float) -> FloatArray:
    """Cost (B, A) of every later fragment following an earlier one, infinite where it cannot."""
    cost = np.full((len(before), len(after)), np.inf, np.float32)
    if not cost.size:
        return cost
    (first_b, last_b), (first_a, last_a) = (
        world.times_s[np.array([(f.rows[0], f.rows[-1]) for f in fragments])].T
        for fragments in (before, after)
    )
    gaps = first_a[None] - last_b[:, None]
    brief = _BRIEF * np.minimum((last_b - first_b)[:, None], (last_a - first_a)[None])
    in_turn = (first_b[:, None] < first_a) & (last_b[:, None] < last_a)
    possible = in_turn & (gaps > -_TAIL_S) & (gaps <= np.clip(brief, _BRIEF_S, gap_s))
    for i in np.flatnonzero(possible.any(axis=1)).tolist():
        end = _end(before[i].rows[::-1], world)
        for j in np.flatnonzero(possible[i]).tolist():
            if gaps[i, j] > 0 or _touch(before[i], after[j], world):
                cost[i, j] = _cost(end, _end(after[j].after(before[i], world.times_s), world))
    return cost


def _touch(a: Fragment, b: Fragment, world: World) -> bool:
    """Whether two fragments that share a few frames show one thing in each of them: a detector
    gives a thing that leaves the frame a last box of the whole and a first one of the rest."""
    times_a, times_b = world.times_s[a.rows], world.times_s[b.rows]
    _, in_a, in_b = np.intersect1d(times_a, times_b, assume_unique=True, return_indices=True)
    overlap = iou(world.boxes[a.rows[in_a]], world.boxes[b.rows[in_b]])
    return bool((overlap > _TOUCH).all())


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
    seen = world.colours[rows[:_END]].astype(np.float32)
    colours = seen.mean(axis=0)
    usual = float(likenesses(seen, colours[None]).mean())
    start = middle[: min(3, len(middle))].mean(axis=0)
    return _End(float(times[0]), start, velocity, size, colours, usual)


def _cost(a: _End, b: _End) -> float:
    """Cost of ``b`` beginning what ``a`` left off."""
    gap = b.time_s - a.time_s
    stretch = abs(np.log(b.size / a.size))
    alike = float(likenesses(a.colours[None], b.colours[None])[0, 0])
    least = max(_ALIKE, _AS_USUAL * min(a.usual, b.usual))
    if stretch > _STRETCH or alike < least:
        return np.inf
    # Things wait behind what hides them as often as they walk on: any of standing still, moving on
    # as before and moving as after may explain the gap.
    prefetch = _FADE_S * (1 - np.exp(-gap / _FADE_S))
    apart = b.centre - a.centre
    moves = (0, a.velocity * prefetch, b.velocity * prefetch, (a.velocity + b.velocity) * gap / 2)
    off = min(float(np.hypot(*(apart - move))) for move in moves)
    place = off / (max(a.size, b.size) * (_REACH + _REACH_PER_S * gap))
    return float(place + (1 - alike)) / 2 + 0.2 * stretch if place <= 1 else np.inf
