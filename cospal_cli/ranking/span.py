"""From when to when: the part of a tubelet that the sentence's verbs describe.

Only movement and direction verbs trim. Hands, talk and posture leave no curve that beats the whole
tubelet here: before and after the movements of the sentence they get a fixed time each, and where
the sentence begins or ends with something that lasts (standing, talking), that side stays whole.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cospal_cli.core.middle import median, quantile
from cospal_cli.core.observation import TimeSpan
from cospal_cli.core.types import Action, Query, Tubelet
from cospal_cli.ranking.candidates import Candidate
from cospal_cli.ranking.terms import MOVING

_BRISK = 1.5  # heights per second: faster peaks do not make the rest of a movement slow
_ACTION_S = 1.5  # what an action of the hands takes, next to a movement
_PAD_S = 0.15  # the slope's window blunts the moment's borders
_SNAP_S = 0.5  # a moment that ends this close to the tubelet's own end lasts until that end
_JOIN_S = 0.8  # pauses shorter than this do not end a movement
_MIN_S = 0.6  # shorter bursts are not a moment
_WORTH = 0.85  # a trim that keeps more than this share of the tubelet is left out

_ARRIVING = frozenset({"in", "closer", "to"})
_LEAVING = frozenset({"out", "away"})
_AXES = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}


def span(candidate: Candidate, query: Query) -> TimeSpan:
    """Half-open [start, end) in seconds inside the tubelet's own extent."""
    start, end = extent(candidate.tubelet)
    if not query.actions:
        return TimeSpan(start, end)
    moments = [_moment(candidate, action) for action in query.actions]
    before = _lead(moments, query.actions)
    after = _lead(moments[::-1], query.actions[::-1])
    low = before[0][0] - _PAD_S - before[1] if before else start
    high = after[0][1] + _PAD_S + after[1] if after else end
    low = start if low < start + _SNAP_S else low
    high = end if high > end - _SNAP_S else high
    trimmed = _MIN_S <= high - low <= _WORTH * (end - start)
    return TimeSpan(low, high) if trimmed else TimeSpan(start, end)


def _lead(
    moments: Sequence[tuple[float, float] | None], actions: Sequence[Action]
) -> tuple[tuple[float, float], float] | None:
    """The first moment and the seconds that the actions before it take; None: they last."""
    before = 0.0
    for moment, action in zip(moments, actions, strict=True):
        if moment:
            return moment, before
        if action.kind in ("still", "talk"):
            return None
        before += _ACTION_S
    return None


def extent(tubelet: Tubelet) -> TimeSpan:
    """The tubelet's whole time: half a sampling step beyond its first and last observation."""
    times = tubelet.times_s
    half = float(median(np.diff(times))) / 2 if len(times) > 1 else 0.05
    return TimeSpan(max(float(times[0]) - half, 0.0), float(times[-1]) + half)


def _moment(candidate: Candidate, action: Action) -> tuple[float, float] | None:
    """First and last time of the stretch that the action means, or None without a clear one.

    Of several movements an arrival is the first and a departure the last; else the strongest.
    """
    drive = _drive(candidate, action)
    if drive is None or len(drive) < 3:
        return None
    times = candidate.motion.times_s
    peak = min(float(quantile(drive, 0.95)), _BRISK)
    spans = stretches(drive > max(0.3 * peak, 0.5 * MOVING), times)
    strength = [float(drive[low:high].sum()) for low, high in spans]
    strong = [s for s, sum_ in zip(spans, strength, strict=True) if sum_ > 0.3 * max(strength)]
    if peak < MOVING or not strong:
        return None
    if _ARRIVING.intersection(action.directions):
        low, high = strong[0]
    elif _LEAVING.intersection(action.directions):
        low, high = strong[-1]
    else:
        low, high = spans[int(np.argmax(strength))]
    return float(times[low]), float(times[high - 1])


def _drive(candidate: Candidate, action: Action) -> NDArray[np.float64] | None:
    """How strongly the action shows at each time (T,), heights per second; None: it never does."""
    motion = candidate.motion
    if action.kind not in ("move", "jump"):
        return None
    for direction in action.directions:
        if direction in _AXES:
            axis, sign = _AXES[direction]
            return (sign * motion.velocity[:, axis]).astype(np.float64)
    return motion.pace.astype(np.float64)


def stretches(on: NDArray[np.bool_], times_s: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Half-open index ranges where ``on`` (T,) holds, joined over pauses below ``_JOIN_S``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    spans: list[tuple[int, int]] = []
    for low, high in edges.reshape(-1, 2).tolist():
        if spans and times_s[low] - times_s[spans[-1][1] - 1] < _JOIN_S:
            spans[-1] = (spans[-1][0], high)
        else:
            spans.append((low, high))
    return spans
