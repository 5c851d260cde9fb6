"""Who meets another and parts again stays himself, where looks say more than place.

While two of a kind touch, a detector may give both one box, and whoever comes out may go on as the
other. Where both are seen before and after a meeting and look exchanged, their ends are exchanged.
Where one is not, the other is cut at the moment that its looks change for good, if they become
those of one that was lost before, or one that begins later has the looks it had: links then join
like to like.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.arrays import FloatArray
from cospal_cli.core.boxes import iou
from cospal_cli.track.affinity import likenesses
from cospal_cli.track.link import Fragment, World, joinable

_MEET = 0.15  # IoU of the boxes, gaps bridged, from which two meet
_NEAR_S = 0.5  # meetings nearer in time are one
_LOOKS_S = 2.0  # so much before and after tells what each looks like
_LEAST = 3  # observations there
_CLEAR = 0.1  # by so much more alike must be what is joined than what is parted


class _Meeting(NamedTuple):
    """First and last time that two fragments touch."""

    start_s: float
    end_s: float


def unswapped(fragments: Sequence[Fragment], world: World, gap_s: float) -> list[Fragment]:
    """The ``fragments``, ends exchanged or cut off where two met and swapped."""
    groups: dict[tuple[int, int], list[Fragment]] = {}
    for fragment in fragments:
        groups.setdefault((fragment.kind, fragment.shot), []).append(fragment)
    whole = []
    for members in groups.values():
        for i in range(len(members)):
            first, last = _spans(members, world)
            for j in np.flatnonzero((first[:i] < last[i]) & (last[:i] > first[i])).tolist():
                members[i], members[j] = _exchanged(members[i], members[j], world)
        first, last = _spans(members, world)
        for one in members:
            time_s = _change(one, world)
            if time_s is None:
                whole.append(one)
                continue
            near = (last < time_s) & (last >= time_s - gap_s)
            near |= (first > time_s) & (first <= time_s + gap_s)
            others = [members[j] for j in np.flatnonzero(near)]
            whole += _cut(one, time_s, others, world, gap_s)
    return whole


def _spans(
    fragments: Sequence[Fragment], world: World
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First and last times."""
    ends = world.times_s[np.array([f.rows[[0, -1]] for f in fragments])]
    return ends[:, 0], ends[:, 1]


def _exchanged(a: Fragment, b: Fragment, world: World) -> tuple[Fragment, Fragment]:
    for meeting in _meetings(a, b, world):
        (a1, a2), (b1, b2) = (
            (_looks(f, world, meeting.start_s, -1), _looks(f, world, meeting.end_s, 1))
            for f in (a, b)
        )
        if a1 is None or a2 is None or b1 is None or b2 is None:
            continue
        gain = _alike(a1, b2) + _alike(b1, a2) - _alike(a1, a2) - _alike(b1, b2)
        if gain > 2 * _CLEAR:
            middle = (meeting.start_s + meeting.end_s) / 2
            (a, a_end), (b, b_end) = (_halves(f, world, middle) for f in (a, b))
            a, b = _joined(a, b_end), _joined(b, a_end)
    return a, b


def _meetings(a: Fragment, b: Fragment, world: World) -> list[_Meeting]:
    """Where two touch."""
    times = [world.times_s[f.rows] for f in (a, b)]
    low, high = max(t[0] for t in times), min(t[-1] for t in times)
    if low >= high:
        return []
    shared = np.unique(np.concatenate(times))
    shared = shared[(shared >= low) & (shared <= high)]
    first, second = (
        np.stack([np.interp(shared, t, side) for side in world.boxes[f.rows].T], axis=1)
        for f, t in zip((a, b), times, strict=True)
    )
    met = shared[iou(first.astype(np.float32), second.astype(np.float32)) >= _MEET]
    parts = np.split(met, np.flatnonzero(np.diff(met) > _NEAR_S) + 1)
    return [_Meeting(float(part[0]), float(part[-1])) for part in parts if len(part)]


def _cut(
    fragment: Fragment, time_s: float, others: Sequence[Fragment], world: World, gap_s: float
) -> list[Fragment]:
    """The fragment, or its parts before and from ``time_s`` on, where another's looks go on in one
    of them; ``others`` end before it or begin after it."""
    start, end = _halves(fragment, world, time_s)
    before, after = _looks(fragment, world, time_s, -1), _looks(fragment, world, time_s - 1e-6, 1)
    if before is None or after is None:
        return [fragment]
    own = _alike(before, after) + _CLEAR
    for other in others:
        first, last = world.times_s[other.rows[[0, -1]]]
        lost, found = _looks(other, world, last + 1e-6, -1), _looks(other, world, first - 1e-6, 1)
        if lost is None or found is None:
            continue
        if last < time_s and _alike(lost, after) > own and joinable(other, end, world, gap_s):
            return [start, end]
        if first > time_s and _alike(before, found) > own and joinable(start, other, world, gap_s):
            return [start, end]
    return [fragment]


def _change(fragment: Fragment, world: World) -> float | None:
    """The time at which the looks of a fragment change most; None where it is too short."""
    colours = world.colours[fragment.rows].astype(np.float32)
    times = world.times_s[fragment.rows]
    if len(times) < 2 * _LEAST:
        return None
    total = np.concatenate([np.zeros_like(colours[:1]), np.cumsum(colours, axis=0)])
    at = np.arange(_LEAST, len(times) - _LEAST + 1)
    low = np.minimum(np.searchsorted(times, times[at] - _LOOKS_S), at - _LEAST)
    high = np.maximum(np.searchsorted(times, times[at] + _LOOKS_S), at + _LEAST)
    before = (total[at] - total[low]) / (at - low)[:, None, None]
    after = (total[high] - total[at]) / (high - at)[:, None, None]
    apart = np.abs(before - after).sum(axis=(1, 2))
    return float(times[at[int(apart.argmax())]])


def _looks(fragment: Fragment, world: World, time_s: float, way: int) -> FloatArray | None:
    """Mean colours (R, C) before (``way`` -1) or after a time; None where it is hardly seen."""
    since = way * (world.times_s[fragment.rows] - time_s)
    rows = fragment.rows[(since > 0) & (since <= _LOOKS_S)]
    if len(rows) < _LEAST:
        return None
    mean: FloatArray = world.colours[rows].mean(axis=0, dtype=np.float32)
    return mean


def _alike(one: FloatArray, other: FloatArray) -> float:
    return float(likenesses(one[None], other[None])[0, 0])


def _halves(fragment: Fragment, world: World, time_s: float) -> tuple[Fragment, Fragment]:
    """The observations before and from ``time_s`` on; classes are those of the whole."""
    late = world.times_s[fragment.rows] >= time_s
    return replace(fragment, rows=fragment.rows[~late]), replace(fragment, rows=fragment.rows[late])


def _joined(start: Fragment, end: Fragment) -> Fragment:
    return replace(start, rows=np.concatenate([start.rows, end.rows]))
